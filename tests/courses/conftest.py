"""A small course, and a participant's desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from genai4eu.courses.build import build
from genai4eu.courses.course import FILE, Course
from genai4eu.courses.desk import Desk
from genai4eu.courses.skeleton import make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The course that ``genai4eu course new`` makes, in two languages."""
    return make(tmp_path / "mean", ("en", "nl"))


@pytest.fixture
def change(folder: Path) -> Callable[[Callable[[Any], None]], Course]:
    """Change the course's lesson, and return the course."""

    def changed(how: Callable[[Any], None]) -> Course:
        path = folder / "lesson-1.ipynb"
        notebook = nbformat.read(path, as_version=4)
        how(notebook)
        nbformat.write(notebook, path)
        return Course(folder)

    return changed


@pytest.fixture
def tell(folder: Path) -> Callable[[str, str], Path]:
    """Replace something in ``course.toml``, and return the folder."""

    def told(old: str, new: str) -> Path:
        text = (folder / FILE).read_text("utf-8")
        assert old in text
        (folder / FILE).write_text(text.replace(old, new), "utf-8")
        return folder

    return told


@pytest.fixture
def desk(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A participant's desk, which this process stands in."""
    made = Desk(build(Course(folder), tmp_path / "desk"))
    monkeypatch.chdir(made.folder)
    return made
