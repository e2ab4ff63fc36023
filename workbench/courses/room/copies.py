"""Versions of a seat's notebooks, in a folder of the room's own that has bounds. Called by keeping.

A version lies under what its content hashes to, so one that has not changed costs nothing; ``kept.jsonl`` says when
which file was that. Where there is no room for more, versions go that a later one has replaced, then the last ones of
notebooks that are deleted, each time the oldest first; what is on a desk now goes for nothing else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ...runs.files import write_bytes
from .. import journal

LIST = "kept.jsonl"
#: Bytes of all versions together, how many there are, and characters of a notebook's name with its folders.
_ALL, _VERSIONS, _NAME = 500 << 20, 5_000, 512


class Copies:
    """Versions of one seat's notebooks.

    Parameters
    ----------
    folder : Path
        Where they are; nobody else adds to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries = entries(folder)
        self._latest = {entry["file"]: entry["sha256"] for entry in self._entries}
        self._sizes = {path.stem: path.stat().st_size for path in folder.glob("*.ipynb")}

    def add(self, path: str, content: bytes, there: Collection[str]) -> None:
        """Keep a version, unless it is the notebook's latest.

        Parameters
        ----------
        there : collection of str
            Notebooks that are on the desk now.

        Raises
        ------
        WorkbenchError
            If there is no room for it.
        """
        digest = hashlib.sha256(content).hexdigest()
        if self._latest.get(path) == digest and digest in self._sizes:
            return
        if len(path) > _NAME:
            raise WorkbenchError(f"the name {path[:40]!r}… is too long: shorten it")
        if digest not in self._sizes:
            self._make_room(path, len(content), there)
            write_bytes(self.folder / f"{digest}.ipynb", content, durable=False)
            self._sizes[digest] = len(content)
        entry = {"at": round(time.time(), 3), "file": path, "sha256": digest}
        journal.add(self.folder / LIST, entry)
        self._entries.append(entry)
        self._latest[path] = digest
        if len(self._entries) > _VERSIONS:
            self._forget(there)

    def _make_room(self, path: str, size: int, there: Collection[str]) -> None:
        """Let go of versions until one more has its place; where that is not enough, none goes."""
        going, over = list[str](), sum(self._sizes.values()) + size - _ALL
        for digest in self._order(path, there) if over > 0 else ():
            if over > 0:
                going.append(digest)
                over -= self._sizes[digest]
        if over > 0:
            raise WorkbenchError(f"{path!r} has no room: its notebooks together have more than {_ALL >> 20} MB")
        self._drop(going)

    def _order(self, path: str, there: Collection[str]) -> Iterator[str]:
        """Yield the versions that may go, in the order in which they go."""
        held = {digest for file, digest in self._latest.items() if file in there and file != path}
        oldest = list(dict.fromkeys(entry["sha256"] for entry in reversed(self._entries)))[::-1]
        rank = dict.fromkeys(oldest, 0) | dict.fromkeys(self._latest.values(), 1)
        rank[self._latest.get(path, "")] = 2  # what the new one replaces goes last
        unknown = [digest for digest in self._sizes if digest not in rank]  # the computer stopped before it was noted
        for digest in (*unknown, *sorted(oldest, key=lambda digest: rank[digest])):
            if digest in self._sizes and digest not in held:
                yield digest

    def _forget(self, there: Collection[str]) -> None:
        """Let go of the oldest versions where they are too many: a fifth, so that it is not done for each."""
        most = _VERSIONS * 4 // 5
        newest = {entry["file"]: number for number, entry in enumerate(self._entries)}
        recent = range(len(self._entries) - most, len(self._entries))
        self._entries = [
            entry for number, entry in enumerate(self._entries)
            if number in recent or (entry["file"] in there and newest[entry["file"]] == number)
        ]  # fmt: skip
        self._latest = {entry["file"]: entry["sha256"] for entry in self._entries}
        write_bytes(self.folder / LIST, b"".join(f"{json.dumps(entry)}\n".encode() for entry in self._entries))
        named = {entry["sha256"] for entry in self._entries}
        self._drop([digest for digest in self._sizes if digest not in named])

    def _drop(self, digests: Sequence[str]) -> None:
        for digest in digests:
            (self.folder / f"{digest}.ipynb").unlink(missing_ok=True)
            del self._sizes[digest]


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return what was kept in a folder, the earliest first: ``at``, ``file`` and ``sha256``; a torn line is none."""
    found = journal.entries(folder / LIST)
    return [entry for entry in found if all(isinstance(entry.get(name), str) for name in ("file", "sha256"))]
