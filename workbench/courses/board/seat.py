"""How a participant is doing, folded from what their seat tells. Kept by the board's watch.

All of it comes from a file that is the participant's own: nothing unknown is kept, and no time is believed that lies
before the last look or after now, so that nobody waits longer than they waited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..standing import AWAY
from .programme import Programme

#: Messages and questions of which answers are kept, for each seat.
_KEPT = 2000


@dataclass
class Attempt:
    """What a participant did about an exercise."""

    tries: int = 0
    hints: int = 0
    passed: bool = False
    solved: bool = False

    @property
    def state(self) -> str:
        """``open``, ``trying`` or ``passed``."""
        return "passed" if self.passed else "trying" if self.tries or self.hints or self.solved else "open"


@dataclass
class Seat:
    """A participant's seat.

    Attributes
    ----------
    name : str
        As ``seat-07``.
    attempts : dict
        By exercise.
    lesson : str or None
        The lesson that is open.
    times : dict of str to float
        Seconds that were spent in each lesson, as completion records count them.
    hand : tuple of float and str, or None
        Since when the hand is up, and for which exercise; an empty name where none was told.
    language : str or None
        In which the participant reads.
    last : float
        When the seat told something last.
    answers : dict
        Whether the participant agreed, by the question's number; the last answer counts.
    read : set of int
        Messages that were read.
    """

    name: str
    attempts: dict[str, Attempt] = field(default_factory=dict)
    lesson: str | None = None
    times: dict[str, float] = field(default_factory=dict)
    hand: tuple[float, str] | None = None
    language: str | None = None
    last: float = 0.0
    answers: dict[int, bool] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)

    def take(self, event: Mapping[str, Any], course: Programme, earliest: float, now: float) -> None:
        """Fold an event in.

        Parameters
        ----------
        earliest, now : float
            Between these it must have happened.
        """
        at = min(max(float(event["at"]), earliest), now)
        if self.lesson:
            self.times[self.lesson] = self.spent(at)
        self.last = max(self.last, at)
        exercise = event.get("exercise")
        part = course.exercises.get(exercise) if isinstance(exercise, str) else None
        if part is not None and isinstance(exercise, str):
            self._attempt(event["event"], exercise)
        opened = course.part(event.get("lesson")) if isinstance(event.get("lesson"), str) else part
        if opened is not None:
            self.lesson = opened.file
        self._tell(event, course, at, exercise if part is not None and isinstance(exercise, str) else "")

    def _attempt(self, event: str, exercise: str) -> None:
        attempt = self.attempts.setdefault(exercise, Attempt())
        if event == "tried":
            attempt.tries += 1
        elif event == "hint":
            attempt.hints += 1
        elif event == "passed":
            attempt.passed = True
        elif event == "solution-shown":
            attempt.solved = True

    def _tell(self, event: Mapping[str, Any], course: Programme, at: float, exercise: str) -> None:
        kind, number = event["event"], event.get("id")
        if kind == "hand" and self.hand is None:
            self.hand = (at, exercise)
        elif kind == "hand":  # raised again for something else: the waiting goes on
            self.hand = (self.hand[0], exercise or self.hand[1]) if self.hand else (at, exercise)
        elif kind == "hand-down" or (kind == "passed" and self.hand and self.hand[1] in ("", exercise)):
            self.hand = None
        elif kind == "language" and event.get("language") in course.languages:
            self.language = str(event["language"])
        elif kind == "read" and isinstance(number, int) and len(self.read) < _KEPT:
            self.read.add(number)
        elif kind == "consent" and isinstance(number, int) and (number in self.answers or len(self.answers) < _KEPT):
            self.answers[number] = event.get("answer") is True

    def spent(self, now: float) -> float:
        """Return the seconds spent in the lesson that is open; of a pause only what may be one's own counts."""
        return self.times.get(self.lesson or "", 0.0) + min(max(now - self.last, 0.0), AWAY)

    def counted(self, exercises: tuple[str, ...]) -> int:
        """Return how many of these exercises are right."""
        return sum(self.attempts.get(name, Attempt()).passed for name in exercises)
