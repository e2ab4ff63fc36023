"""Seats, exercises and times as the trainer reads them. Called by the board's pages and actions."""

from __future__ import annotations

import time

from ...dashboards.pages.language import translations
from .diary import Diary


def number(seat: str) -> str:
    """Return a seat's number as it is said: ``7``."""
    return seat.rpartition("-")[2].lstrip("0") or "0"


def called(seat: str, language: str) -> str:
    """Return a seat as it is called: ``Seat 7``."""
    return translations(language).gettext("Seat %(number)s") % {"number": number(seat)}


def person(seat: str, diary: Diary, language: str) -> str:
    """Return a seat, with the name that the trainer typed for it."""
    name = diary.name(seat)
    return f"{called(seat, language)} ({name})" if name else called(seat, language)


def spot(exercise: str, language: str) -> str:
    """Return an exercise as it is called: ``exercise 2``; one with a name of its own by that."""
    kind, _, rest = exercise.partition("-")
    if kind == "exercise" and rest:
        return translations(language).gettext("exercise %(number)s") % {"number": rest}
    return exercise


def span(seconds: float, language: str) -> str:
    """Return a time span in minutes, which is as exact as a trainer needs it: ``7 min``, ``1 h 5 min``."""
    _ = translations(language).gettext
    minutes = max(0, int(seconds // 60))
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def clock(at: float) -> str:
    """Return a time of this day as the clock on the wall shows it."""
    return time.strftime("%H:%M", time.localtime(at))
