"""What a room knows of a seat: events that it kept, copies of notebooks, what the trainer entered. Called by records.

The room's own copies come first: a participant who deletes or rewrites their file changes nothing that the room has
seen. What a seat claims of a time at which the room was not open yet, or that has not come yet, is left out. Within
that time its word is taken: the room notes what it saw and in which order, not when it saw it.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

from ...errors import WorkbenchError
from .. import journal
from ..desk import ABOUT, ASIDE, HAPPENED
from ..room import reading
from ..room.folder import Room

#: In the room's folder: its own copies, and what the trainer did.
KEPT, COPIES, BOARD = "kept", "kept.jsonl", "board.jsonl"
#: What the trainer may enter of a seat.
_ENTERED = ("name", "sector", "organisation", "service")
#: Seconds by which clocks may differ.
_SLACK = 60.0
#: Of a seat: megabytes of its file that are read, and events: as many as the room keeps.
_PIECES, _EVENTS = 64, 20_000


def events(room: Room, seat: str) -> list[dict[str, Any]]:
    """Return what happened in a seat, the earliest first, each once."""
    open_at = room.about["began"]
    found = {
        json.dumps(event, sort_keys=True): event
        for event in (*_noted(room, seat), *_said(room, seat))
        if isinstance(event.get("event"), str) and _in_time(open_at, event.get("at"))
    }
    return sorted(found.values(), key=lambda event: float(event["at"]))


def copies(room: Room, seat: str) -> list[dict[str, Any]]:
    """Return the room's own copies of a seat's notebooks: ``at``, ``file`` and ``sha256`` of each."""
    lines, open_at = journal.entries(room.folder / KEPT / seat / COPIES), room.about["began"]
    return [line for line in lines if _in_time(open_at, line.get("at")) and {"file", "sha256"} <= line.keys()]


def entered(room: Room) -> dict[str, dict[str, str]]:
    """Return what the trainer entered of each seat (name, sector, organisation, service); the last word counts."""
    found: dict[str, dict[str, str]] = {}
    for line in journal.entries(room.folder / BOARD):
        if line.get("event") in ("about", "name") and isinstance(seat := line.get("seat"), str):
            told = {key: value for key in _ENTERED if isinstance(value := line.get(key), str)}
            found.setdefault(seat, {}).update(told)
    return found


def course(room: Room) -> dict[str, Any]:
    """Return what the room's course is, as building it wrote it.

    Raises
    ------
    WorkbenchError
        If there is no room, or its copy of the course is not there or damaged.
    """
    room.about  # noqa: B018 - where there is no room, that is what is said
    path = room.folder / "course" / ASIDE / ABOUT
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise WorkbenchError(
            f"{path} cannot be read ({why}): the room is damaged, its kept/ and seats/ remain"
        ) from None
    return content


def _in_time(open_at: float, at: object) -> bool:
    if not isinstance(at, int | float) or isinstance(at, bool):
        return False
    return open_at - _SLACK <= at <= time.time() + _SLACK


def _noted(room: Room, seat: str) -> Iterator[dict[str, Any]]:
    """Yield what the room kept of what the seat's file said."""
    return map(_plain, itertools.islice(journal.entries(room.folder / KEPT / seat / HAPPENED), _EVENTS))


def _said(room: Room, seat: str) -> Iterator[dict[str, Any]]:
    """Yield what the seat's own file says, which may be newer than the copy; of a flood its beginning."""
    yield from itertools.islice(_pieces(room, seat), _EVENTS)


def _pieces(room: Room, seat: str) -> Iterator[dict[str, Any]]:
    position = 0
    for _ in range(_PIECES):
        after = position
        try:
            found, position = reading.events(room, seat, after)
        except WorkbenchError:  # the seat's user was removed: what the room kept is all there is
            return
        if position <= after:
            return
        yield from map(_plain, found)


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event without what none of ours has: lists within lists take a hundred times what they are typed in."""
    return {key: value for key, value in event.items() if isinstance(value, str | int | float | None)}
