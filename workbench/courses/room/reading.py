"""What seats tell the room: events in a file that is the participant's own, and so may be anything.

Whoever reads it as the room does so here: no link is followed, no pipe waited for, nothing of another owner taken, and
never more read at once than one can hold. Called by the board, by what keeps everybody's work, and by the report.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..desk import ASIDE, HAPPENED
from .folder import Room

#: Bytes that are read at once; what is longer than one line of ours is none of ours.
_AT_ONCE, _LINE = 1 << 20, 1 << 14
#: What an event may say beside its name and its time: the rest is nobody's business, and takes no room of ours.
_NAMES = ("exercise", "lesson", "language", "id", "code", "number", "answer")
#: Characters of an event as the room keeps it; ours have 150 or so.
_KEPT = 512


def events(room: Room, seat: str, after: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Return what happened in a seat since a position, the earliest first, and the position to ask with next.

    At most a megabyte is read at once: where there is more, the next call goes on. A file that has become shorter was
    begun anew, and is read from its beginning: events are the same then, and may have been returned before.

    Parameters
    ----------
    after : int
        0, or what the last call returned.
    """
    with opened(room, seat, Path(ASIDE, HAPPENED)) as file:
        if file < 0:
            return [], after
        size = os.fstat(file).st_size
        after = after if 0 <= after <= size else 0
        content = os.pread(file, _AT_ONCE, after)
    whole = content.rfind(b"\n") + 1
    if not whole and len(content) == _AT_ONCE:  # a megabyte without an end of line: not ours
        whole = len(content)
    return list(read(content[:whole])), after + whole


def read(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the events in lines that a seat wrote, or that were kept of them: what is none is left out."""
    for line in content.split(b"\n"):
        if line and len(line) <= _LINE and (event := _event(line)) is not None and len(line_of(event)) <= _KEPT:
            yield event


def line_of(event: dict[str, Any]) -> str:
    """Return an event as a line: in ASCII, as some characters end a line, and half of a pair is none at all."""
    return json.dumps(event)


class opened:
    """Open a seat's own file for reading, for a block; -1 where there is none that may be read.

    Parameters
    ----------
    path : Path
        Within the seat's folder. No part of it may be a link, and the file must be a regular one of the seat's.
    """

    def __init__(self, room: Room, seat: str, path: Path) -> None:
        self._start, self._parts = room.home(seat), path.parts
        self._owner = room.people.owner(seat)[0]
        self._file = -1

    def __enter__(self) -> int:
        try:
            self._file = self._walk()
        except OSError:  # not there, a link, or of another kind
            self._file = -1
        return self._file

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)

    def _walk(self) -> int:
        """Open folder by folder: a path as a whole would follow a link that stands in its middle."""
        at = os.open(self._start, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
        for number, part in enumerate(self._parts, 1):
            last = number == len(self._parts)
            how = os.O_RDONLY | os.O_NONBLOCK if last else os.O_PATH | os.O_DIRECTORY
            try:
                following = os.open(part, how | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            finally:
                os.close(at)
            at = following
        about = os.fstat(at)
        if not stat.S_ISREG(about.st_mode) or about.st_uid != self._owner:
            os.close(at)
            raise PermissionError("no regular file of the seat's")
        return at


def _event(line: bytes) -> dict[str, Any] | None:
    """Return an event of ours, or None: what is named is text, and when it happened a number."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return None
    at = event.get("at")
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < 1e11:
        return None
    more = {name: event[name] for name in _NAMES if name in event}
    named = all(isinstance(value, str | int) for value in more.values())
    return {"at": at, "event": event["event"], **more} if named and _text(event["event"], *more.values()) else None


def _text(*values: str | int) -> bool:
    """Tell whether these are characters all: half of a pair can be neither shown nor written."""
    return not any("\ud800" <= character <= "\udfff" for value in values for character in str(value))
