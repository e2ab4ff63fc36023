"""Where runs keep files beside their kernels, and whose they are when a kernel is gone. Used by ``files``.

A kernel gets ``VARIABLE``, the place where it notes down, in ``RUN.json``, where the folder of a run of its is. What
the note says is not believed: the folder must be this account's, no link, and say itself whose it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import write_json
from .runfolder import AS_FILE, AS_FOLDER, RunFolder

VARIABLE = "GENAI4EU_KERNEL_FILES"
#: Seconds for which the files of a run whose kernel is gone stay where they are.
KEPT = 7 * 86400.0
_REMEMBERED = 10_000


class RunFiles:
    """All notes of a gateway's kernels, and whose the kernels were that are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hashes: OrderedDict[tuple[int, ...], str] = OrderedDict()
        self._turn = threading.Lock()

    def place(self, kernel_id: str) -> str:
        """Return what a kernel is given as ``VARIABLE``."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return str(self._folder / kernel_id)

    def keep(self, kernel_id: str, owner: str) -> None:
        """Write down whose a kernel was that ended, if it had a run: its files may be wanted still."""
        if (self._folder / kernel_id).is_dir():
            write_json(self._folder / f"{kernel_id}.json", {"owner": owner}, 0o600)

    def owner(self, kernel_id: str) -> str | None:
        """Return whose a kernel was that has ended."""
        try:
            return str(json.loads((self._folder / f"{kernel_id}.json").read_text(encoding="utf-8"))["owner"])
        except (OSError, ValueError, LookupError, TypeError):
            return None

    @contextmanager
    def open(self, kernel_id: str, run: str) -> Iterator[RunFolder]:
        """Open the folder of a kernel's run.

        Raises
        ------
        LookupError
            If there is none, or it cannot be seen from here, or it is not what it should be.
        """
        notes = self._folder / kernel_id
        try:
            if f"{run}.json" not in os.listdir(notes):  # noqa: PTH208  # a name from outside is looked for, never joined
                raise LookupError(run)
            path = _noted(notes / f"{run}.json")
            handle = os.open(path, AS_FOLDER)
        except (OSError, ValueError, TypeError) as error:
            raise LookupError(run) from error
        try:
            if not _belongs(handle, kernel_id):
                raise LookupError(run)
            yield RunFolder(Path(path), handle, notes / f"{run}.json", self.sha256)
        finally:
            os.close(handle)

    def sha256(self, handle: int) -> str:
        """Return the SHA-256 of an open file; what has not changed since is not read again."""
        about = os.fstat(handle)
        key = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        with self._turn:
            known = self._hashes.get(key)
        if known is None:
            known = _sha256(handle)
            with self._turn:
                self._hashes[key] = known
                while len(self._hashes) > _REMEMBERED:
                    self._hashes.popitem(last=False)
        return known

    def tidy(self, alive: set[str]) -> None:
        """Remove what runs left for longer than ``KEPT``, and the notes of those that left nothing."""
        for notes in self._folder.glob("*/") if self._folder.is_dir() else ():
            young = time.time() - notes.stat().st_mtime < 3600  # its kernel may have come since, and be about to write
            if notes.name not in alive and not young:
                left = [note for note in notes.glob("*.json") if not self._over(notes.name, note)]
                if not left:
                    shutil.rmtree(notes, ignore_errors=True)
                    (self._folder / f"{notes.name}.json").unlink(missing_ok=True)

    def _over(self, kernel_id: str, note: Path) -> bool:
        try:
            with self.open(kernel_id, note.stem) as folder:
                old = time.time() - os.fstat(folder.handle).st_mtime > KEPT
                if old:
                    folder.remove()
                return old
        except LookupError:
            return True


def _noted(note: Path) -> str:
    content = json.loads(note.read_text(encoding="utf-8"))
    folder = content["folder"] if isinstance(content, dict) else None
    if not isinstance(folder, str) or not os.path.isabs(folder):  # noqa: PTH117  # it is no Path yet
        raise ValueError("no folder")
    return folder


def _belongs(handle: int, kernel_id: str) -> bool:
    """Return whether an open folder is this account's and says that it is this kernel's."""
    if os.fstat(handle).st_uid != os.geteuid():
        return False
    try:
        file = os.open("owner.json", AS_FILE, dir_fd=handle)
    except OSError:
        return False
    try:
        said = json.loads(os.read(file, 4096)) if stat.S_ISREG(os.fstat(file).st_mode) else None
    except ValueError:
        return False
    finally:
        os.close(file)
    return isinstance(said, dict) and said.get("kernel") == kernel_id


def _sha256(handle: int) -> str:
    digest, offset = hashlib.sha256(), 0
    while data := os.pread(handle, 1 << 20, offset):
        digest.update(data)
        offset += len(data)
    return digest.hexdigest()
