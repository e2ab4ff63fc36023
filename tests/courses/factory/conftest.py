"""A gateway of ours as the factory, a room's broker in front of it, and seats that speak to that."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genai4eu.courses.factory.broker import Broker
from genai4eu.courses.factory.frames import BadFrameError, Line
from genai4eu.courses.room.factory import secret_of, socket_of
from genai4eu.courses.room.folder import Room
from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from ...patience import eventually

TARGET = "far-genai4eu"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The trainer's Jupyter, private to the tests."""
    base = tmp_path_factory.mktemp("home")
    names = {"JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_CONFIG_DIR": "config"}
    home = {variable: str(base / folder) for variable, folder in names.items()}
    home |= {"IPYTHONDIR": str(base / "ipython"), "GENAI4EU_WARM": "off"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in home.items():
            patch.setenv(name, value)
        yield home


@pytest.fixture(scope="module")
def gateway(home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The factory."""
    with process.start(tmp_path_factory.mktemp("gateway"), env={**os.environ, **home}) as gateway:
        connect("far", gateway.url, gateway.token_file)
        yield gateway


@pytest.fixture(scope="module")
def kernels(gateway: GatewayProcess) -> Callable[[], int]:
    """Says how many kernels there are at the factory."""
    rest = Gateway(gateway.url, gateway.token_file)
    return lambda: len(rest.call("GET", "/api/kernels"))


def a_room(folder: Path, prefix: str = "", **offer: Any) -> Room:
    """Return a room with a factory, as the broker needs it."""
    (folder / "run").mkdir(parents=True)
    for path in (folder, folder / "run"):
        path.chmod(0o711 if path == folder else 0o700)
    told = {"target": TARGET, "kernels": 1, "seconds": 30, "budget": 100, **offer}
    seats = ["seat-01", "seat-02", "seat-03"]
    about = {"seats": seats, "prefix": prefix, "token": "of the room", "factory": told}
    (folder / "room.json").write_text(json.dumps(about))
    return Room(folder)


@dataclass
class Served:
    """A room whose broker runs in a thread of the test."""

    room: Room
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _until: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        eventually(socket_of(self.room).exists)

    async def _serve(self) -> None:
        await Broker(self.room).serve(self._until)

    def end(self) -> None:
        if self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._until.set)
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._thread = None
        self._loop.close()

    @property
    def state(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.room.folder / "run" / "factory.json").read_text())
        return content

    def seat(self, number: int) -> Seat:
        return Seat(self.room, f"seat-0{number}")


@dataclass
class Seat:
    """A seat's end, without a notebook."""

    room: Room
    name: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    values: bytes = b""

    def ask(self, code: str, **more: Any) -> Seat:
        """Ask for a cell."""
        self.line = Line(socket_of(self.room))
        self.line.send({"seat": self.name, "secret": secret_of(self.room, self.name), "code": code, **more})
        return self

    def until(self, kind: str, given: list[dict[str, Any]] | None = None, data: bytes = b"") -> dict[str, Any]:
        """Hear until something of a kind is said; its values go when they are asked for."""
        while True:
            said, attached = self.line.receive()
            self.heard.append(said)
            if said["say"] == "starting":
                self.line.send({"ask": "values", "values": given or []}, data)
            if said["say"] == "values":
                self.values = attached
            if said["say"] == kind:
                return said

    def end(self, **given: Any) -> dict[str, Any]:
        """Hear until the cell has ended."""
        return self.until("end", **given)

    @property
    def printed(self) -> str:
        return "".join(said["text"] for said in self.heard if said["say"] == "stream")


def hung_up(line: Line) -> bool:
    """Tell whether the broker hangs up without a word."""
    try:
        line.receive()
    except BadFrameError:
        return True
    return False


@pytest.fixture
def serve(gateway: GatewayProcess, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Opens the broker of a room with an offer of its own; it ends after the test."""
    served: list[Served] = []

    def begin(**offer: Any) -> Served:
        served.append(Served(a_room(tmp_path / f"room-{len(served)}", **offer)))
        served[-1].begin()
        return served[-1]

    yield begin
    for one in served:
        one.end()
