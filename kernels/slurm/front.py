"""The client's side of the relay: its sockets, who waits, and which cell runs. Used by ``relay``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, NoReturn, Protocol

from ..bridge.local import LocalSide
from ..bridge.wire import BadMessage
from .line import Line
from .say import Voice
from .waiting import WaitingRoom

CHANNELS = ("shell", "control", "stdin")


class Listener(Protocol):
    """What the client wants that is not for the kernel. Implemented by the relay."""

    async def interrupt(self) -> None:
        """Interrupt the kernel, or those who wait for it."""

    async def shut_down(self, restart: bool) -> None:
        """End the job, or leave it to the next relay."""

    def wanted(self) -> None:
        """Take note that there is code to run."""


class Front:
    """Takes what the client says, to the kernel or into the waiting room, and hands on the answers."""

    def __init__(self, connection_file: Path, language: str, listener: Listener) -> None:
        self._local = LocalSide(connection_file)
        self._voice = Voice(self._local)
        self._room = WaitingRoom(self._voice, language)
        self._listener = listener
        self._line: Line | None = None  # to the kernel, once it is ready
        self._cells: dict[str, dict[str, Any]] = {}  # headers of cells at the kernel, by id
        self._last: dict[str, Any] = {}
        self.stopped = asyncio.Event()  # whether the client has asked for the end, and has its answer

    def jobs(self) -> list[Any]:
        """Return what has to run for as long as the relay does."""
        return [self._local.heartbeat(), *(self._pump(channel) for channel in CHANNELS)]

    @property
    def open(self) -> bool:
        """Whether the kernel is ready."""
        return self._line is not None

    async def _pump(self, channel: str) -> NoReturn:
        while True:
            try:
                header, parts = await self._local.receive(channel)
            except BadMessage as error:
                print(f"genai4eu: dropped {error}", file=sys.stderr)
                continue
            if header["msg_type"] == "shutdown_request":
                wish = json.loads(parts[3])
                await self._listener.shut_down(bool(wish.get("restart")))
                await self._local.reply(channel, header, {"status": "ok", **wish})
                self.stopped.set()
            elif header["msg_type"] == "interrupt_request":
                await self._listener.interrupt()
                await self._local.reply(channel, header, {"status": "ok"})
            else:
                await self._take(channel, header, parts)

    async def _take(self, channel: str, header: dict[str, Any], parts: list[bytes]) -> None:
        if channel == "shell":
            self._last = header
        if header["msg_type"] == "execute_request":
            self._listener.wanted()
        if self._line is not None:
            await self._forward(self._line, channel, header, parts)
        else:
            self._room.take(channel, header, parts)

    async def _forward(self, line: Line, channel: str, header: dict[str, Any], parts: list[bytes]) -> None:
        if header["msg_type"] == "execute_request":
            self._cells[header["msg_id"]] = header
        await line.send(channel, parts)

    async def let_in(self, line: Line, rows: dict[str, str]) -> None:
        """Let those who waited go to the kernel, in order, before anybody who comes now."""
        while (held := self._room.next()) is not None:
            if held.shown:
                await self._room.show_in(held, rows)
            await self._forward(line, held.channel, held.header, held.parts)
        self._line = line

    async def hand_on(self, channel: str, parts: list[bytes]) -> None:
        """Hand on what the kernel says."""
        if channel == "shell":
            self._cells.pop(json.loads(parts[1]).get("msg_id", ""), None)
        topic = f"kernel.slurm.{json.loads(parts[0])['msg_type']}" if channel == "iopub" else ""
        await self._local.send(channel, parts, topic)

    async def tell(self, text: str) -> None:
        """Tell a person something, in the cell that runs, else in the last one."""
        await self._voice.line(next(iter(self._cells.values()), self._last), text)

    async def end(self, text: str) -> None:
        """End the cells that run or wait with an error that says why; where there is none, say it in the last one."""
        cells, self._cells = self._cells, {}
        for header in cells.values():
            await self._voice.refuse("shell", header, "KernelDied", text)
        if not await self._room.refuse("KernelDied", text) and not cells:
            await self.tell(text)

    async def entertain(self, rows: dict[str, str]) -> None:
        """Answer those who wait, and show them the state of the queue."""
        await self._room.answer()
        await self._room.show(rows)

    async def refuse(self, name: str, text: str) -> None:
        """End the cells that wait with an error."""
        await self._room.refuse(name, text)

    def close(self) -> None:
        """Close the sockets after what is on its way."""
        self._local.close()
