"""On which day everything in a room is deleted, and how the trainer moves it. Called by the board and the sheets."""

from __future__ import annotations

import datetime

from babel.dates import format_date

from ...dashboards.pages.values import locale
from ..room.folder import ABOUT, Room
from ..room.own import write_own
from ..room.registry import until

#: Days after which a room is deleted that says nothing of it; and the most that may be chosen.
DAYS, MOST = 30, 365


def day(room: Room) -> str:
    """Return the day as ``2026-12-27``."""
    due = until(room) or room.about["began"] + DAYS * 86_400
    return datetime.datetime.fromtimestamp(due).astimezone().date().isoformat()


def set_day(room: Room, day: str) -> None:
    """Delete everything on another day.

    Raises
    ------
    ValueError
        If it is no day, not after today, or not within a year.
    """
    wanted = datetime.date.fromisoformat(day)
    if not 0 < (wanted - today()).days <= MOST:
        raise ValueError(day)
    write_own(room.folder / ABOUT, {**room.about, "delete_on": wanted.isoformat()})


def today() -> datetime.date:
    """Return the day of today, here."""
    return datetime.datetime.now().astimezone().date()


def left(day: str) -> int:
    """Return how many days are left."""
    return (datetime.date.fromisoformat(day) - today()).days


def spoken(day: str, language: str) -> str:
    """Return a day as a reader of a language writes it."""
    return str(format_date(datetime.date.fromisoformat(day), "long", locale=locale(language)))


def bounds() -> dict[str, str]:
    """Return the first and the last day that may be chosen."""
    first, last = today() + datetime.timedelta(days=1), today() + datetime.timedelta(days=MOST)
    return {"day_first": first.isoformat(), "day_last": last.isoformat()}
