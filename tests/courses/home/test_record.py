"""Completion records: what counts, what does not, and what a participant cannot change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from genai4eu.cli import app
from genai4eu.courses.desk import Desk
from genai4eu.courses.home.hours import GAP, active
from genai4eu.courses.home.pages import TEMPLATES
from genai4eu.courses.home.record import Record, of_seat
from genai4eu.courses.home.written import record as own
from genai4eu.courses.home.written import write
from genai4eu.courses.room.room import Room
from genai4eu.errors import WorkbenchError

Say = Callable[..., None]
SCHEMA = TEMPLATES / "course" / "home" / "completion-record.schema.json"


@pytest.mark.parametrize(
    ("moments", "seconds"),
    [
        ([], 0),
        ([5], 0),
        ([0, GAP], GAP),
        ([0, GAP + 1], 0),
        ([GAP, 0, 2 * GAP, 2 * GAP], 2 * GAP),
        ([0, 60, 4000, 4060], 120),
    ],
)
def test_only_time_with_activity_counts(moments: list[float], seconds: float) -> None:
    assert active(moments) == seconds


def test_a_record_says_what_the_room_noted(room: Room, say: Say, keep: Callable[[str, float], None]) -> None:
    say("opened", 0, lesson="lesson-1.ipynb")
    say("tried", 5, exercise="exercise-1")
    keep("{}", 9)
    say("passed", 12, exercise="exercise-1")
    say("passed", 12.5, exercise="exercise-99")
    say("language", 100, language="nl")
    say("language", 101, language="xx")
    made = of_seat(room, "seat-01")
    assert made is not None
    assert (made.passed, made.exercises, made.seconds) == (1, 1, 13.5 * 60)
    assert made.achievement.inLanguage == "nl"
    assert made.madeBy == "room"
    assert made.lessons[0].volumeOfLearning == "PT10M"
    assert of_seat(room, "seat-02") is None


def test_what_the_room_has_seen_no_participant_takes_back_or_lengthens(room: Room, say: Say) -> None:
    say("passed", 12, exercise="exercise-1")
    own_file = room.home("seat-01") / ".course" / "progress.jsonl"
    own_file.unlink()
    own_file.symlink_to(room.folder / "room.json")
    for minutes in range(-60 * 100, 0, 9):  # of a time before the room was open
        say("tried", minutes, own=False, exercise="exercise-1")
    say("tried", 60 * 24 * 365, own=False, exercise="exercise-1")  # of a time to come
    made = of_seat(room, "seat-01")
    assert made is not None
    assert (made.passed, made.seconds) == (1, 0)


@pytest.mark.parametrize("line", ['{"at": "x", "event": "passed"}', "[", "7", '{"event": "passed"}', '{"at": true}'])
def test_nonsense_is_no_evidence(room: Room, line: str) -> None:
    for path in (
        room.folder / "kept" / "seat-01" / "progress.jsonl",
        room.home("seat-01") / ".course" / "progress.jsonl",
    ):
        path.write_text(f"{line}\n", "utf-8")
    assert of_seat(room, "seat-01") is None


def test_the_schema_that_ships_is_the_records(room: Room, say: Say) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert schema == _schema()
    say("passed", 12, exercise="exercise-1")
    made = of_seat(room, "seat-01")
    assert made is not None
    jsonschema.Draft202012Validator(schema).validate(json.loads(made.model_dump_json()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**json.loads(made.model_dump_json()), "passed": -1})


def _schema() -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Record.model_json_schema(mode="serialization")}


def test_records_are_files_for_each_seat_and_pages_to_print(
    room: Room, say: Say, entered: Callable[..., None], tmp_path: Path
) -> None:
    say("passed", 12, exercise="exercise-1")
    say("tried", 3, seat="seat-02", exercise="exercise-1")
    say("language", 4, seat="seat-02", language="nl")
    entered("seat-02", name="A. <b>Jansen</b>", sector="health")
    done = CliRunner().invoke(app, ["course", "records", str(room.folder), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"seat-01.json", "seat-01.html", "seat-02.json", "seat-02.html", "all-en.html", "all-nl.html"}
    dutch = (tmp_path / "out" / "seat-02.html").read_text("utf-8")
    assert '<html lang="nl">' in dutch
    assert "A. &lt;b&gt;Jansen&lt;/b&gt;" in dutch
    assert json.loads((tmp_path / "out" / "seat-01.json").read_text("utf-8"))["name"] is None
    assert "Made by the participant themselves" not in (tmp_path / "out" / "seat-01.html").read_text("utf-8")


def test_wrong_input_is_told_before_anything_is_written(room: Room, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"this course is in en, nl, not in 'fr'"):
        write(room, tmp_path / "out", "fr")
    with pytest.raises(WorkbenchError, match="holds no room"):
        write(Room(tmp_path / "none"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkbenchError, match="name another folder with --out"):
        write(room, tmp_path / "file")


def test_ones_own_record_says_that_it_is_ones_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENAI4EU_SEAT", "seat-07")
    with pytest.raises(WorkbenchError, match="do an exercise first"):
        own()
    desk.note("passed", exercise="exercise-1")
    page = own()
    assert "Made by the participant themselves" in page.read_text("utf-8")
    told = json.loads(page.with_suffix(".json").read_text("utf-8"))
    assert (told["madeBy"], told["seat"]) == ("participant", "seat-07")


def test_a_lesson_that_merely_stays_open_is_no_activity(room: Room, say: Say) -> None:
    for minutes in range(0, 180):  # the toolbar tells every minute that it is still in front
        say("opened", minutes, lesson="lesson-1.ipynb")
    say("tried", 5, exercise="exercise-1")
    made = of_seat(room, "seat-01")
    assert made is not None
    assert made.seconds == 300
