"""Where a participant stands by what happened: whether a hand is raised, and how long they were in which lesson.

Called by the seat's notebook server, and by whoever shows the same to a trainer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Seconds after which somebody of whom nothing is heard is taken to be away; the lesson's toolbar tells every minute.
AWAY = 150.0


def raised(events: Iterable[Mapping[str, Any]], news: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any] | None:
    """Return the event of the hand that is raised, or None.

    The participant takes it down, the trainer does, or a check that passes: of the exercise that it was raised for.

    Parameters
    ----------
    events : iterable of mapping
        What happened at the desk.
    news : iterable of mapping
        What the room told the seat.
    """
    hand: dict[str, Any] | None = None
    for event in sorted([*events, *news], key=when):
        if event["event"] == "hand":
            hand = dict(event)
        elif event["event"] == "hand-down" or (
            hand and event["event"] == "passed" and hand.get("exercise") in (None, event.get("exercise"))
        ):
            hand = None
    return hand


def spent(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return the seconds that a participant was in each lesson, by its file.

    A lesson is one's own from its ``opened`` until another's; of a pause longer than ``AWAY`` only that much counts.
    """
    found: dict[str, float] = {}
    lesson, since = "", 0.0
    for event in sorted(events, key=when):
        if lesson:
            found[lesson] = found.get(lesson, 0.0) + min(when(event) - since, AWAY)
        if event["event"] == "opened":
            lesson = str(event.get("lesson", ""))
        since = when(event)
    return found


def looking(
    events: Iterable[Mapping[str, Any]], news: Iterable[Mapping[str, Any]], now: float
) -> dict[str, Any] | None:
    """Return which of the trainer's questions allows a look at the notebook now, and until when; None where none does.

    A participant's last answer counts, so that they end it when they want.
    """
    answers = {event.get("id"): event.get("answer") is True for event in events if event["event"] == "consent"}
    asked = [one for one in open_questions(news, now) if answers.get(one["id"])]
    return {"id": asked[-1]["id"], "until": over(asked[-1])} if asked else None


def open_questions(news: Iterable[Mapping[str, Any]], now: float) -> list[Mapping[str, Any]]:
    """Return the trainer's questions for a look that are neither over nor taken back."""
    told = list(news)
    back = {one.get("question") for one in told if one["event"] == "look-end"}
    return [one for one in told if one["event"] == "ask-look" and one["id"] not in back and now < over(one)]


def over(asked: Mapping[str, Any]) -> float:
    """Return when a trainer's question for a look is over."""
    minutes = asked.get("minutes")
    return when(asked) + 60 * (float(minutes) if isinstance(minutes, int | float) else 0)


def when(event: Mapping[str, Any]) -> float:
    """Return the time of an event; of one that says none, the beginning of time."""
    at = event.get("at")
    return float(at) if isinstance(at, int | float) else 0.0
