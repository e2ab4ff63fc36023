"""A course that was edited while its room stands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from genai4eu.courses.course import Course
from genai4eu.courses.desk import ASIDE, HAPPENED
from genai4eu.courses.room.news import told
from genai4eu.courses.room.room import Room
from genai4eu.courses.room.updating import update
from genai4eu.errors import WorkbenchError


@pytest.fixture
def edited(closed: Room, change: Callable[[Callable[[Any], None]], Course]) -> Course:
    """The room's course, with another sentence in its lesson."""
    return change(lambda notebook: notebook.cells[0].update(source="# Another title"))


def test_an_edited_lesson_changes_nothing_by_itself(closed: Room, edited: Course) -> None:
    assert "Another" not in (closed.home("seat-01") / "lesson-1.ipynb").read_text()
    assert "Another" not in (closed.folder / "course" / "lesson-1.ipynb").read_text()


def test_untouched_lessons_are_replaced_and_touched_ones_stay(closed: Room, edited: Course) -> None:
    mine = closed.home("seat-01") / "lesson-1.ipynb"
    mine.write_text(mine.read_text().replace("values", "numbers"))
    before, inode = mine.read_text(), (closed.folder / "course").stat().st_ino
    done = update(closed, edited)
    assert done.lessons == ["lesson-1.ipynb"] and done.beside == {"seat-01": ["lesson-1.ipynb"]}
    assert mine.read_text() == before
    (beside,) = closed.home("seat-01").glob("lesson-1 (new version *).ipynb")
    for path in (beside, closed.home("seat-02") / "lesson-1.ipynb", closed.folder / "course" / "lesson-1.ipynb"):
        assert nbformat.read(path, as_version=4).cells[0].source == "# Another title"
    assert [n["lesson"] for n in told(closed, "seat-02") if n["event"] == "lesson-changed"] == ["lesson-1.ipynb"]
    assert (closed.folder / "course").stat().st_ino == inode  # seats see this folder, not one in its place
    assert update(closed, edited).lessons == [] and beside.exists()


@pytest.mark.parametrize(("seconds", "kept"), [(100, True), (300, False)])
def test_a_lesson_that_is_open_is_not_replaced_below_what_is_typed(
    closed: Room, edited: Course, seconds: float, kept: bool
) -> None:
    home = closed.home("seat-02")
    event = {"at": time.time() - seconds, "event": "opened", "lesson": "lesson-1.ipynb"}
    (home / ASIDE / HAPPENED).write_text(json.dumps(event) + "\n")
    done = update(closed, edited)
    assert done.beside == ({"seat-02": ["lesson-1.ipynb"]} if kept else {})
    assert ("Another title" in (home / "lesson-1.ipynb").read_text()) is not kept
    assert len(list(home.glob("lesson-1 (new version *).ipynb"))) == kept


def test_another_course_is_refused(closed: Room, edited: Course, tmp_path: Path) -> None:
    edited.folder.rename(tmp_path / "other")
    with pytest.raises(WorkbenchError, match="the room holds mean, not other"):
        update(closed, Course(tmp_path / "other"))
