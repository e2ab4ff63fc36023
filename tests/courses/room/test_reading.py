"""What a seat's own file can do to the room that reads it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses.desk import Desk
from genai4eu.courses.room.reading import events
from genai4eu.courses.room.room import Room


@pytest.fixture
def happened(closed: Room) -> Path:
    """The file of the first seat."""
    return closed.home("seat-01") / ".course" / "progress.jsonl"


def _line(**event: Any) -> str:
    return json.dumps({"at": 1.0, "event": "tried", **event}) + "\n"


def test_what_the_desk_notes_is_read_once(closed: Room) -> None:
    desk = Desk(closed.home("seat-01"))
    desk.note("tried", exercise="exercise-1")
    first, position = events(closed, "seat-01", 0)
    assert [(e["event"], e["exercise"]) for e in first] == [("tried", "exercise-1")]
    desk.note("passed", exercise="exercise-1")
    second, position = events(closed, "seat-01", position)
    assert [e["event"] for e in second] == ["passed"]
    assert events(closed, "seat-01", position) == ([], position)


def test_of_a_torn_line_the_rest_is_awaited(closed: Room, happened: Path) -> None:
    happened.write_text(_line() + '{"at": 2, "ev')
    found, position = events(closed, "seat-01", 0)
    assert len(found) == 1
    with happened.open("a") as file:
        file.write('ent": "hint"}\n')
    assert [e["event"] for e in events(closed, "seat-01", position)[0]] == ["hint"]


@pytest.mark.parametrize(
    "garbage",
    [
        "[" * 5000 + "\n", "[1]\n", '"text"\n', "\x00\xff\n", '{"at": "now", "event": "tried"}\n',
        '{"at": NaN, "event": "tried"}\n', '{"at": true, "event": "tried"}\n', '{"at": 1e300, "event": "tried"}\n',
        '{"at": 1, "event": 3}\n', '{"at": 1, "event": "tried", "exercise": {"a": 1}}\n', f'{_line(code="x" * 20_000)}',
        f'{_line(code="x" * 600)}', '{"at": 1, "event": "\\ud800"}\n',
    ],
)  # fmt: skip
def test_what_is_no_event_is_left_out(closed: Room, happened: Path, garbage: str) -> None:
    happened.write_text(garbage + _line(exercise="exercise-1"), encoding="utf-8", errors="surrogateescape")
    found, position = events(closed, "seat-01", 0)
    assert [e.get("exercise") for e in found] == ["exercise-1"]
    assert position == happened.stat().st_size


def test_of_an_event_only_what_is_known_is_taken(closed: Room, happened: Path) -> None:
    happened.write_text(_line(answer=True, id=3, number=1, padding="x" * 5000))
    assert events(closed, "seat-01", 0)[0] == [{"at": 1.0, "event": "tried", "id": 3, "number": 1, "answer": True}]


def test_a_file_without_an_end_is_read_in_pieces(closed: Room, happened: Path) -> None:
    happened.write_bytes(b"x" * (3 << 20) + b"\n" + _line().encode())
    position, found = 0, list[Any]()
    for _ in range(5):
        more, position = events(closed, "seat-01", position)
        found += more
    assert len(found) == 1


def test_a_link_is_not_followed(closed: Room, happened: Path) -> None:
    other = closed.folder / "hub" / "secret.jsonl"
    other.write_text(_line())
    happened.symlink_to(other)
    assert events(closed, "seat-01", 0) == ([], 0)


def test_a_link_in_the_middle_is_not_followed(closed: Room, tmp_path: Path) -> None:
    aside = closed.home("seat-01") / ".course"
    aside.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "progress.jsonl").write_text(_line())
    aside.symlink_to(tmp_path / "elsewhere")
    assert events(closed, "seat-01", 0) == ([], 0)


def test_a_pipe_holds_nobody_up(closed: Room, happened: Path) -> None:
    os.mkfifo(happened)
    assert events(closed, "seat-01", 0) == ([], 0)


def test_a_file_that_became_shorter_is_read_anew(closed: Room, happened: Path) -> None:
    happened.write_text(_line() * 3)
    _, position = events(closed, "seat-01", 0)
    happened.write_text(_line(event="passed"))
    found, _ = events(closed, "seat-01", position)
    assert [e["event"] for e in found] == ["passed"]
