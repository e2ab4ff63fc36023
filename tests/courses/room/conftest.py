"""A room on disk that nobody has opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from genai4eu.courses.build import build, solutions
from genai4eu.courses.course import Course
from genai4eu.courses.room.people import People
from genai4eu.courses.room.room import Room, make


@pytest.fixture
def closed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """A room of two seats, all files of this user's: no users of the system are made."""
    monkeypatch.setattr(People, "possible", staticmethod(lambda: False))
    course = Course(folder)
    lessons = build(course, tmp_path / "built" / course.name)
    room, _ = make(tmp_path / "room", lessons, "lesson-1.ipynb", 2, "127.0.0.1", "localhost", 8000, solutions(course))
    return room
