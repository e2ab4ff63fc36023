"""Rooms with a board, and the board's server beside the tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from genai4eu.courses.board.server import Server
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.people import People

from . import stage


@pytest.fixture(scope="session")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The course that all rooms here hold, built once."""
    return stage.built(tmp_path_factory.mktemp("course"))


@pytest.fixture
def few(lessons: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    """A room of three seats that nobody has entered; all files are this user's."""
    monkeypatch.setattr(People, "possible", staticmethod(lambda: False))
    return stage.room(tmp_path, 3, *lessons)[0]


@pytest.fixture
def serve() -> Iterator[Callable[[Room], Server]]:
    """Serve boards from a thread of its own until the test is over."""
    loop, servers = asyncio.new_event_loop(), list[Server]()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def begin(room: Room) -> Server:
        async def made() -> Server:
            server = Server(room, port=0, slow=0.05)
            server.start()
            return server

        servers.append(asyncio.run_coroutine_threadsafe(made(), loop).result(10))
        return servers[-1]

    yield begin
    for server in servers:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def ask(few: Room, serve: Callable[[Room], Server]) -> Iterator[Callable[..., Any]]:
    """Ask the board of the small room, with its key unless other headers are given."""
    server = serve(few)
    with httpx.Client(base_url=server.address, timeout=20) as client:

        def asked(path: str, json: object = None, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
            own = {"Authorization": f"Bearer {few.about['board_key']}"} if headers is None else headers
            return client.request("POST" if json is not None else "GET", path, json=json, headers=own, **more)

        yield asked
