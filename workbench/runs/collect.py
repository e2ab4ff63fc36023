"""Bring home what the study part kept on the kernel's side: each file whole and with its checksum, or not at all.

Called by the engine at the end of a run, and later by ``genai4eu runs fetch`` for what could not be brought home then.
Nothing is removed there before everything is here. What has come of a file is kept beside the record, under the
checksum that the whole will have, so that the next try goes on where this one broke off.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from genai4eu.kernels.errors import KernelsError

from ..errors import WorkbenchError
from .carry import place
from .reach import Unreachable
from .sources import Source

#: Called with ``("collect", {"done": bytes, "total": bytes})``, and ``("notice", {"text": line})``.
Tell = Callable[[str, dict[str, Any]], None]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NotHome(WorkbenchError):
    """Some files could not be brought home; they are still where they were."""


class Part:
    """A file that is arriving.

    Parameters
    ----------
    path : Path
        Where it lies until it is whole.
    arrived : callable
        Called with the bytes that are there.
    """

    def __init__(self, path: Path, arrived: Callable[[int], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._arrived = arrived
        self._stream = path.open("ab", buffering=0)

    def tell(self) -> int:
        """Return how many bytes are there."""
        return self._stream.tell()

    def write(self, data: bytes) -> None:
        """Append to it.

        Raises
        ------
        NotHome
            If the disk here does not take it.
        """
        try:
            view = memoryview(data)
            while view:
                view = view[self._stream.write(view) :]
        except OSError as error:
            self.restart()  # a full disk is not to stay full because of this
            raise _no_room(error, Path(self._stream.name)) from None
        self._arrived(self.tell())

    def restart(self) -> None:
        """Forget what is there."""
        self._stream.truncate(0)
        self._stream.seek(0)

    def close(self) -> None:
        """Let go of it."""
        self._stream.close()


def collect(source: Source, folder: Path, aside: Path, tell: Tell) -> None:
    """Fetch every kept file into ``folder``, then remove them from where they were.

    Parameters
    ----------
    folder : Path
        The record's.
    aside : Path
        Where files lie while they arrive, on the same file system.

    Raises
    ------
    NotHome, KernelsError
        If something could not be brought home; it is still where it was then, and what has arrived is kept.
    """
    files = source.listing()
    strange = [entry["path"] for entry in files if "sha256" not in entry]
    missing = [e for e in files if e["path"] not in strange and not _there(_home(folder, e["path"]), e)]
    total, done = sum(entry["size"] for entry in missing), 0
    _check_room(folder, total)
    for entry in missing:
        _fetch(source, entry, folder, aside, partial(_arrived, tell, done, total))
        done += entry["size"]
    if strange:
        raise NotHome(f"{', '.join(map(_plain, strange))}: only links there, to what the run did not keep")
    _clear(source, tell)
    shutil.rmtree(aside, ignore_errors=True)


def _clear(source: Source, tell: Tell) -> None:
    """Remove there what is here now; where that cannot be, the target does it when it need not keep it any longer."""
    try:
        source.remove()
    except (KernelsError, Unreachable) as error:
        tell("notice", {"text": f"all outputs are home; their copies on the target stay there for now ({error})"})


def _arrived(tell: Tell, before: int, total: int, here: int) -> None:
    tell("collect", {"done": before + here, "total": total})


def _fetch(source: Source, entry: dict[str, Any], folder: Path, aside: Path, arrived: Callable[[int], None]) -> None:
    """Fetch one file; one that arrives other than it left is fetched once more from its beginning."""
    home, path = _home(folder, entry["path"]), aside / entry["sha256"]
    for _ in range(2):
        part = Part(path, arrived)
        try:
            source.copy(entry, part)
        finally:
            part.close()
        if _digest(path) == entry["sha256"]:
            home.parent.mkdir(parents=True, exist_ok=True)
            path.replace(home)
            return
        path.unlink()
    raise NotHome(f"output {_plain(entry['path'])} changed on its way from the kernel, twice: it may still be written")


def _there(path: Path, entry: dict[str, Any]) -> bool:
    """Return whether a file is at home already, from an earlier try."""
    return path.is_file() and path.stat().st_size == entry["size"] and _digest(path) == entry["sha256"]


def _home(folder: Path, relative: str) -> Path:
    """Return where a file goes; refuse a path that a kernel names outside the record."""
    parts = PurePosixPath(relative).parts
    ours = relative in ("sizes.json", "inputs.json") or (len(parts) > 1 and parts[0] in ("outputs", "checkpoints"))
    if not ours or ".." in parts or "\0" in relative:
        raise WorkbenchError(f"the kernel names a file outside the run's folder: {_plain(relative)}")
    return folder / _plain(relative) if parts[0] != "checkpoints" else place(folder) / _plain(parts[-1])


def _plain(path: str) -> str:
    r"""Return a path that JSON and every file system can hold: bytes that are no UTF-8 become ``\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _check_room(folder: Path, size: int) -> None:
    """Begin nothing that the disk here cannot hold."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise NotHome(f"{folder} has room for {free / 1e6:.0f} MB, the outputs have {size / 1e6:.0f} MB")


def _no_room(error: OSError, path: Path) -> NotHome:
    if error.errno in _FULL:
        return NotHome(f"the disk of {path.parent} is full")
    return NotHome(f"{path.parent} cannot be written ({error.strerror})")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
