"""How a seat is doing, from what it tells; what it tells may be anything."""

from __future__ import annotations

from typing import Any

import pytest

from genai4eu.courses.board.programme import Programme, Programmes
from genai4eu.courses.board.seat import Seat
from genai4eu.courses.room.folder import Room
from genai4eu.courses.standing import AWAY


@pytest.fixture
def course(few: Room) -> Programme:
    return Programmes(few).now()


def _seat(course: Programme, *events: dict[str, Any], earliest: float = 0.0, now: float = 1000.0) -> Seat:
    seat = Seat("seat-01")
    for event in events:
        seat.take(event, course, earliest, now)
    return seat


def test_attempts_are_counted_until_it_is_right(course: Programme) -> None:
    tried = {"at": 10, "event": "tried", "exercise": "exercise-1", "lesson": "lesson-1.ipynb"}
    seat = _seat(course, tried, {**tried, "at": 20}, {**tried, "event": "hint"})
    attempt = seat.attempts["exercise-1"]
    assert (attempt.state, attempt.tries, attempt.hints) == ("trying", 2, 1)
    seat.take({**tried, "event": "passed", "at": 30}, course, 0, 100)
    assert seat.attempts["exercise-1"].state == "passed"
    seat.take({**tried, "at": 40}, course, 0, 100)  # somebody plays with what is right already
    assert seat.attempts["exercise-1"].state == "passed"
    assert seat.counted(("exercise-1", "exercise-2")) == 1


def test_time_in_a_lesson_begins_when_it_comes_to_the_front(course: Programme) -> None:
    opened = {"event": "opened", "lesson": "lesson-2.ipynb"}
    first = {"at": 5, "event": "opened", "lesson": "lesson-1.ipynb"}
    seat = _seat(course, first, {"at": 50, **opened}, {"at": 70, **opened})
    assert (seat.lesson, seat.times) == ("lesson-2.ipynb", {"lesson-1.ipynb": 45, "lesson-2.ipynb": 20})
    assert seat.spent(100) == 50 and seat.spent(90_000) == 20 + AWAY  # who went home is not in the lesson all night


@pytest.mark.parametrize(
    ("after", "up"),
    [
        ({"event": "passed", "exercise": "exercise-2"}, False), ({"event": "passed", "exercise": "exercise-1"}, True),
        ({"event": "tried", "exercise": "exercise-2"}, True), ({"event": "hand-down"}, False),
    ],
)  # fmt: skip
def test_a_hand_stays_up_until_its_exercise_is_right(course: Programme, after: dict[str, Any], up: bool) -> None:
    seat = _seat(course, {"at": 10, "event": "hand", "exercise": "exercise-2"}, {"at": 20, **after})
    assert (seat.hand is not None) is up


def test_a_hand_raised_again_waits_since_the_first_time(course: Programme) -> None:
    seat = _seat(course, {"at": 10, "event": "hand"}, {"at": 90, "event": "hand", "exercise": "exercise-2"})
    assert seat.hand == (10, "exercise-2")


def test_nobody_waits_longer_than_they_waited(course: Programme) -> None:
    early = _seat(course, {"at": 1, "event": "hand"}, earliest=500)
    assert early.hand == (500, "")
    late = _seat(course, {"at": 5000, "event": "hand"}, now=1000)
    assert late.hand == (1000, "")


def test_what_the_course_does_not_have_is_not_kept(course: Programme) -> None:
    seat = _seat(
        course, {"at": 1, "event": "passed", "exercise": "<b>"}, {"at": 1, "event": "opened", "lesson": "../room.json"},
        {"at": 1, "event": "language", "language": "xx"}, {"at": 1, "event": "consent", "id": "1", "answer": True},
        {"at": 1, "event": "hand", "exercise": "nothing-like-it"}, {"at": 1, "event": "read", "id": "x"},
    )  # fmt: skip
    assert (seat.attempts, seat.lesson, seat.language, seat.answers, seat.read) == ({}, None, None, {}, set())
    assert seat.hand == (1, "")


def test_no_flood_of_answers_takes_the_boards_memory(course: Programme) -> None:
    flood = [{"at": 1, "event": kind, "id": number} for kind in ("read", "consent") for number in range(5000)]
    seat = _seat(course, *flood)
    assert len(seat.read) == len(seat.answers) == 2000


def test_only_a_plain_yes_is_consent(course: Programme) -> None:
    seat = _seat(
        course, {"at": 1, "event": "consent", "id": 1, "answer": "true"}, {"at": 1, "event": "consent", "id": 2},
        {"at": 1, "event": "consent", "id": 3, "answer": True},
    )  # fmt: skip
    assert seat.answers == {1: False, 2: False, 3: True}
    seat.take({"at": 2, "event": "consent", "id": 3, "answer": False}, course, 0, 1000)
    assert seat.answers[3] is False
