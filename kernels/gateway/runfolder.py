"""One run's folder at the gateway, open: nothing in it is reached by a link. Used by ``runfiles`` and ``files``."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AS_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
AS_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # a pipe must not be waited for
#: What a run keeps.
_FILES = ("inputs.json", "sizes.json")
_FOLDERS = ("checkpoints", "outputs")


@dataclass
class RunFolder:
    """What a run keeps beside its kernel: of its folder only what is named above.

    Attributes
    ----------
    handle : int
        The open folder, from which every path goes out.
    note : Path
        Where the kernel noted it down.
    hash : callable
        Returns the SHA-256 of an open file.
    """

    path: Path
    handle: int
    note: Path
    hash: Callable[[int], str] = field(repr=False)

    def listing(self) -> list[dict[str, Any]]:
        """List what the run kept: path, size in bytes and SHA-256. Of a link, the kept file ``to`` which it leads."""
        found = [self._about(name) for name in _FILES if self.has(name)]
        for top in filter(self.has, _FOLDERS):
            for root, _, names, folder in os.fwalk(top, dir_fd=self.handle):
                links = [name for name in os.listdir(folder) if stat.S_ISLNK(_mode(name, folder))]  # noqa: PTH208
                found += [self._link(f"{root}/{name}", os.readlink(name, dir_fd=folder)) for name in links]
                plain = [name for name in names if stat.S_ISREG(_mode(name, folder))]
                found += [self._about(f"{root}/{name}") for name in plain]
        return sorted(found, key=lambda entry: str(entry["path"]))

    def _link(self, path: str, target: str) -> dict[str, Any]:
        """Describe a link; what it leads to is named if that is a file that the run kept, and no link itself."""
        to = os.path.normpath(f"{path.rpartition('/')[0]}/{target}")
        try:
            return {**self._about(to), "path": path, "link": True, "to": to}
        except LookupError:
            return {"path": path, "link": True}

    def has(self, name: str) -> bool:
        """Return whether there is a file or folder of this name."""
        mode = _mode(name, self.handle)
        return stat.S_ISREG(mode) or stat.S_ISDIR(mode)

    def _about(self, path: str) -> dict[str, Any]:
        handle = self.file(path)
        try:
            return {"path": path, "size": os.fstat(handle).st_size, "sha256": self.hash(handle)}
        finally:
            os.close(handle)

    def file(self, path: str) -> int:
        """Open a kept file, folder by folder, none of them a link; the caller closes it.

        Raises
        ------
        LookupError
            If there is no such file among those that the run kept.
        """
        parts = path.split("/")
        if "\0" in path or len(path) > 4096 or any(part in ("", ".", "..") for part in parts):
            raise LookupError(path)
        if path not in _FILES and (parts[0] not in _FOLDERS or len(parts) < 2):
            raise LookupError(path)
        at = os.dup(self.handle)
        try:
            for number, part in enumerate(parts, 1):
                inner = os.open(part, AS_FILE if number == len(parts) else AS_FOLDER, dir_fd=at)
                os.close(at)
                at = inner
        except OSError as error:
            os.close(at)
            raise LookupError(path) from error
        if not stat.S_ISREG(os.fstat(at).st_mode):
            os.close(at)
            raise LookupError(path)
        return at

    def remove(self) -> None:
        """Remove the folder and its note."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.note.unlink(missing_ok=True)


def _mode(name: str, folder: int) -> int:
    """Return what kind of thing a name is; 0 where it is not there (any more)."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except OSError:
        return 0
