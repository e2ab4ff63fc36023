"""The board's process, as a room starts it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.news import told


@contextmanager
def _board(room: Room) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "genai4eu.courses.board", str(room.folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def _answer(room: Room) -> httpx.Response:
    """Wait until the board answers."""
    while True:
        try:
            return httpx.get(f"http://127.0.0.1:{room.about['board_port']}/services/board/")
        except httpx.ConnectError:
            time.sleep(0.1)


def test_it_serves_where_the_room_says_and_a_message_reaches_the_seats(few: Room) -> None:
    with _board(few) as process:
        assert _answer(few).status_code == 200
        address = f"http://127.0.0.1:{few.about['board_port']}/services/board/api/act"
        asked = {"act": "message", "once": "click-1234", "text": {"en": "Coffee"}}
        done = httpx.post(
            address, json=asked, headers={"Authorization": f"Bearer {few.about['board_key']}"}, timeout=20
        )
        assert done.json()["said"] == "The message is sent to everybody."
        assert [news["text"] for seat in few.seats for news in told(few, seat)] == [{"en": "Coffee"}] * 3
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize("lacking", ["board_key", "board_port"])
def test_a_room_without_a_board_is_told_in_a_line(few: Room, lacking: str) -> None:
    about = few.about
    del about[lacking]
    (few.folder / "room.json").write_text(json.dumps(about))
    with _board(few) as process:
        assert process.wait(30) == 1 and process.stderr is not None
        assert process.stderr.read().strip() == (
            f"genai4eu: {few.folder} has no board: 'genai4eu course start' makes rooms that have one"
        )
