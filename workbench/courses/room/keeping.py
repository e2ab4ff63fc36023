"""The room's own copies of everybody's notebooks and progress: what a participant deletes is not lost.

Called every few seconds while a room is open, and once more as it closes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from .. import journal
from ..desk import ASIDE, HAPPENED, course_files
from .copies import Copies, entries
from .folder import COURSE, Room
from .people import as_seat
from .reading import events, line_of, opened, read
from .walking import Walk

KEPT = "kept"
#: Of a seat: notebooks that are looked at, how deep they lie, the largest, and bytes of them that are read in one look.
_MOST, _DEEP, _LARGEST, _READ = 200, 3, 20 << 20, 40 << 20
#: Entries of a desk that are looked at for notebooks, in all and in one folder.
_ENTRIES, _EACH = 20_000, 5_000
#: Of a seat: events that are kept, and their bytes. Thousands a day are honest work; more is who fills our disk.
_EVENTS, _BYTES = 20_000, 4 << 20
#: Seconds for which a seat has to let us work in its folder, and in which one that did not is left alone.
_PATIENCE, _PAUSE = 5.0, 60.0


class Keeping:
    """Keeps the work of one seat.

    Parameters
    ----------
    room : Room
        With the folder ``kept``.
    seat : str
        Whose work.
    """

    def __init__(self, room: Room, seat: str) -> None:
        self.room, self.seat = room, seat
        self.folder = room.folder / KEPT / seat
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._stamps: dict[str, tuple[int, int]] = {}
        happened = self.folder / HAPPENED
        found = read(happened.read_bytes()) if happened.exists() else ()
        self._lines = dict.fromkeys(line_of(event) for event in found)  # in their order
        self._bytes = sum(len(line) + 1 for line in self._lines)
        self._copies = Copies(self.folder)
        self._position, self._again = 0, 0.0

    def look(self) -> None:
        """Copy what has changed since, and give back what a lesson needs to know of itself where that was deleted.

        Raises
        ------
        WorkbenchError
            If something of it cannot be done; all else is.
        """
        self._progress()
        try:
            self._notebooks()
        finally:
            self._give_back()

    def _progress(self) -> None:
        found, position = events(self.room, self.seat, self._position)
        new, size = dict[str, dict[str, Any]](), self._bytes
        for line, event in {line_of(event): event for event in found}.items():
            if line not in self._lines and len(self._lines) + len(new) < _EVENTS and size + len(line) < _BYTES:
                new[line] = event
                size += len(line) + 1
        if new:
            journal.add(self.folder / HAPPENED, *new.values())
            self._lines |= dict.fromkeys(new)
        self._position, self._bytes = position, size

    def _notebooks(self) -> None:
        found, left, why = dict(_notebooks(self.room, self.seat)), _READ, list[WorkbenchError]()
        self._stamps = {path: stamp for path, stamp in self._stamps.items() if path in found}
        for path, stamp in found.items():
            if self._stamps.get(path) == stamp or not 0 < stamp[1] <= min(left, _LARGEST):
                continue
            left -= stamp[1]
            try:
                if content := self._content(path):
                    self._copies.add(path, content, found)
            except WorkbenchError as error:
                why.append(error)
            self._stamps[path] = stamp
        if why:
            raise why[0]

    def _content(self, path: str) -> bytes:
        with opened(self.room, self.seat, Path(path)) as file:
            return os.pread(file, min(os.fstat(file).st_size, _LARGEST), 0) if file >= 0 else b""

    def _give_back(self) -> None:
        """Put the folder aside in its place again, as the seat's user.

        Lessons that were deleted are the trainer's to give back: who deletes one may mean it.
        """
        home = self.room.home(self.seat)
        if time.monotonic() < self._again:
            return
        if (home / ASIDE).is_dir() and (not self._lines or (home / ASIDE / HAPPENED).exists()):
            return
        before = self.room.folder / COURSE
        contents = {p.relative_to(before): p.read_bytes() for p in (before / ASIDE).rglob("*") if p.is_file()}
        if self._lines:
            contents[Path(ASIDE, HAPPENED)] = b"".join(f"{line}\n".encode() for line in self._lines)
        self._again = time.monotonic() + _PAUSE
        _lay(self.room, self.seat, contents, _PATIENCE)
        self._position, self._again = 0, 0.0


def kept(room: Room, seat: str) -> list[dict[str, Any]]:
    """Return what was kept of a seat, the earliest first: when, of which file, under which hash."""
    return entries(room.folder / KEPT / seat)


def restore(room: Room, seat: str) -> list[str]:
    """Give a seat back what was deleted, and return the names: notebooks as kept last, the course's files as made.

    Raises
    ------
    WorkbenchError
        If they cannot be written; the message says why.
    """
    home, kept_in = room.home(seat), room.folder / KEPT / seat
    latest = {entry["file"]: kept_in / f"{entry['sha256']}.ipynb" for entry in kept(room, seat)}
    absent = {path: copy for path, copy in latest.items() if copy.exists() and not os.path.lexists(home / path)}
    contents = {Path(path): copy.read_bytes() for path, copy in absent.items()}
    for name, path in course_files(room.folder / COURSE):
        if not os.path.lexists(home / name):
            contents.setdefault(Path(name), path.read_bytes())
    _lay(room, seat, contents, 4 * _PATIENCE)
    return [str(path) for path in contents]


def _lay(room: Room, seat: str, contents: Mapping[Path, bytes], patience: float) -> None:
    """Write files into a seat's folder as its user; what is there stays."""

    def work() -> None:
        for path, content in contents.items():
            if not os.path.lexists(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, content)

    as_seat(room.people.owner(seat), room.home(seat), work, patience)


def _write(path: Path, content: bytes) -> None:
    """Write a new file below the working folder, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        with part.open("xb") as file:
            file.write(content)
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _notebooks(room: Room, seat: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield a seat's notebooks, each with what tells a change."""
    walk = Walk(room.home(seat), _ENTRIES, _DEEP, _EACH, skip=(".", "_"))
    return itertools.islice(_regular(walk), _MOST)


def _regular(walk: Walk) -> Iterator[tuple[str, tuple[int, int]]]:
    for path, entry in walk:
        if entry.name.endswith(".ipynb") and not entry.name.startswith("."):
            with contextlib.suppress(OSError):  # deleted meanwhile: the next look sees the rest
                about = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    yield path, (about.st_mtime_ns, about.st_size)
