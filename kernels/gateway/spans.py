"""Time as people write it: ``8h``, ``2026-12-24``. Used by ``gateway add-user`` and in what the gateway says."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta

from ..errors import KernelsError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """Return the seconds that ``90s``, ``30m``, ``8h`` or ``2d`` means.

    Raises
    ------
    KernelsError
        If it means none.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d+)?) *([smhd])", text.strip())
    if match is None or not float(match[1]):
        raise KernelsError(f"{text!r} is no length of time: write it like 30m, 8h or 2d")
    return float(match[1]) * _UNITS[match[2]]


def moment(text: str) -> float:
    """Return when ``2026-12-24`` (the end of that day, here) or ``2026-12-24T18:00`` is, in seconds since the epoch.

    Raises
    ------
    KernelsError
        If it is no date, or past.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise KernelsError(f"{text!r} is no date: write it like 2026-12-24 or 2026-12-24T18:00") from None
    when = (when + timedelta(days=1) if len(text) == 10 else when).astimezone()
    if when.timestamp() <= time.time():
        raise KernelsError(f"{text} is past: name a later date")
    return when.timestamp()


def span(seconds: float) -> str:
    """Return a length of time as a person says it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes / 60:.2g} h" if minutes < 2880 else f"{round(minutes / 1440)} days"


def until(when: float) -> str:
    """Return the end of something as a person reads it: midnight is the end of the day before."""
    end = datetime.fromtimestamp(when).astimezone()
    if (end.hour, end.minute, end.second) == (0, 0, 0):
        last = end - timedelta(days=1)
        return f"the end of {last.day} {last:%B %Y}"
    return f"{end:%H:%M} on {end.day} {end:%B %Y}"
