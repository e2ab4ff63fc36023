"""The courses that ship: found by name, copied, complete in every language, and right from top to bottom."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import CliRunner

from genai4eu.cli import app
from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.lesson import HINT, exercises, read
from genai4eu.courses.questions import faults
from genai4eu.courses.review import read_through, review
from genai4eu.courses.shipped import beside, copy, named, shipped
from genai4eu.dashboards.pages.translated import texts_of
from genai4eu.errors import WorkbenchError
from genai4eu.kernels.warm import client

COURSES = sorted(shipped())
LESSONS = [(name, lesson.file) for name in COURSES for lesson in Course(named(name)).about.lessons]


def test_a_course_is_found_by_its_name_and_a_folder_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert named("medical-imaging") == shipped()["medical-imaging"]
    monkeypatch.chdir(tmp_path)
    assert beside(Course(named("medical-imaging")), "room") == tmp_path / "medical-imaging-room"
    own = copy("medical-imaging", Path("medical-imaging"))
    assert named("medical-imaging") == Path("medical-imaging")
    assert beside(Course(own), "room") == tmp_path / "medical-imaging-room"
    with pytest.raises(WorkbenchError, match=r"no course of that name ships: .*medical-imaging"):
        named("medical-imagin")
    with pytest.raises(WorkbenchError, match="is there already"):
        copy("medical-imaging", own)
    with pytest.raises(WorkbenchError, match="no course 'x' ships"):
        copy("x", tmp_path / "x")
    assert {path.name for path in tmp_path.iterdir()} == {"medical-imaging"}


def test_the_command_line_lists_builds_and_copies_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    listed = CliRunner().invoke(app, ["course", "list"])
    assert all(name in listed.stdout for name in COURSES)
    assert CliRunner().invoke(app, ["course", "build", "medical-imaging"]).exit_code == 0
    assert (tmp_path / "medical-imaging-participants" / "1-why-scanners-disagree.ipynb").is_file()
    assert CliRunner().invoke(app, ["course", "copy", "medical-imaging", "own"]).exit_code == 0
    assert Course(tmp_path / "own").about == Course(named("medical-imaging")).about
    nothing = CliRunner().invoke(app, ["course", "build", "medicine"])
    assert nothing.exit_code != 0
    assert not (tmp_path / "medicine-participants").exists()


@pytest.mark.parametrize(("name", "file"), LESSONS)
def test_a_lesson_is_complete(name: str, file: str) -> None:
    course = Course(named(name))
    notebook = read(course.folder / file)
    assert read_through(course, notebook) == []
    lesson = next(lesson for lesson in course.about.lessons if lesson.file == file)
    assert 10 <= lesson.minutes <= 25
    _opens_with_its_goals(notebook, lesson, course.language)
    found = exercises(notebook, course.language)
    assert len(found) >= 2
    for exercise in found:
        assert len(exercise.hints) == 3, exercise.name
        for text in exercise.hints:
            assert set(text) == set(course.about.languages), exercise.name


def _opens_with_its_goals(notebook: Any, lesson: Any, language: str) -> None:
    opening = {language: notebook.cells[0].source, **texts_of(notebook.cells[0])}
    for name, text in opening.items():
        lines = text.splitlines()
        assert lines[0] == f"# {lesson.title[name]}"
        assert [line[2:] for line in lines if line.startswith("- ")] == lesson.goals[name]


@pytest.mark.parametrize(("name", "file"), LESSONS)
def test_a_lesson_ends_with_what_goes_wrong_in_practice(name: str, file: str) -> None:
    """The house's own rule for what it ships; trainers end theirs as they like."""
    last = [cell.source for cell in read(named(name) / file).cells[-4:] if cell.cell_type == "markdown"]
    assert any(re.match(r"## What (could go|goes) wrong in practice\n", text) for text in last)


@pytest.mark.parametrize(("name", "file"), LESSONS)
def test_no_text_is_left_in_another_language(name: str, file: str) -> None:
    course = Course(named(name))
    for cell in read(course.folder / file).cells:
        if cell.cell_type == "markdown" and len(cell.source.split()) > 3:
            texts = [cell.source, *texts_of(cell).values()]
            assert len(set(texts)) == len(texts), cell.source


@pytest.mark.parametrize("name", COURSES)
def test_checks_speak_every_language(name: str) -> None:
    """A message is a text by language: what a participant reads who is wrong."""
    course = Course(named(name))
    for lesson in course.about.lessons:
        for exercise in exercises(read(course.folder / lesson.file), course.language):
            for node in ast.walk(ast.parse(exercise.tests)):
                said = [key.value for key in getattr(node, "keys", ()) if isinstance(key, ast.Constant)]
                if course.language in said:
                    assert set(said) == set(course.about.languages), exercise.name
                if isinstance(node, ast.Assert):
                    one = isinstance(node.msg, ast.Constant | ast.JoinedStr)
                    assert not one, f"{exercise.name}: line {node.lineno} speaks one language"


@pytest.mark.parametrize("name", COURSES)
def test_questions_speak_every_language(name: str) -> None:
    course = Course(named(name))
    for path in course.folder.rglob("questions*.json"):
        assert list(faults(json.loads(path.read_text("utf-8")), course.about.languages)) == [], path


@pytest.mark.parametrize("name", COURSES)
def test_participants_get_what_their_lessons_read_and_no_solution(name: str, tmp_path: Path) -> None:
    course = Course(named(name))
    made = build(course, tmp_path / "desk")
    for lesson in course.about.lessons:
        text = (made / lesson.file).read_text("utf-8")
        given = nbformat.reads(text, as_version=4)
        assert not any(HINT in cell.metadata.get("tags", []) for cell in given.cells)
        assert "BEGIN" not in text
        open_ = sum(len(e.solved) for e in exercises(read(course.folder / lesson.file), course.language))
        assert sum("YOUR CODE HERE" in cell.source for cell in given.cells if cell.cell_type == "code") == open_
    extra = {path.name for path in course.folder.iterdir() if path.is_dir()}
    assert extra <= {path.name for path in made.iterdir()}


@pytest.fixture(scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Warm kernels, as a trainer has them: each lesson is executed in two, and the science stack is imported once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        patch.setenv("GENAI4EU_WARM", "on")
        assert client.ensure(wait=True, timeout=300)
        yield
        assert sum(template["kernels_started"] for template in client.status()) >= len(LESSONS)
        client.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("_warm")
@pytest.mark.parametrize("name", COURSES)
def test_every_lesson_runs_and_every_exercise_fails_without_its_solution(name: str) -> None:
    found = list(review(Course(named(name))))
    assert {lesson.file: lesson.faults for lesson in found} == {lesson.file: [] for lesson in found}
