"""A room as it stands on disk, with two seats, without processes and users; one participant has worked in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses.build import build
from genai4eu.courses.course import Course
from genai4eu.courses.room.room import Room

Say = Callable[..., None]
HOURS = 4


@pytest.fixture
def room(folder: Path, tmp_path: Path) -> Room:
    """A room that was opened four hours ago."""
    made = Room(tmp_path / "room")
    lessons = build(Course(folder), made.folder / "course")
    seats = ["seat-01", "seat-02"]
    for seat in seats:
        shutil.copytree(lessons, made.home(seat))
        (made.folder / "kept" / seat).mkdir(parents=True)
    began = time.time() - HOURS * 3600
    about = {"course": "mean", "seats": seats, "prefix": "", "began": began, "host": "127.0.0.1", "port": 8000}
    (made.folder / "room.json").write_text(json.dumps({**about, "name": "127.0.0.1"}), "utf-8")
    return made


@pytest.fixture
def say(room: Room) -> Say:
    """Let something happen in the first seat, some minutes after the room was opened; kept by the room, or not."""

    def said(
        event: str, minutes: float, *, kept: bool = True, own: bool = True, seat: str = "seat-01", **more: Any
    ) -> None:
        line = json.dumps({"at": room.about["began"] + minutes * 60, "event": event, **more}) + "\n"
        by_room, by_seat = room.folder / "kept" / seat, room.home(seat) / ".course"
        for wanted, path in ((kept, by_room / "progress.jsonl"), (own, by_seat / "progress.jsonl")):
            if wanted:
                with path.open("a", encoding="utf-8") as file:
                    file.write(line)

    return said


@pytest.fixture
def keep(room: Room) -> Callable[[str, float], None]:
    """Let the room have made a copy of a notebook of the first seat."""

    def kept(content: str, minutes: float) -> None:
        digest = hashlib.sha256(content.encode()).hexdigest()
        folder = room.folder / "kept" / "seat-01"
        (folder / f"{digest}.ipynb").write_text(content, "utf-8")
        about = {"at": room.about["began"] + minutes * 60, "file": "lesson-1.ipynb", "sha256": digest}
        with (folder / "kept.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(about) + "\n")

    return kept


@pytest.fixture
def entered(room: Room) -> Callable[..., None]:
    """Let the trainer have entered something of a seat."""

    def told(seat: str, **about: str) -> None:
        with (room.folder / "board.jsonl").open("a", encoding="utf-8") as file:
            for event in ("name",) if "name" in about else ("about",):
                file.write(json.dumps({"at": time.time(), "event": event, "seat": seat, **about}) + os.linesep)

    return told
