"""Keeps a room open: the forges, the board, JupyterHub and its proxy, until told to stop. By ``genai4eu course``.

What dies is started again; seats go on meanwhile, because the forges, not the hub, hold their servers.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from genai4eu.kernels.warm.settings import UNTIL, WITHOUT
from genai4eu.kernels.warm.variables import patient

from ...errors import WorkbenchError
from ...stop import unhurried
from . import disks, factory, processes
from .caretaker import Caretaker, why
from .confining import groups_of, prepare
from .folder import Room
from .listening import free, near
from .logs import last, shorten
from .own import write_own

_PROXY = "configurable-http-proxy"
#: Seconds in which everything has to be up.
_PATIENCE = 180
#: Seconds until what ended is started once more.
_PAUSE = 3.0
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ", WITHOUT)
_FORGES = {"kernels": "kernels.warm.seats", "servers": "courses.room.servers"}


def proxy() -> list[str]:
    """Return JupyterHub's proxy as a command: the computer's own, or the one in a folder of ours.

    Raises
    ------
    WorkbenchError
        If it is not installed.
    """
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111
    own = os.path.join(data, "genai4eu", "proxy")  # noqa: PTH118
    found = shutil.which(_PROXY) or shutil.which(_PROXY, path=os.path.join(own, "node_modules", ".bin"))  # noqa: PTH118
    if found is None:
        remedy = f"npm install --prefix {own} {_PROXY}"
        node = "" if shutil.which("npm") else "; npm comes with Node.js (apt install npm)"
        raise WorkbenchError(f"JupyterHub needs its proxy, {_PROXY}: {remedy}{node}")
    return [found]


@contextlib.contextmanager
def opened(room: Room, told: Callable[[str], None] = lambda _: None) -> Iterator[Callable[[], None]]:
    """Open a room, and close it at the end of the block.

    Yields
    ------
    callable
        Looks at what runs, starts again what has died, and keeps everybody's work; to be called every second or so.

    Raises
    ------
    WorkbenchError
        If the room is open already, or something does not come up; the message says where its log lies.
    """
    if processes.is_open(room):
        raise WorkbenchError(f"{room.folder} is open already: 'genai4eu course stop {room.folder}' closes it")
    keeper = _Keeper(room, told)
    keeper.reachable()
    try:
        keeper.furnish()
        told("importing what all seats share")
        keeper.begin("kernels", "servers")
        told("starting JupyterHub")
        keeper.begin("board", "factory", "files", "proxy", "hub")
        keeper.answers()
        yield keeper.look
    finally:
        keeper.close()


class _Keeper:
    def __init__(self, room: Room, told: Callable[[str], None]) -> None:
        self.room, self.told = room, told
        self.run = room.folder / "run"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._secret = secrets.token_hex(32)
        self._caretaker = Caretaker(room, told)
        self._pause = 0.0
        self._trouble = ""
        own = {name: os.environ[name] for name in _PASSED if name in os.environ}
        #: Numerical threads: twenty kernels with as many threads as processors keep each other from all of them.
        self._env = patient({
            **own, "HOME": str(room.folder / "hub"), UNTIL: str(os.getpid()), "GENAI4EU_ROOM": str(room.folder),
            "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1",
        })  # fmt: skip

    def furnish(self) -> None:
        """Bring back what a reboot, or a room that was killed, took away: users, disks, groups."""
        processes.end([*processes.living(self.room).values(), *processes.left(self.room)])
        processes.note(self.room, {})
        for seat in self.room.seats:
            known = self.room.people.there(seat)
            self.room.people.make(seat, self.room.home(seat))
            if not self.room.about["without_disks"]:
                disks.mount(self.room, seat)
            if not known:  # the new user has another number
                for folder in (self.room.home(seat), self.room.temporary(seat)):
                    self.room.people.own(seat, folder)
                self.room.people.read_only(seat, self.room.news(seat))
        prepare(self.room, self.told)

    def reachable(self) -> None:
        """Tell before anything is begun if something else has the room's address."""
        about = self.room.about
        free(about["host"], about["port"], "end what uses it; the room keeps the address that is on its sheets")

    def answers(self) -> None:
        """Wait until participants reach the hub through the proxy."""
        about = self.room.about
        self._wait("proxy", lambda: self._answers(about["port"], "/hub/health", near(about["host"])))

    def begin(self, *names: str) -> None:
        """Start processes, and wait until each does its work."""
        awaited = []
        for name in names:
            command, ready = self._command(name)
            if command:
                (self.run / name).unlink(missing_ok=True)
                self._start(name, command)
                awaited.append((name, ready))
        for name, ready in awaited:
            self._wait(name, ready)
        processes.note(self.room, {name: process.pid for name, process in self._running.items()})

    def _command(self, name: str) -> tuple[list[str], Callable[[], bool]]:
        about, python = self.room.about, [sys.executable, "-P", "-m"]
        if name in _FORGES:
            socket = self.run / name
            return [*python, f"genai4eu.{_FORGES[name]}", str(socket)], socket.exists
        if name == "board":
            return [*python, "genai4eu.courses.board", str(self.room.folder)], lambda: True
        if name == "factory":
            return factory.broker(self.room)
        if name == "files":
            return [*python, "genai4eu.courses.room.files", str(about["files_port"])], lambda: True
        if name == "proxy":
            return [
                *proxy(), "--ip", about["host"], "--port", str(about["port"]), "--api-ip", "127.0.0.1",
                "--api-port", str(about["proxy_port"]), "--default-target", f"http://127.0.0.1:{about['hub_port']}",
                "--error-target", f"http://127.0.0.1:{about['hub_port']}/hub/error",
            ], lambda: self._answers(about["proxy_port"], "/api/routes")  # fmt: skip
        hub = [*python, "genai4eu.courses.room.hub", "-f", str(Path(__file__).parent / "hub" / "config.py")]
        return hub, lambda: self._answers(about["hub_port"], "/hub/health")

    def _start(self, name: str, command: list[str]) -> None:
        env = self._env | self._own(name)
        with (self.run / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, env=env, cwd=self.room.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=processes.with_parent,
            )  # fmt: skip

    def _own(self, name: str) -> dict[str, str]:
        """Return the secrets of a process, which no other sees: whatever a forge begins with, each of its seats has."""
        if name == "factory":
            return factory.account()
        return {"CONFIGPROXY_AUTH_TOKEN": self._secret} if name in ("proxy", "hub") else {}

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not ready():
            if self._running[name].poll() is not None:
                raise WorkbenchError(f"{name} ended at once: {last(self.run / f'{name}.log')}")
            if time.monotonic() > until:
                raise WorkbenchError(f"the room did not open within {_PATIENCE} s: see the logs in {self.run}")
            time.sleep(0.1)

    def _answers(self, port: int, path: str, host: str = "127.0.0.1") -> bool:
        headers = {"Authorization": f"token {self._secret}"} if path.startswith("/api") else {}
        try:
            return httpx.get(f"http://{host}:{port}{path}", headers=headers, timeout=5).is_success
        except httpx.HTTPError:
            return False

    def look(self) -> None:
        """Start again what has died, and see to the seats' work; what fails is told, and tried again later."""
        dead = [name for name, process in self._running.items() if process.poll() is not None]
        try:
            if dead and time.monotonic() >= self._pause:
                self._pause = time.monotonic() + _PAUSE
                self.told(f"{' and '.join(dead)} ended and is started again; seats go on")
                self.begin(*dead)
                if "proxy" in dead:  # the new one knows no seats: the hub tells it
                    self._caretaker.hub("POST", "proxy")
            shorten(self.run)
            self._caretaker.look()
            self._trouble = ""
        except Exception as error:  # noqa: BLE001  # whatever it is: a room stays open, with everybody in it
            if (said := why(error)) != self._trouble:  # once, not every second
                self._trouble = said
                self.told(said)

    def close(self) -> None:
        """End everything, servers and kernels of seats included; what was done last is kept."""
        with unhurried():  # a second Ctrl-C would leave half of it
            try:
                self._caretaker.keep()
            except Exception as error:  # noqa: BLE001  # whatever it is: nothing may keep a room from being closed
                self.told(why(error))
            finally:
                self._leave()

    def _leave(self) -> None:
        self._end()
        processes.end(list(processes.left(self.room)))
        if groups := groups_of(self.room):
            groups.end(self.room.seats)
        for seat in self.room.seats:
            disks.unmount(self.room, seat)
        write_own(self.run / processes.FILE, {})

    def _end(self) -> None:
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            for process in self._running.values():
                if process.poll() is None:
                    process.send_signal(number)
            for process in self._running.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
