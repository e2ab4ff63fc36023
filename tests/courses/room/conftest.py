"""A room on disk that nobody has opened, and one that is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from genai4eu.courses.build import build, solutions
from genai4eu.courses.course import Course
from genai4eu.courses.room.people import People
from genai4eu.courses.room.removing import remove
from genai4eu.courses.room.room import Room, make
from genai4eu.courses.skeleton import make as make_course

from .opened import Opened, free_port, left_behind, opened


@pytest.fixture
def closed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """A room of two seats, all files of this user's: no users of the system are made."""
    monkeypatch.setattr(People, "possible", staticmethod(lambda: False))
    course = Course(folder)
    lessons = build(course, tmp_path / "built" / course.name)
    room, _ = make(tmp_path / "room", lessons, "lesson-1.ipynb", 2, "127.0.0.1", "localhost", 8000, solutions(course))
    return room


@pytest.fixture(scope="module")
def open_room(
    request: pytest.FixtureRequest, room_means: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """An open room of three seats, each a user of its own, with little memory and a small disk.

    Its kernels have the science stack where a file's ``LEFT_OUT`` does not say otherwise.
    """
    folder = tmp_path_factory.mktemp("room")
    course = make_course(folder / "mean", ("en", "nl"))
    limits = ("--seat-memory", "1G", "--seat-disk", "64M")
    start = ("start", str(course), "--participants", "3", "--port", free_port(), *limits)
    with opened(folder / "mean-room", *start, left_out=getattr(request.module, "LEFT_OUT", "")) as room:
        yield room
    assert left_behind(room.room) == []
    remove(room.room)
