"""What the room keeps of a seat, and what it gives back."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from genai4eu.courses.desk import Desk
from genai4eu.courses.room.folder import ABOUT
from genai4eu.courses.room.keeping import Keeping, kept, restore
from genai4eu.courses.room.limits import Limits, limits
from genai4eu.courses.room.own import write_own
from genai4eu.courses.room.registry import register, sweep, until
from genai4eu.courses.room.room import Room
from genai4eu.errors import WorkbenchError


def test_versions_are_kept_once_and_the_last_comes_back(closed: Room) -> None:
    keeping, lesson = Keeping(closed, "seat-01"), closed.home("seat-01") / "lesson-1.ipynb"
    keeping.look()
    keeping.look()
    assert [entry["file"] for entry in kept(closed, "seat-01")] == ["lesson-1.ipynb"]
    lesson.write_text("mine")
    keeping.look()
    lesson.unlink()
    keeping.look()
    assert restore(closed, "seat-01") == ["lesson-1.ipynb"] and lesson.read_text() == "mine"
    assert restore(closed, "seat-01") == []
    assert len(list((closed.folder / "kept" / "seat-01").glob("*.ipynb"))) == 2


def test_who_deleted_everything_gets_what_lessons_read(closed: Room) -> None:
    material = closed.folder / "course" / "material"
    material.mkdir()
    for name in ("values.csv", "mine.csv"):
        (material / name).write_text("as it was")
    home = closed.home("seat-01")
    shutil.rmtree(home)
    (home / "material").mkdir(parents=True)
    (home / "material" / "mine.csv").write_text("changed")
    assert restore(closed, "seat-01") == ["lesson-1.ipynb", "material/values.csv"]
    assert (home / "lesson-1.ipynb").read_bytes() == (closed.folder / "course" / "lesson-1.ipynb").read_bytes()
    assert (home / "material" / "values.csv").read_text() == "as it was"
    assert (home / "material" / "mine.csv").read_text() == "changed"


def test_progress_comes_back_by_itself(closed: Room) -> None:
    desk, keeping = Desk(closed.home("seat-01")), Keeping(closed, "seat-01")
    desk.note("tried", exercise="exercise-1")
    keeping.look()
    happened = closed.home("seat-01") / ".course" / "progress.jsonl"
    before = happened.read_text()
    happened.unlink()
    keeping.look()
    assert happened.read_text() == before
    Keeping(closed, "seat-01").look()  # a room that was opened again keeps nothing twice
    assert (closed.folder / "kept" / "seat-01" / "progress.jsonl").read_text() == before


def test_the_latest_is_kept_and_the_oldest_goes_where_room_is_short(
    closed: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genai4eu.courses.room.copies._ALL", 100)
    keeping, lesson = Keeping(closed, "seat-01"), closed.home("seat-01") / "lesson-1.ipynb"
    for letter in "abcde":
        lesson.write_text(letter * 30)
        keeping.look()
    copies = {path.read_text()[0] for path in (closed.folder / "kept" / "seat-01").glob("*.ipynb")}
    assert copies == {"c", "d", "e"}
    lesson.unlink()
    assert restore(closed, "seat-01") == ["lesson-1.ipynb"] and lesson.read_text() == "e" * 30


def test_who_invents_events_fills_no_disk(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai4eu.courses.room.keeping._EVENTS", 5)
    desk, keeping = Desk(closed.home("seat-01")), Keeping(closed, "seat-01")
    for number in range(9):
        desk.note("read", id=number)
        keeping.look()
    assert len((closed.folder / "kept" / "seat-01" / "progress.jsonl").read_text().splitlines()) == 5


def test_events_take_no_more_bytes_than_they_may(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai4eu.courses.room.keeping._BYTES", 300)
    desk, keeping = Desk(closed.home("seat-01")), Keeping(closed, "seat-01")
    for number in range(9):
        desk.note("read", id=number, padding="x" * 5000)
    keeping.look()
    happened = closed.folder / "kept" / "seat-01" / "progress.jsonl"
    assert 200 < happened.stat().st_size <= 300 and "padding" not in happened.read_text()


@pytest.mark.parametrize("text", ["\\ud800", "\u2028", "\u0085"])
def test_no_character_in_an_event_closes_the_room_or_counts_for_two(closed: Room, text: str) -> None:
    happened = closed.home("seat-01") / ".course" / "progress.jsonl"
    odd = f'{{"at": 1, "event": "read", "id": "{text}", "y": "{text}"}}\n' * 2
    happened.write_text(odd + '{"at": 2, "event": "tried"}\n')
    for _ in range(2):  # the second is the room opened again
        keeping = Keeping(closed, "seat-01")
        keeping.look()
        keeping.look()
    kept_lines = (closed.folder / "kept" / "seat-01" / "progress.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["event"] for line in kept_lines] in (["tried"], ["read", "tried"])


def test_more_kept_than_is_kept_today_takes_nothing_more(closed: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    happened = closed.folder / "kept" / "seat-01" / "progress.jsonl"
    happened.write_text("".join(f'{{"at": {at}, "event": "tried"}}\n' for at in range(9)))
    monkeypatch.setattr("genai4eu.courses.room.keeping._EVENTS", 5)
    before, desk = happened.read_text(), Desk(closed.home("seat-01"))
    keeping = Keeping(closed, "seat-01")
    for number in range(9):
        desk.note("read", id=number)
    keeping.look()
    assert happened.read_text() == before


def test_who_deletes_what_aside_lies_and_keeps_us_off_is_left_alone_for_a_while(
    closed: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, tries = closed.home("seat-01"), list[Path]()

    def refused(owner: object, folder: Path, *_: object) -> None:
        tries.append(folder)
        raise WorkbenchError("its user keeps us off")

    monkeypatch.setattr("genai4eu.courses.room.keeping.as_seat", refused)
    shutil.rmtree(home / ".course")
    keeping = Keeping(closed, "seat-01")
    with pytest.raises(WorkbenchError, match="keeps us off"):
        keeping.look()
    (home / "lesson-1.ipynb").write_text("mine")
    keeping.look()
    assert tries == [home] and len(kept(closed, "seat-01")) == 2


def test_links_pipes_and_large_files_are_not_kept(
    closed: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = closed.home("seat-01")
    (home / "lesson-1.ipynb").unlink()
    (tmp_path / "secret.ipynb").write_text("secret")
    (home / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (home / "folder").symlink_to(tmp_path)
    os.mkfifo(home / "pipe.ipynb")
    monkeypatch.setattr("genai4eu.courses.room.keeping._LARGEST", 10)
    (home / "large.ipynb").write_text("x" * 11)
    Keeping(closed, "seat-01").look()
    assert kept(closed, "seat-01") == []


def test_too_many_participants_are_refused_with_the_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genai4eu.courses.room.limits.total", lambda: 4 << 30)
    with pytest.raises(WorkbenchError, match=r"20 times 0\.35 GB, 8\.5 GB in all; .* 4 GB .*--participants 7"):
        limits(20)
    assert limits(7, "800M", "100M", 1) == Limits(800 << 20, 100 << 20, 1)
    for wrong in (("9G",), ("x",), ("1G", "1M"), ("1G", "1G", 1000)):
        with pytest.raises(WorkbenchError, match="--seat-"):
            limits(2, *wrong)


def test_no_seat_is_promised_what_another_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(free=6 << 30)
    monkeypatch.setattr("genai4eu.courses.room.limits.shutil.disk_usage", lambda place: free)
    place = tmp_path / "not-there-yet" / "room"
    assert limits(2, place=place).disk == 2 << 30
    assert limits(6, place=place).disk == 1 << 30
    assert limits(2, disk="3G", place=place).disk == 3 << 30
    with pytest.raises(WorkbenchError, match=r"3 seats may fill 9 GB, .* has 6 GB left: .*--seat-disk 2048M"):
        limits(3, disk="3G", place=place)
    with pytest.raises(WorkbenchError, match=r"13 seats need 0\.5 GB of disk each, .* has 6 GB left: make room"):
        limits(13, place=place)


def test_a_room_is_due_after_its_days(closed: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert until(closed) is None
    register(closed, 2)
    due = until(closed)
    assert due is not None and abs(due - closed.about["began"] - 2 * 86_400) < 3600


def test_an_overdue_room_is_deleted_but_for_who_works_with_it(
    closed: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    register(closed, 2)
    told: list[str] = []
    sweep(told.append)
    assert closed.folder.exists() and not told
    write_own(closed.folder / ABOUT, {**closed.about, "delete_on": "2020-01-01T00:00:00+00:00"})
    sweep(told.append, [closed.folder])
    assert closed.folder.exists() and not told, "who comes late to collect the work finds it"
    sweep(told.append)
    assert not closed.folder.exists() and told == [f"{closed.folder} is deleted: its day has come"]
