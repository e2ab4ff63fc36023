"""The board of a room that is open: at the room's own address, beside a participant who works."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.news import told
from genai4eu.courses.room.people import People
from genai4eu.courses.room.supervisor import opened, proxy
from genai4eu.errors import WorkbenchError

from ... import stack
from . import stage

pytestmark = pytest.mark.slow


@pytest.fixture
def room(lessons: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    """A room of two seats, open under a port of its own."""
    try:
        proxy()
    except WorkbenchError as lacking:
        pytest.skip(str(lacking))
    monkeypatch.setattr(People, "possible", staticmethod(lambda: False))
    monkeypatch.setenv(stack.WITHOUT, stack.ALL)  # no cell is executed
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    made, _ = stage.room(tmp_path, 2, *lessons, port=port)
    with opened(made):
        yield made


def test_it_stands_at_the_rooms_address_and_reaches_the_seats(room: Room) -> None:
    with httpx.Client(base_url=f"{room.address}services/board/", timeout=60) as client:
        assert "The trainer's board" in client.get("").text.replace("&#39;", "'")
        assert client.get("api/state").status_code == 401
        client.headers["Authorization"] = f"Bearer {room.about['board_key']}"
        state = client.get("api/state").json()
        assert "JupyterHub does not answer" not in state["parts"]["overview"]
        asked = {"act": "message", "once": "click-1234", "text": {"en": "Coffee"}}
        assert client.post("api/act", json=asked).json()["said"] == "The message is sent to everybody."
    assert [news["text"] for seat in room.seats for news in told(room, seat)] == [{"en": "Coffee"}] * 2
    assert room.board == f"{room.address}services/board/#key={room.about['board_key']}"
