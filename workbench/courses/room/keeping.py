"""The room's own copies of everybody's notebooks and progress: what a participant deletes is not lost.

A copy lies under what its content hashes to, so one that has not changed costs nothing; ``kept.jsonl`` says when which
file was that. Called every few seconds while a room is open, and once more as it closes.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...runs.files import write_bytes
from ..desk import ASIDE, HAPPENED
from .folder import COURSE, Room
from .people import as_seat
from .reading import events, opened

KEPT, LIST = "kept", "kept.jsonl"
#: Of a seat: notebooks that are looked at, how deep, the largest, and what all kept versions may take together.
_MOST, _DEEP, _LARGEST, _ALL = 200, 3, 20 << 20, 500 << 20
#: Of a seat: events that are kept. Thousands a day are honest work; millions are somebody who fills our disk.
_EVENTS = 20_000


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
        self._lines = dict.fromkeys(_lines(self.folder / HAPPENED))  # in their order
        self._digests = {entry["file"]: entry["sha256"] for entry in kept(room, seat)}
        self._size = sum(path.stat().st_size for path in self.folder.glob("*.ipynb"))
        self._position = 0

    def look(self) -> None:
        """Copy what has changed since, and give back what a lesson needs to know of itself where that was deleted."""
        self._progress()
        for path, stamp in _notebooks(self.room, self.seat):
            if self._stamps.get(path) != stamp:
                self._keep(path)
                self._stamps[path] = stamp
        self._give_back()

    def _progress(self) -> None:
        found, self._position = events(self.room, self.seat, self._position)
        lines = [json.dumps(event, ensure_ascii=False) for event in found]
        new = [line for line in dict.fromkeys(lines) if line not in self._lines]
        if new := new[: _EVENTS - len(self._lines)]:
            _add(self.folder / HAPPENED, new)
            self._lines |= dict.fromkeys(new)

    def _keep(self, path: str) -> None:
        with opened(self.room, self.seat, Path(path)) as file:
            size = os.fstat(file).st_size if file >= 0 else 0
            if not 0 < size <= _LARGEST:
                return
            content = os.pread(file, size, 0)
        digest = hashlib.sha256(content).hexdigest()
        if self._digests.get(path) == digest:
            return
        copy = self.folder / f"{digest}.ipynb"
        if not copy.exists():
            self._make_room(size)
            write_bytes(copy, content, durable=False)
            self._size += size
        _add(self.folder / LIST, [json.dumps({"at": round(time.time(), 3), "file": path, "sha256": digest})])
        self._digests[path] = digest

    def _make_room(self, size: int) -> None:
        """Let go of the oldest versions that a later one has replaced, where all would be more than is kept."""
        last = set(self._digests.values())
        for entry in kept(self.room, self.seat) if self._size + size > _ALL else ():
            copy = self.folder / f"{entry['sha256']}.ipynb"
            if entry["sha256"] not in last and copy.exists() and self._size + size > _ALL:
                self._size -= copy.stat().st_size
                copy.unlink()

    def _give_back(self) -> None:
        """Put the folder aside in its place again, as the seat's user.

        Lessons that were deleted are the trainer's to give back: who deletes one may mean it.
        """
        home = self.room.home(self.seat)
        if (home / ASIDE).is_dir() and (not self._lines or (home / ASIDE / HAPPENED).exists()):
            return
        before = self.room.folder / COURSE
        contents = {p.relative_to(before): p.read_bytes() for p in (before / ASIDE).rglob("*") if p.is_file()}
        if self._lines:
            contents[Path(ASIDE, HAPPENED)] = b"".join(f"{line}\n".encode() for line in self._lines)
        _lay(self.room, self.seat, contents)
        self._position = 0


def kept(room: Room, seat: str) -> list[dict[str, Any]]:
    """Return what was kept of a seat, the earliest first: when, of which file, under which hash."""
    return [json.loads(line) for line in _lines(room.folder / KEPT / seat / LIST)]


def restore(room: Room, seat: str) -> list[str]:
    """Give a seat back what it had, and return the names: deleted notebooks under their own name, as kept last.

    Raises
    ------
    WorkbenchError
        If they cannot be written; the message says why.
    """
    latest = {entry["file"]: entry["sha256"] for entry in kept(room, seat)}
    home = room.home(seat)
    absent = [path for path in latest if not os.path.lexists(home / path)]
    kept_in = room.folder / KEPT / seat
    _lay(room, seat, {Path(path): (kept_in / f"{latest[path]}.ipynb").read_bytes() for path in absent})
    return absent


def _lay(room: Room, seat: str, contents: Mapping[Path, bytes]) -> None:
    """Write files into a seat's folder as its user; what is there stays."""

    def work() -> None:
        for path, content in contents.items():
            if not os.path.lexists(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, content)

    as_seat(room.people.owner(seat), room.home(seat), work)


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
    """Yield a seat's notebooks, each with what tells a change; no link is followed on the way."""
    left = _MOST
    try:
        for folder, folders, files, at in os.fwalk(room.home(seat), follow_symlinks=False):
            within = Path(folder).relative_to(room.home(seat))
            deep = len(within.parts) >= _DEEP
            folders[:] = [] if deep else [name for name in folders[:_MOST] if not name.startswith((".", "_"))]
            for name in files:
                if not name.endswith(".ipynb") or name.startswith("."):
                    continue
                about = os.stat(name, dir_fd=at, follow_symlinks=False)
                if stat.S_ISREG(about.st_mode) and left:
                    left -= 1
                    yield str(within / name), (about.st_mtime_ns, about.st_size)
    except OSError:  # deleted meanwhile: the next look sees the rest
        return


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _add(path: Path, lines: list[str]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, b"".join(f"{line}\n".encode() for line in lines))
    finally:
        os.close(handle)
