"""Starts a seat's notebook server by forking it as that seat's user. Loaded by JupyterHub."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from jupyterhub.spawner import Spawner
from jupyterhub.utils import random_port
from traitlets import Float, Int, Unicode

from genai4eu.kernels.warm.channel import connect
from genai4eu.kernels.warm.sealed import sealed
from genai4eu.kernels.warm.settings import IDLE, UNTIL
from genai4eu.kernels.warm.variables import patient

from ...desk import VARIABLE
from ...seat import FILES
from ..confining import request
from ..factory import variables
from ..files import ADDRESS
from ..folder import COURSE, JUPYTER, Room
from .line import Line

#: How many seats start at the same time; the rest see their place in the line.
_LINE = Line(4)
#: Seconds; a month is the most that a template may be idle.
_EVER = "2592000"

#: Folders of JupyterLab's that are a seat's own, as its options and its home call them.
_OWN = (("workspaces", "workspaces"), ("user_settings", "user-settings"))


class SeatSpawner(Spawner):  # type: ignore[misc]
    """Asks the room's two forges: for the seat's template of kernels, and for its server."""

    folder = Unicode(help="The room's folder.").tag(config=True)
    pid = Int(0)
    born = Float(0.0)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up a server that outlived the hub."""
        super().load_state(state)
        self.pid, self.born = state.get("pid", 0), state.get("born", 0.0)

    def get_state(self) -> dict[str, Any]:
        """Return what names the server."""
        return {**super().get_state(), "pid": self.pid, "born": self.born}

    def clear_state(self) -> None:
        """Forget the server."""
        super().clear_state()
        self.pid, self.born = 0, 0.0

    @property
    def home(self) -> Path:
        """The seat's folder."""
        return Path(self.folder) / "seats" / str(self.user.name)

    def get_args(self) -> list[str]:
        """Return the server's options: it shows the seat's folder and nothing else."""
        lab = self.home / ".jupyter" / "lab"  # else they were below the home of what the server is forked from
        folders = [f"--LabApp.{name}_dir={lab / where}" for name, where in _OWN]
        return [*super().get_args(), f"--ServerApp.root_dir={self.home}", *folders]

    async def start(self) -> tuple[str, int]:
        """Wait in the line, fork the seat's template and server, and return where that listens."""
        async with _LINE.turn(self.user.name):
            return await self._start()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Tell the page that waits how many are before this seat; its words are the page's own."""
        while True:
            before = _LINE.before(self.user.name)
            yield {"progress": 50 if before == 0 else max(5, 45 - 5 * before), "before": before, "message": ""}
            await asyncio.sleep(0.5)

    async def _start(self) -> tuple[str, int]:
        port: int = self.port or random_port()  # type: ignore[has-type]
        self.port = port
        env = {**self.get_env(), **self._own()}
        loop = asyncio.get_running_loop()
        env |= {UNTIL: os.environ[UNTIL], IDLE: _EVER}  # templates end with the room, and not before
        kernels = patient(
            {
                name: value
                for name, value in env.items()
                if not name.startswith("JUPYTERHUB_") and name != "JPY_API_TOKEN"
            }
        )
        told = await loop.run_in_executor(
            None, self._forge, {"env": kernels, "log": str(self.home / ".kernels.log")},
            {"env": env, "argv": self.get_args(), "log": str(self.home / ".server.log")},
        )  # fmt: skip
        self.pid = told["pid"]
        self.born = psutil.Process(self.pid).create_time()
        return "127.0.0.1", port

    def _own(self) -> dict[str, str]:
        """Return the variables that say where a seat is: to its server, and to its kernels."""
        room = Room(Path(self.folder))
        return {
            **variables(room, self.user.name), FILES: ADDRESS,
            "HOME": str(self.home), "USER": self.user.name, VARIABLE: str(self.home), "GENAI4EU_SEAT": self.user.name,
            "GENAI4EU_NEWS": str(room.news(self.user.name)), "GENAI4EU_COURSE_SHARED": str(room.folder / COURSE),
            "JUPYTER_PATH": str(room.folder / JUPYTER), "JUPYTER_CONFIG_PATH": str(room.folder / JUPYTER),
            "JUPYTER_RUNTIME_DIR": str(room.temporary(self.user.name)),  # which its participant cannot delete
        }  # fmt: skip

    def _forge(self, kernels: dict[str, Any], server: dict[str, Any]) -> dict[str, Any]:
        """Have the seat's template forked, and then its server, which enters what the template sees."""
        room = Room(Path(self.folder))
        _, spaces = self._ask("kernels", request(room, self.user.name, kernels=True), kernels, [])
        try:
            told, more = self._ask("servers", request(room, self.user.name, kernels=False), server, spaces)
            spaces += more
        finally:
            for space in spaces:
                os.close(space)
        return told

    def _ask(
        self, forge: str, asked: dict[str, Any], own: dict[str, Any], spaces: list[int]
    ) -> tuple[dict[str, Any], list[int]]:
        channel, file = connect(Path(self.folder) / "run" / forge, 10), sealed(own)
        try:
            channel.send(asked, (file, *spaces))
            told, more = channel.receive()
        finally:
            channel.close()
            os.close(file)
        if "refused" in told:
            raise RuntimeError(f"{forge}: {told['refused']}")
        return told, more

    async def poll(self) -> int | None:
        """Tell whether the server runs: None if it does."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid) if self.pid else None
            if process and process.create_time() == self.born and process.status() != psutil.STATUS_ZOMBIE:
                return None
        self.clear_state()
        return 0

    async def stop(self, now: bool = False) -> None:
        """End the server; its kernels end with it."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if await self.poll() is not None:
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            for _ in range(50):
                if await self.poll() is not None:
                    return
                await asyncio.sleep(0.1)
