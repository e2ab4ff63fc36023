"""Completion records: what somebody did in a course, as data. Called by ``genai4eu course records`` and in notebooks.

Names in ``achievement`` (``name``, ``description``, ``inLanguage``, ``fieldOfStudy``) are those of Open Badges 3.0
(https://www.imsglobal.org/spec/ob/v3p0/), ``volumeOfLearning`` is the European Learning Model's
(https://europa.eu/europass/elm-browser/). They are borrowed so that somebody can carry the values over; a record
is no badge and no European Digital Credential, is not signed, and no validator of either has confirmed it.

Exercises are checked in the participant's own kernel: a record says what the room noted, and is no examination.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal

import pydantic

from ...errors import WorkbenchError
from ..desk import Desk, text_in
from ..room.folder import Room
from . import evidence
from .hours import GAP, active

Count = Annotated[int, pydantic.Field(ge=0)]


def _said(text: str, **more: Any) -> Any:
    return pydantic.Field(description=text, **more)


class _Shape(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Lesson(_Shape):
    """A lesson of the course, and how far the participant came in it."""

    title: str
    goals: list[str] = _said("What a participant can do afterwards.")
    volumeOfLearning: str = _said("Time that the lesson is meant to take, as an ISO 8601 duration.")
    exercises: Count
    passed: Count


class Achievement(_Shape):
    """The course."""

    name: str
    description: str
    version: str
    inLanguage: str = _said("Language in which the participant read.")
    fieldOfStudy: str = _said("The course's sector.")
    level: str = _said("Level of literacy in artificial intelligence.")
    topics: list[str] = _said("Topics of literacy in artificial intelligence.")
    licence: str = _said("SPDX identifier of the course's licence.")


class Record(_Shape):
    """What a participant did in a course."""

    format: Literal["genai4eu-completion-record"] = "genai4eu-completion-record"
    version: Literal[1] = 1
    madeBy: Literal["room", "participant"] = _said(
        "Who made the record: the room, from what it had noted itself, or the participant from their own desk."
    )
    seat: str | None = _said("The participant's pseudonym.")
    name: str | None = _said("A name, only where the trainer typed one.")
    issued: datetime.date
    began: datetime.date = _said("Day of the first sign of activity.")
    ended: datetime.date = _said("Day of the last sign of activity.")
    seconds: Count = _said(
        f"Time with activity: between signs of activity that are at most {GAP:.0f} s apart. Rather too little."
    )
    achievement: Achievement
    exercises: Count
    passed: Count
    lessons: list[Lesson]


def of_seat(room: Room, seat: str, language: str | None = None) -> Record | None:
    """Return the record of a seat from what the room has noted; None where nobody did anything there.

    Parameters
    ----------
    language : str, optional
        Of the course; else the one in which the participant read last.
    """
    events, copies = evidence.events(room, seat), evidence.copies(room, seat)
    if not events:  # the room's first copy is made of every seat, whether somebody sits there or not
        return None
    name = evidence.entered(room).get(seat, {}).get("name", "").strip() or None
    moments = [*_moments(events), *(float(copy["at"]) for copy in copies)]
    return _made(evidence.course(room), events, moments, language, madeBy="room", seat=seat, name=name)


def of_seats(room: Room, told: Callable[[str], None], language: str | None = None) -> dict[str, Record | None]:
    """Return the records of all seats. What a participant wrote may be anything: of one that fails, the others go on.

    Parameters
    ----------
    told : callable
        Is told of which seat no record can be made, and why; such a seat is left out.
    """
    made: dict[str, Record | None] = {}
    for seat in room.seats:
        try:
            made[seat] = of_seat(room, seat, language)
        except Exception as error:  # noqa: BLE001  # told, whatever a hostile seat has found
            told(f"there is no record of {seat}: {why(error)}; the others go on")
    return made


def why(error: Exception) -> str:
    """Return what an error says, in one line of printable letters: parts of it may be a participant's."""
    text = " ".join(str(error).split())
    said = "".join(letter if letter.isprintable() else "?" for letter in text)[:300]
    return said if isinstance(error, WorkbenchError) else f"{type(error).__name__} {said}".strip()


def of_desk(desk: Desk, seat: str | None = None) -> Record:
    """Return the record that a participant makes of their own desk.

    Raises
    ------
    WorkbenchError
        If nothing has happened there yet.
    """
    events = [event for event in desk.happened() if isinstance(event.get("at"), int | float)]
    if not events:
        raise WorkbenchError("nothing has happened in this course yet: do an exercise first")
    moments = list(_moments(events))
    return _made(desk.about, events, moments, desk.language, madeBy="participant", seat=seat, name=None)


def passed(about: dict[str, Any], events: Iterable[dict[str, Any]]) -> set[str]:
    """Return the exercises of a course that were passed."""
    known = {exercise["name"] for lesson in about["lessons"] for exercise in lesson["exercises"]}
    return {event["exercise"] for event in events if event.get("event") == "passed" and event.get("exercise") in known}


def _moments(events: Iterable[dict[str, Any]]) -> Iterator[float]:
    """Yield when there was a sign of activity: a lesson that merely stays open says so again and again, and is none."""
    lesson = None
    for event in events:
        if event.get("event") != "opened" or event.get("lesson") != lesson:
            yield float(event["at"])
        if event.get("event") == "opened":
            lesson = event.get("lesson")


def _made(
    about: dict[str, Any], events: Sequence[dict[str, Any]], moments: Sequence[float], language: str | None, **who: Any
) -> Record:
    told = about["course"]
    language = language or _read_in(told["languages"], events)
    done = passed(about, events)
    names = {lesson["file"]: [e["name"] for e in lesson["exercises"]] for lesson in about["lessons"]}
    lessons = [_lesson(lesson, names[lesson["file"]], done, language) for lesson in told["lessons"]]
    return Record(
        **who, issued=datetime.datetime.now().astimezone().date(), began=_day(min(moments)), ended=_day(max(moments)),
        seconds=round(active(moments)), lessons=lessons, exercises=sum(x.exercises for x in lessons), passed=len(done),
        achievement=Achievement(
            name=text_in(told["title"], language), description=text_in(told["summary"], language),
            version=told["version"], inLanguage=language, fieldOfStudy=told["sector"], level=told["level"],
            topics=told["topics"].get(language) or next(iter(told["topics"].values())), licence=told["licence"],
        ),
    )  # fmt: skip


def _lesson(told: dict[str, Any], names: Sequence[str], done: set[str], language: str) -> Lesson:
    return Lesson(
        title=text_in(told["title"], language), goals=told["goals"].get(language) or next(iter(told["goals"].values())),
        volumeOfLearning=f"PT{told['minutes']}M", exercises=len(names), passed=len(done.intersection(names)),
    )  # fmt: skip


def _read_in(languages: Sequence[str], events: Iterable[dict[str, Any]]) -> str:
    """Return the language that was chosen last, or the course's main one."""
    chosen = [event.get("language") for event in events if event.get("event") == "language"]
    return next((name for name in reversed(chosen) if name in languages), languages[0])


def _day(at: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(at).astimezone().date()
