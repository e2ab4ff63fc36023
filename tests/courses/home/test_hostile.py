"""One seat is hostile: everybody else's work is collected all the same, and its own as far as it is any."""

from __future__ import annotations

import datetime
import hashlib
import importlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses.home import collect, evidence, record
from genai4eu.courses.home.counts import count
from genai4eu.courses.home.written import write
from genai4eu.courses.room.folder import Room

Say = Callable[..., None]


def _names(archive: Path, seat: str = "seat-01") -> list[str]:
    with zipfile.ZipFile(archive) as everything:
        told = json.loads(everything.read("report.json"))["seats"][seat]
        return zipfile.ZipFile(io.BytesIO(everything.read(told["file"]))).namelist()


def test_a_kept_notebook_with_a_name_that_is_no_text(room: Room, say: Say, tmp_path: Path) -> None:
    say("passed", 12, exercise="exercise-1")
    digest = hashlib.sha256(b"{}").hexdigest()
    kept = room.folder / "kept" / "seat-01"
    (kept / f"{digest}.ipynb").write_text("{}")
    entry = {"at": room.about["began"] + 60, "file": os.fsdecode(b"\xff\n.ipynb"), "sha256": digest}
    (kept / "kept.jsonl").write_text(json.dumps(entry) + "\n")
    assert any("/kept/%FF%0A (" in name for name in _names(collect(room, tmp_path / "all.zip")))


@pytest.mark.parametrize("year", [1, 1901, 2200, 30_000_000_000])
def test_a_notebook_of_another_time(room: Room, tmp_path: Path, year: int) -> None:
    mine, begin = room.home("seat-01") / "lesson-1.ipynb", datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    seconds = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) - begin).total_seconds() if year < 10_000 else year
    try:
        os.utime(mine, (seconds, seconds))
    except OSError:
        pytest.skip("the file system knows no such time")
    assert "mean-seat-01/lesson-1.ipynb" in _names(collect(room, tmp_path / "all.zip"))


def test_a_flood_of_events_is_read_in_part(room: Room, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    say("passed", 12, exercise="exercise-1")
    asked: list[int] = []

    def flood(_room: Room, _seat: str, after: int) -> tuple[list[dict[str, Any]], int]:
        asked.append(after)
        event = {"at": room.about["began"] + len(asked), "event": "tried"}
        return [{**event, "number": number} for number in range(many)], after + 1_000_000

    monkeypatch.setattr("genai4eu.courses.room.reading.events", flood)
    many = 9_000
    assert len(evidence.events(room, "seat-01")) == 20_001 and len(asked) == 3
    many = 0
    asked.clear()
    assert [event["event"] for event in evidence.events(room, "seat-01")] == ["passed"] and len(asked) == 64


def test_a_sparse_file_of_terabytes_is_not_read_to_its_end(room: Room, say: Say) -> None:
    say("passed", 12, exercise="exercise-1")
    with (room.home("seat-01") / ".course" / "progress.jsonl").open("ab") as file:
        file.truncate(2**43)
    assert [event["event"] for event in evidence.events(room, "seat-01")] == ["passed"]


def test_lists_within_lists_are_let_go(room: Room, say: Say) -> None:
    say("passed", 12, exercise="exercise-1", more=[[]] * 1000)
    (event,) = evidence.events(room, "seat-01")
    assert event.keys() == {"at", "event", "exercise"}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, say: Say) -> list[str]:
    """Two seats have worked; of the first, a record fails as nobody has thought of. Returns what is told."""
    for seat in ("seat-01", "seat-02"):
        say("passed", 12, exercise="exercise-1", seat=seat)
    before = record.of_seat

    def of_seat(room: Room, seat: str, *more: Any) -> Any:
        if seat == "seat-01":
            raise ValueError("a trick\n\x1b[31m of \udcff")
        return before(room, seat, *more)

    for name in ("record", "collect"):
        module = importlib.import_module(f"genai4eu.courses.home.{name}")  # the package has a function of that name
        monkeypatch.setattr(module, "of_seat", of_seat)
    return []


def test_the_others_are_collected_and_the_reason_is_told(room: Room, broken: list[str], tmp_path: Path) -> None:
    made = collect(room, tmp_path / "all.zip", broken.append)
    with zipfile.ZipFile(made) as everything:
        told = json.loads(everything.read("report.json"))["seats"]
        assert {"seats/mean-seat-02.zip", "records/seat-02.json"} <= set(everything.namelist())
        assert "seats/mean-seat-01.zip" not in everything.namelist()
    assert told["seat-01"] == {"failed": "ValueError a trick ?[31m of ?"} and told["seat-02"]["active"]
    assert len(broken) == 1 and "seat-01" in broken[0] and str(room.home("seat-01")) in broken[0]


def test_the_others_have_their_records_and_are_counted(room: Room, broken: list[str], tmp_path: Path) -> None:
    made, empty = write(room, tmp_path / "records", told=broken.append)
    assert {path.name for path in made} == {"seat-02.json", "seat-02.html", "all-en.html"} and empty == []
    assert count(room, {}, broken.append).participants == 1
    assert len(broken) == 2 and all("no record of seat-01: ValueError a trick" in line for line in broken)
