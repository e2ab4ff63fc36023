"""Files below a folder that is a participant's own, and so may hold anything. Called by bundles of their work.

Folder by folder, by handle: no link is followed, no pipe or device opened, nothing of another owner taken, nothing
larger than allowed read, however sparse; what is left out is told of, with the reason.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Bytes of one file, bytes of a seat's work, its files, its folders, and how deep these may stand in each other.
MOST_OF_FILE, MOST, MOST_FILES, MOST_FOLDERS, DEPTH = 256 * 2**20, 2**30, 5_000, 1_000, 20
#: Folders and files of programs, which come anew by themselves.
CACHES = frozenset({
    ".ipynb_checkpoints", "__pycache__", ".cache", ".local", ".ipython", ".jupyter", ".config", ".npm",
    ".virtual_documents", ".kernels.log", ".server.log", ".Trash-0", ".bash_history",
})  # fmt: skip
#: Lines about what was left out; the rest is counted.
_TOLD = 200


@dataclass
class Budget:
    """What may still be taken of a seat's work, and what was left out.

    Attributes
    ----------
    bytes, files, folders : int
        That may still be taken, and be gone into.
    left : list of dict
        ``file`` and ``why`` of what was not taken, at most 200.
    more : int
        How many more were left out.
    """

    bytes: int = MOST
    files: int = MOST_FILES
    folders: int = MOST_FOLDERS
    left: list[dict[str, str]] = field(default_factory=list)
    more: int = 0

    def leave(self, file: str, why: str) -> None:
        """Note that something was left out."""
        if len(self.left) < _TOLD:
            self.left.append({"file": file, "why": why})
        else:
            self.more += 1

    def takes(self, file: str, about: os.stat_result) -> bool:
        """Tell whether a file may still be taken, and count it if so."""
        if about.st_size > MOST_OF_FILE:
            self.leave(file, f"{about.st_size / 1e6:,.0f} MB: a file may have {MOST_OF_FILE / 1e6:,.0f}")
        elif about.st_size > self.bytes or not self.files:
            self.leave(file, f"the seat has more than {MOST / 1e6:,.0f} MB or {MOST_FILES} files")
        else:
            self.bytes, self.files = self.bytes - about.st_size, self.files - 1
            return True
        return False


def files(folder: Path, budget: Budget, skip: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """Yield name and open handle of each file below a folder; the handle is closed when the next is asked for.

    Parameters
    ----------
    skip : set of str
        Names at the top that are left out without a word, as ``.course``.
    """
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        budget.leave(".", f"the folder cannot be read: {error.strerror}")
        return
    try:
        yield from _below(top, "", os.fstat(top).st_uid, budget, skip, 1)
    finally:
        os.close(top)


def safe(name: str) -> str:
    """Return a name that every system can unpack: odd characters become ``%0A`` and the like."""
    odd = set('\\:*?"<>|%')
    kept = "".join(c if c.isprintable() and c not in odd else _escaped(c) for c in name)
    return f"{kept[:-1]}{_escaped(kept[-1])}" if kept[-1] in ". " else kept


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogateescape"))


def _below(
    at: int, above: str, owner: int, budget: Budget, skip: frozenset[str], depth: int
) -> Iterator[tuple[str, int]]:
    with os.scandir(at) as found:
        names = [entry.name for entry in itertools.islice(found, MOST_FILES)]
        if next(found, None):
            budget.leave(above or ".", f"the folder has more than {MOST_FILES} entries")
    folders = []
    for name in sorted(names, key=lambda name: (not name.endswith(".ipynb"), name)):  # the work itself comes first
        if name in CACHES or (depth == 1 and name in skip):
            continue
        shown = f"{above}{safe(name)}"
        about = _looked(name, at)
        if about is not None and stat.S_ISDIR(about.st_mode):
            folders.append((name, shown))
        elif about is None or (why := _odd(about, owner)):
            budget.leave(shown, why if about else "it was gone before it could be read")
        elif budget.takes(shown, about):
            yield from _opened(name, at, shown, about, budget)
    for name, shown in folders:
        if depth == DEPTH:
            budget.leave(shown, f"deeper than {DEPTH} folders")
            continue
        if not budget.folders:
            budget.leave(shown, f"the seat has more than {MOST_FOLDERS} folders")
            continue
        budget.folders -= 1
        yield from _inside(name, at, shown, owner, budget, depth)


def _inside(name: str, at: int, shown: str, owner: int, budget: Budget, depth: int) -> Iterator[tuple[str, int]]:
    try:
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    except OSError as error:
        budget.leave(shown, f"cannot be read: {error.strerror}")
        return
    try:
        yield from _below(folder, f"{shown}/", owner, budget, frozenset(), depth + 1)
    finally:
        os.close(folder)


def _opened(name: str, at: int, shown: str, about: os.stat_result, budget: Budget) -> Iterator[tuple[str, int]]:
    """Yield a file's handle, if it is still what it was when it was looked at."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
    except OSError as error:
        budget.leave(shown, f"cannot be read: {error.strerror}")
        return
    try:
        now = os.fstat(file)
        if (now.st_dev, now.st_ino) == (about.st_dev, about.st_ino) and now.st_size <= about.st_size:
            yield shown, file
        else:
            budget.leave(shown, "it was exchanged while it was read")
    finally:
        os.close(file)


def _looked(name: str, at: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=at, follow_symlinks=False)
    except OSError:
        return None


def _odd(about: os.stat_result, owner: int) -> str:
    """Return why something is not taken; nothing where it is a plain file of the seat's."""
    if stat.S_ISLNK(about.st_mode):
        return "a link: what it names may be anything"
    if not stat.S_ISREG(about.st_mode):
        return "no file: a pipe, a socket or a device"
    return "" if about.st_uid == owner else "a file of somebody else"
