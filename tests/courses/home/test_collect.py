"""Everybody's work in one archive, whatever stands in a seat's folder."""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses.home import collect, tree
from genai4eu.courses.room.room import Room
from genai4eu.errors import WorkbenchError

Say = Callable[..., None]
SECRET = "what no participant may have"


def _seat(archive: Path, seat: str = "seat-01") -> tuple[zipfile.ZipFile, dict[str, Any]]:
    """Return a seat's bundle within an archive, and what the archive's report says of it."""
    with zipfile.ZipFile(archive) as everything:
        told = json.loads(everything.read("report.json"))["seats"][seat]
        return zipfile.ZipFile(io.BytesIO(everything.read(told["file"]))), told


def test_everybodys_work_is_in_it(room: Room, say: Say, keep: Callable[[str, float], None], tmp_path: Path) -> None:
    say("passed", 12, exercise="exercise-1")
    say("tried", 1, kept=False, exercise="exercise-1")
    keep('{"earlier": 1}', 5)
    home = room.home("seat-01")
    (home / "lesson-1.ipynb").write_text('{"now": 1}')
    (home / "lesson-1 (2026-11-27 10.00.00).ipynb").write_text('{"before a reset": 1}')
    (home / ".ipynb_checkpoints").mkdir()
    (home / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    made = collect(room, tmp_path)
    assert made.name.startswith("room-")
    assert made.stat().st_mode & 0o777 == 0o600
    bundle, told = _seat(made)
    assert told["active"]
    assert told["left_out"] == []
    names = bundle.namelist()
    top = names[0].partition("/")[0]
    assert top == "mean-seat-01"
    assert bundle.read(f"{top}/lesson-1.ipynb") == b'{"now": 1}'
    assert f"{top}/lesson-1 (2026-11-27 10.00.00).ipynb" in names
    (kept,) = [name for name in names if name.startswith(f"{top}/kept/")]
    assert bundle.read(kept) == b'{"earlier": 1}'
    assert {f"{top}/HOME.html", f"{top}/completion-record.html", f"{top}/.course/course.json"} <= set(names)
    assert not [name for name in names if "checkpoints" in name]
    events = [json.loads(line)["event"] for line in bundle.read(f"{top}/.course/progress.jsonl").splitlines()]
    assert events == ["tried", "passed"]
    assert not _seat(made, "seat-02")[1]["active"]
    with zipfile.ZipFile(made) as everything:
        assert "records/all-en.html" in everything.namelist()
        assert "records/seat-02.json" not in everything.namelist()


def test_whoever_deleted_everything_still_gets_lessons_checks_and_copies(
    room: Room, say: Say, keep: Callable[[str, float], None], tmp_path: Path
) -> None:
    say("passed", 12, exercise="exercise-1")
    keep('{"earlier": 1}', 5)
    shutil.rmtree(room.home("seat-01"))
    (room.folder / "course" / "material").mkdir()
    (room.folder / "course" / "material" / "values.csv").write_text("2,3,2,4,40")
    bundle, told = _seat(collect(room, tmp_path / "all.zip"))
    assert [entry["file"] for entry in told["left_out"]] == ["."]
    names = bundle.namelist()
    assert "mean-seat-01/lesson-1.ipynb" in names
    assert bundle.read("mean-seat-01/material/values.csv") == b"2,3,2,4,40"
    assert [name for name in names if "/kept/" in name]
    assert [name for name in names if "/.course/lessons/" in name]
    assert b'"passed"' in bundle.read("mean-seat-01/.course/progress.jsonl")


def _hostile(home: Path, secret: Path) -> None:
    (home / "link.ipynb").symlink_to(secret)
    (home / "out").symlink_to(secret.parent)
    (home / ".course" / "course.json").unlink()
    (home / ".course" / "course.json").symlink_to(secret)
    os.mkfifo(home / "pipe.ipynb")
    with (home / "huge.bin").open("wb") as file:
        file.truncate(2**42)
    (home / "odd\n..\\..\x1b[31m.ipynb").write_text("{}")
    Path(os.fsdecode(os.fsencode(home) + b"/\xff\xfe.ipynb")).write_text("{}")
    (home / "...").write_text("dots")
    deep = home
    for _ in range(tree.DEPTH + 3):
        deep = deep / "d"
        deep.mkdir()
    (deep / "far.txt").write_text("far")
    (home / "HOME.html").write_text(SECRET)
    (home / "mine.ipynb").write_text('{"mine": 1}')


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives a file away")
def test_somebody_elses_file_is_left_out(room: Room, tmp_path: Path) -> None:
    given = room.home("seat-01") / "given.txt"
    given.write_text(SECRET)
    os.chown(given, 12345, 12345)
    bundle, told = _seat(collect(room, tmp_path / "all.zip"))
    assert told["left_out"] == [{"file": "given.txt", "why": "a file of somebody else"}]
    assert "mean-seat-01/given.txt" not in bundle.namelist()


def test_links_pipes_huge_files_and_odd_names_do_no_harm(room: Room, tmp_path: Path) -> None:
    secret = tmp_path / "secret" / "key.txt"
    secret.parent.mkdir()
    secret.write_text(SECRET)
    _hostile(room.home("seat-01"), secret)
    done = tmp_path / "all.zip"
    worker = threading.Thread(target=collect, args=(room, done), daemon=True)
    worker.start()
    worker.join(60)
    assert not worker.is_alive(), "a pipe was waited for"
    bundle, told = _seat(done)
    left = {entry["file"]: entry["why"] for entry in told["left_out"]}
    assert left.keys() >= {"link.ipynb", "out", "pipe.ipynb", "huge.bin"}
    assert "4,398,047 MB" in left["huge.bin"]
    assert any(why.startswith("deeper than") for why in left.values())
    assert bundle.testzip() is None
    for name in bundle.namelist():
        assert SECRET.encode() not in bundle.read(name), name
        assert name.isprintable()
        assert "\\" not in name
        assert ".." not in name.split("/")
    assert bundle.read("mean-seat-01/mine.ipynb") == b'{"mine": 1}'
    assert json.loads(bundle.read("mean-seat-01/.course/course.json"))["name"] == "mean"
    assert done.stat().st_size < 5_000_000
    names = bundle.namelist()
    assert len(names) == len(set(names))


def test_a_seat_has_so_many_files_and_bytes(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = room.home("seat-01")
    for number in range(30):
        (home / f"file-{number:02}.txt").write_text("x" * 100)
    monkeypatch.setattr(tree, "MOST_OF_FILE", 10_000)
    budget = tree.Budget(bytes=10_000, files=10)
    names = [name for name, _ in tree.files(home, budget, frozenset({".course"}))]
    assert len(names) == 10
    assert names[0] == "lesson-1.ipynb"  # the work itself comes first
    assert len(budget.left) == 21
    budget = tree.Budget(bytes=5, files=1000)
    assert list(tree.files(home, budget)) == []
    for number in range(5):
        (home / f"folder-{number}" / "in").mkdir(parents=True)
    budget = tree.Budget(folders=4)
    assert len(list(tree.files(home, budget))) > 30
    assert any("1000 folders" in one["why"] for one in budget.left)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a.ipynb", "a.ipynb"), ("é 1", "é 1"), ("a\n", "a%0A"), ("..", ".%2E"), ("a:b%", "a%3Ab%25"), ("\udcff", "%FF")],
)
def test_names_that_every_system_can_unpack(name: str, kept: str) -> None:
    assert tree.safe(name) == kept


def test_an_archive_is_whole_or_not_there(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "there.zip"
    there.write_text("mine")
    with pytest.raises(WorkbenchError, match="is there already"):
        collect(room, there)
    assert there.read_text() == "mine"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("genai4eu.courses.home.pack._copy", full)
    with pytest.raises(WorkbenchError, match="No space left on device"):
        collect(room, tmp_path / "out.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"mean", "room", "there.zip"}
