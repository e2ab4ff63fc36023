"""Counts for a hub's report: participants by sector, kind of organisation and service. By ``genai4eu course report``.

From what the trainer entered on the board or in a CSV; what nobody entered is counted as unknown. Each count is of one
category alone, never of two together, and says nothing of a seat: there is no personal data in a report. Participants
are counted, not organisations: two from one company are two.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal

import pydantic

from ..room.folder import Room
from . import evidence
from .categories import CATEGORIES, UNKNOWN
from .record import of_seats

#: Of fewer participants together one could tell whose hours they are.
FEW = 3


class Report(pydantic.BaseModel):
    """What a hub may report of a course.

    Attributes
    ----------
    course : dict
        Name, version, sector and level of the course.
    began, ended : date or None
        First and last day with a sign of activity.
    participants : int
        Seats where somebody did something.
    hours : float or None
        Of activity, of all together; None where there were fewer than three.
    passed : int
        Exercises that were passed, by all together.
    counts : dict
        Participants by category: ``sector``, ``organisation``, ``service``; ``unknown`` is one in each.
    strange : int
        Entries that are in no list of ours, and are counted as unknown.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    format: Literal["genai4eu-course-report"] = "genai4eu-course-report"
    version: Literal[1] = 1
    course: dict[str, str]
    began: datetime.date | None
    ended: datetime.date | None
    participants: int
    hours: float | None
    passed: int
    counts: dict[str, dict[str, int]]
    strange: int


def count(room: Room, entries: Mapping[str, Mapping[str, str]], told: Callable[[str], None] = lambda _: None) -> Report:
    """Return the counts of a room.

    Parameters
    ----------
    entries : mapping
        What the trainer entered of each seat.
    told : callable
        Is told of a seat that cannot be counted.
    """
    about = evidence.course(room)["course"]
    records = [record for record in of_seats(room, told).values() if record]
    given = [entries.get(str(record.seat), {}) for record in records]
    strange = sum(bool(of.get(kind)) and of[kind] not in known for of in given for kind, known in CATEGORIES.items())
    seconds = sum(record.seconds for record in records)
    language = about["languages"][0]
    return Report(
        course={"name": about["title"][language], **{key: about[key] for key in ("version", "sector", "level")}},
        began=min((record.began for record in records), default=None),
        ended=max((record.ended for record in records), default=None),
        participants=len(records), hours=round(seconds / 3600, 1) if len(records) >= FEW else None,
        passed=sum(record.passed for record in records), strange=strange,
        counts={kind: _by(kind, given) for kind in CATEGORIES},
    )  # fmt: skip


def _by(kind: str, told: list[Mapping[str, str]]) -> dict[str, int]:
    """Return how many there are of each category, the largest first and the unknown last."""
    known: Mapping[str, Any] = CATEGORIES[kind]
    found = Counter(of.get(kind, "") if of.get(kind, "") in known else UNKNOWN for of in told)
    unknown = found.pop(UNKNOWN, 0)
    return {**dict(sorted(found.items(), key=lambda item: (-item[1], list(known).index(item[0])))), UNKNOWN: unknown}
