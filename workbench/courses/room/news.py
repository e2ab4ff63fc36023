"""What the room tells seats: a message, the next lesson, a solution. Called by the board and by updating a course.

Each seat has a file that it may read and cannot write; a line is whole or not there, and none is ever changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from typing import Any

from ...errors import WorkbenchError
from .. import journal
from .folder import Room

#: What can be told; the seat's side knows what to do with each.
EVENTS = ("message", "open", "solution", "ask-look", "look-end", "hand-down", "lesson-changed", "end", "memory")


def tell(room: Room, seat: str | None, event: str, **more: Any) -> None:
    """Tell a seat, or all of them, that something happened.

    Parameters
    ----------
    seat : str or None
        Name of the seat; None is everybody.
    event : str
        One of ``EVENTS``.

    Raises
    ------
    WorkbenchError
        If there is no such seat or event, or it cannot be written; then that seat has not been told.
    """
    if event not in EVENTS:
        raise WorkbenchError(f"seats know no {event!r}: they know {', '.join(EVENTS)}")
    if seat is not None and seat not in room.seats:
        raise WorkbenchError(f"this room has no {seat!r}: it has {room.seats[0]} to {room.seats[-1]}")
    with _one_at_a_time(room):
        for name in room.seats if seat is None else [seat]:
            _add(room, name, {"at": round(time.time(), 3), "event": event, **more})


def told(room: Room, seat: str) -> list[dict[str, Any]]:
    """Return what a seat was told so far, the earliest first."""
    return list(journal.entries(room.news(seat)))


def _add(room: Room, seat: str, news: dict[str, Any]) -> None:
    before = told(room, seat)
    news = {"id": before[-1]["id"] + 1 if before else 1, **news}
    try:
        journal.add(room.news(seat), news, make=False)
    except OSError as error:
        raise WorkbenchError(f"{seat} cannot be told ({error.strerror}): make room on the disk") from None


@contextlib.contextmanager
def _one_at_a_time(room: Room) -> Iterator[None]:
    """Keep others from adding meanwhile. Held where no seat reaches: a seat could hold its own file for ever."""
    with (room.folder / "run" / "news.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
