"""One seat is hostile: rooms are resumed, updated and removed all the same. Without a room that is open."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from genai4eu.courses.course import Course
from genai4eu.courses.home.collect import stop
from genai4eu.courses.room import command, people, registry, updating
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.news import told
from genai4eu.courses.room.removing import remove, taken
from genai4eu.errors import WorkbenchError


class _Hub:
    """Answers as JupyterHub does; servers of some seats are gone once they were asked for."""

    def __init__(self, broken: set[str]) -> None:
        self.broken = broken

    def __call__(self, request: httpx.Request) -> httpx.Response:
        seat = request.url.path.split("/")[4] if request.url.path.count("/") > 3 else ""
        if not seat:
            return httpx.Response(200, json=[{"name": "seat-01"}, {"name": "seat-02"}])
        servers = {} if seat in self.broken else {"": {"ready": True}}
        return httpx.Response(200, json={"servers": servers})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put a hub in the place of the room's."""
    client = httpx.Client

    def place(*broken: str) -> None:
        transport = httpx.MockTransport(_Hub(set(broken)))
        monkeypatch.setattr(httpx, "Client", lambda **more: client(transport=transport, **more))

    return place


def test_a_seat_that_does_not_start_holds_up_none(closed: Room, hub: Callable[..., None]) -> None:
    said: list[str] = []
    hub("seat-01")
    assert command.fill(closed, said.append) == ["seat-01"]
    assert any(line.startswith("the server of seat-01 did not start: see ") for line in said)
    assert said[-1] == "1 of 2 seats are ready"
    hub("seat-01", "seat-02")
    with pytest.raises(WorkbenchError, match=r"no seat's server has started: see .*hub\.log"):
        command.fill(closed, said.append)


@pytest.fixture
def edited(closed: Room, change: Callable[[Callable[[Any], None]], Course]) -> Course:
    """The room's course, with another sentence in its lesson."""
    return change(lambda notebook: notebook.cells[0].update(source="# Another title"))


def test_an_update_goes_on_after_a_seat_and_comes_back_to_it(
    closed: Room, edited: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_seat(owner: tuple[int, int], folder: Path, what: Callable[[], None]) -> None:
        if folder.name == "seat-01":
            raise WorkbenchError("its user keeps us off")
        people.as_seat(owner, folder, what)

    monkeypatch.setattr("genai4eu.courses.room.updating.as_seat", as_seat)
    done = updating.update(closed, edited)
    assert done.failed == {"seat-01": "its user keeps us off"} and done.lessons == ["lesson-1.ipynb"]
    assert "Another" in (closed.home("seat-02") / "lesson-1.ipynb").read_text()
    assert not told(closed, "seat-01") and len(told(closed, "seat-02")) == 1
    monkeypatch.undo()
    again = updating.update(closed, edited)
    assert again.failed == {} and again.beside == {} and again.lessons == ["lesson-1.ipynb"]
    assert "Another" in (closed.home("seat-01") / "lesson-1.ipynb").read_text()
    assert len(told(closed, "seat-01")) == 1 and len(told(closed, "seat-02")) == 1
    assert updating.update(closed, edited).lessons == []


def test_a_huge_notebook_is_touched_without_being_read(closed: Room, edited: Course) -> None:
    mine = closed.home("seat-01") / "lesson-1.ipynb"
    with mine.open("r+b") as file:
        file.truncate(2**43)
    assert updating.update(closed, edited).beside == {"seat-01": ["lesson-1.ipynb"]}
    assert mine.stat().st_size == 2**43


def _nest(folder: Path, deep: int) -> None:
    """Make folders in folders, as deep as a path cannot say."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(deep):
        os.mkdir("d", dir_fd=at)
        following = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = following
    os.close(at)


def test_a_room_with_folders_in_folders_is_removed(closed: Room, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    (closed.home("seat-01") / "link").symlink_to(outside)
    _nest(closed.home("seat-01"), 1200)
    made = stop(closed, None)
    assert taken(closed) == [made]  # what the trainer is told of
    remove(closed)
    assert not closed.folder.exists() and (outside / "mine.txt").exists() and made.exists()


def test_a_room_that_cannot_be_deleted_stops_no_command(
    closed: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    registry.register(closed, 30)
    (entry,) = json.loads((tmp_path / "state" / "genai4eu" / "rooms.json").read_text())
    later = time.time() + 31 * 86_400
    monkeypatch.setattr("genai4eu.courses.room.registry.time.time", lambda: later)
    said: list[str] = []

    def stuck(_: Room) -> None:
        raise RecursionError("maximum recursion depth exceeded")

    with monkeypatch.context() as patch:
        patch.setattr("genai4eu.courses.room.removing.remove", stuck)
        registry.sweep(said.append)
    assert len(said) == 1 and "cannot be deleted" in said[0] and "recursion" in said[0]
    assert entry["room"] == str(closed.folder) and closed.folder.exists()
    registry.sweep(said.append)
    assert "its day has come" in said[-1] and not closed.folder.exists()
    registry.sweep(said.append)
    assert len(said) == 2  # what is gone is not told of


def test_a_stopped_rooms_work_lies_beside_it(closed: Room) -> None:
    os.utime(closed.home("seat-01") / "lesson-1.ipynb", (8e9, 8e9))
    said: list[str] = []
    made = stop(closed, None, said.append)
    assert made.parent == closed.folder.parent and made.name.startswith("room-work-") and said == []
    with zipfile.ZipFile(made) as archive:
        assert {"seats/mean-seat-01.zip", "seats/mean-seat-02.zip"} <= set(archive.namelist())
