"""Walks through folders that are a participant's own, who may exchange anything meanwhile. By keeping and watching.

Folder by folder, by handle: no link is followed and no pipe waited for, however quickly one takes a folder's place; and
what is looked at has an end, in entries and in depth.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Walk:
    """What lies below a folder; once gone through, ``whole`` tells whether all of it was seen.

    Each entry comes with its path below the folder, those of a folder by name and before those of the folders in it.
    An entry can be asked only until the next one is: its folder is closed after the last.

    Parameters
    ----------
    start : Path
        The folder.
    entries, depth : int
        How many entries are looked at, and how deep folders may stand in each other.
    each : int, optional
        How many entries of one folder are looked at.
    skip : tuple of str
        How names of folders begin that are not entered.
    """

    def __init__(
        self, start: Path, entries: int, depth: int, each: int | None = None, skip: tuple[str, ...] = ()
    ) -> None:
        self.whole = True
        self._start, self._left, self._depth = start, entries, depth
        self._each, self._skip = each or entries, skip

    def __iter__(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        with contextlib.suppress(OSError):  # not there, or exchanged meanwhile: the next look sees it
            return self._below(os.open(self._start, _FOLDER), "", 0)
        return iter(())

    def _below(self, at: int, above: str, depth: int) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """Yield what an open folder holds, and close it."""
        try:
            found = self._listed(at)
            for entry in found:
                yield f"{above}{entry.name}", entry
            for name in [entry.name for entry in found if _is_folder(entry) and not entry.name.startswith(self._skip)]:
                if depth == self._depth or not self._left:
                    self.whole = False
                    return
                with contextlib.suppress(OSError):
                    yield from self._below(os.open(name, _FOLDER, dir_fd=at), f"{above}{name}/", depth + 1)
        finally:
            os.close(at)

    def _listed(self, at: int) -> list[os.DirEntry[str]]:
        listed: list[os.DirEntry[str]] = []
        with contextlib.suppress(OSError), os.scandir(at) as found:
            listed += itertools.islice(found, min(self._left, self._each))
            self.whole &= next(found, None) is None
        self._left -= len(listed)
        return sorted(listed, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(OSError):
        return entry.is_dir(follow_symlinks=False)
    return False
