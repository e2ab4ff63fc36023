"""Keeps a room open: the two forges, JupyterHub and its proxy, until told to stop. Called by ``genai4eu course start``.

What dies is started again; seats go on meanwhile, because the forges, not the hub, hold their servers.
"""

from __future__ import annotations

import contextlib
import importlib.util
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

from genai4eu.kernels.warm.settings import UNTIL

from ...errors import WorkbenchError
from .room import Room

BOARD = "genai4eu.courses.board"
_PROXY = "configurable-http-proxy"
#: Seconds in which everything has to be up.
_PATIENCE = 180
_PASSED = ("PATH", "LANG", "LC_ALL", "TZ")


def proxy() -> list[str]:
    """Return JupyterHub's proxy as a command.

    Raises
    ------
    WorkbenchError
        If it is not installed.
    """
    found = shutil.which(_PROXY)
    if found is None:
        raise WorkbenchError(f"JupyterHub needs {_PROXY}: npm install -g {_PROXY}")
    return [found]


@contextlib.contextmanager
def opened(room: Room, told: Callable[[str], None] = lambda _: None) -> Iterator[Callable[[], None]]:
    """Open a room, and close it at the end of the block.

    Yields
    ------
    callable
        Looks at what runs, and starts again what has died; to be called every second or so.

    Raises
    ------
    WorkbenchError
        If something does not come up; the message says where its log lies.
    """
    keeper = _Keeper(room)
    try:
        told("importing what all seats share")
        keeper.forges()
        told("starting JupyterHub")
        keeper.board()
        keeper.hub()
        yield keeper.look
    finally:
        keeper.close()


class _Keeper:
    def __init__(self, room: Room) -> None:
        self.room = room
        self.run = room.folder / "run"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._secret = secrets.token_hex(32)
        own = {name: os.environ[name] for name in _PASSED if name in os.environ}
        #: Numerical threads: twenty kernels with as many threads as processors keep each other from all of them.
        self._env = {
            **own, "HOME": str(room.folder / "hub"), UNTIL: str(os.getpid()), "GENAI4EU_ROOM": str(room.folder),
            "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "CONFIGPROXY_AUTH_TOKEN": self._secret,
        }  # fmt: skip

    def forges(self) -> None:
        """Start what forks templates and servers, and wait until both listen."""
        for name, module in (("kernels", "kernels.warm.seats"), ("servers", "courses.room.servers")):
            (self.run / name).unlink(missing_ok=True)
            self._start(name, "-P", "-m", f"genai4eu.{module}", str(self.run / name))
        self._wait(lambda: all((self.run / name).exists() for name in ("kernels", "servers")))

    def board(self) -> None:
        """Start the trainer's page."""
        if importlib.util.find_spec(BOARD):
            self._start("board", "-P", "-m", BOARD, str(self.room.folder))

    def hub(self) -> None:
        """Start JupyterHub, which starts its proxy, and wait until it answers."""
        config = Path(__file__).parent / "hub" / "config.py"
        self._start("hub", "-P", "-m", "jupyterhub", "-f", str(config))
        self._wait(self._answers)

    def _start(self, name: str, *command: str) -> None:
        log = (self.run / f"{name}.log").open("ab")
        with log:
            self._running[name] = subprocess.Popen(
                [sys.executable, *command], env=self._env, cwd=self.room.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def _wait(self, ready: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not ready():
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise WorkbenchError(f"{name} ended at once: {_last(self.run / f'{name}.log')}")
            if time.monotonic() > until:
                raise WorkbenchError(f"the room did not open within {_PATIENCE} s: see the logs in {self.run}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.room.about['hub_port']}/hub/health", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def look(self) -> None:
        """Start the hub again if it has died; a forge that died takes its seats along, and begins anew."""
        for name, process in list(self._running.items()):
            if process.poll() is None:
                continue
            if name in ("hub", "board"):
                getattr(self, name)()
            else:
                self.forges()

    def close(self) -> None:
        """End everything, servers and kernels of seats included."""
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
            for process in self._running.values():
                if process.poll() is None:
                    process.send_signal(number)
            for process in self._running.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
        self._end_proxy()

    def _end_proxy(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((self.run / "proxy.pid").read_text(encoding="ascii")), signal.SIGTERM)


def _last(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return f"{lines[-1].strip() if lines else 'it said nothing'} ({log})"
