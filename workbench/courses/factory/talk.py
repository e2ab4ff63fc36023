"""The broker's conversation with one seat about one cell: what it hears on the way, what it tells. By ``broker``."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from genai4eu.kernels import targets
from genai4eu.kernels.errors import KernelsError

from .asked import Asked, values
from .cell import Cell, Died, Refused
from .frames import BadFrameError, packed, read
from .inside import MOST

#: Seconds in which a seat takes the last of what it is told, and in which it sends its values.
_PATIENCE = 30.0


class Talk:
    """A seat that has asked.

    Attributes
    ----------
    since, began : float
        When its turn came and when its code began, in seconds since the epoch; 0 before.
    granted, seconds : float
        What it may use, and what it has used.
    why, refused : str
        How its cell ended, and what the factory said where it refused.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()  # a cell says a few megabytes and no more
        self._sender = asyncio.create_task(self._send())
        self._values: asyncio.Future[list[tuple[str, str, bytes]]] | None = None
        self._cell: Cell | None = None
        self._stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.ended = asyncio.Event()
        self.since = self.began = self.granted = self.seconds = 0.0
        self.why, self.refused = "", ""

    def say(self, said: dict[str, Any], data: bytes = b"") -> None:
        """Tell the seat something, as soon as it takes it."""
        self._outbox.put_nowait(packed(said, data))

    def moved(self, place: int, of: int) -> None:
        """Tell the seat where in the queue it is."""
        self.say({"say": "queue", "place": place, "of": of})

    def running(self, granted: float, left: float, asked: float) -> None:
        """Tell the seat that its code begins."""
        self.began, self.granted = time.time(), granted
        self.say({"say": "running", "seconds": granted, "left": left, "asked": asked})

    def stop(self, why: str) -> None:
        """Stop what is done for the seat."""
        if not self._stop.done():
            self._stop.set_result(why)
        if self._cell is not None:
            self._cell.stop(why)

    async def over(self, patience: float) -> None:
        """Wait until all is ended, if that is near, as when the seat's kernel was restarted; else for a second."""
        with contextlib.suppress(TimeoutError):  # whoever asks all the time waits for it, too
            await asyncio.wait_for(self.ended.wait(), patience if self._stop.done() else 1)

    async def attend(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for the seat, and hear meanwhile whether it wants that stopped, or has gone."""
        task, ears = asyncio.create_task(work), asyncio.create_task(self._listen())
        try:
            both: list[asyncio.Future[Any]] = [task, self._stop]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and self._cell is None:  # it waits for its turn still
                task.cancel()
                self.why = self._stop.result()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        finally:
            ears.cancel()

    async def run(self, target: str, folder: Path, asked: Asked, granted: float, begins: Callable[[], None]) -> None:
        """Run the seat's cell on a kernel of its own."""
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            local = targets.find(target).url is None
        except KernelsError as error:  # the trainer has disconnected the gateway
            self.why, self.refused = "refused", str(error)
            return
        cell = self._cell = Cell(target, local, folder, self.say)
        if self._stop.done():
            cell.stop(self._stop.result())
        try:
            self.why = await cell.start(await self._ask_for_values())
            if not self.why:
                begins()
                self.why, given = await cell.execute(asked.code, asked.give, granted)
                told = [{"name": name, "kind": kind, "size": len(data)} for name, kind, data in given]
                self.say({"say": "values", "values": told}, b"".join(data for _, _, data in given))
        except Refused as error:
            self.why, self.refused = "refused", str(error)
        except Died:
            self.why = "dead"
        finally:
            self.seconds = cell.seconds
            await cell.end()

    async def end(self, why: str, **more: Any) -> None:
        """Say the last word, and wait until it is taken, if the seat takes anything."""
        self.say({"say": "end", "why": why, **more})
        self._outbox.put_nowait(b"")
        try:
            await asyncio.wait_for(self._sender, _PATIENCE if why != "closing" else 1)
        except TimeoutError:
            self._writer.transport.abort()  # what it has not taken it does not want

    def close(self) -> None:
        """Send nothing more."""
        self._sender.cancel()

    async def _ask_for_values(self) -> list[tuple[str, str, bytes]]:
        """Have the seat send its values: only now, so that a queue of seats holds none."""
        self._values = asyncio.get_running_loop().create_future()
        self.say({"say": "starting"})
        both: list[asyncio.Future[Any]] = [self._values, self._stop]
        await asyncio.wait(both, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if not self._values.done():
            self.stop("gone")
            return []
        return self._values.result()

    async def _listen(self) -> None:
        try:
            while True:
                wanted = self._values is not None and not self._values.done()
                said, data = await read(self._reader, MOST if wanted else 0)
                if said.get("ask") == "interrupt":
                    self.stop("interrupted")
                elif said.get("ask") == "values" and self._values is not None and not self._values.done():
                    self._values.set_result(values(said.get("values"), data))
                else:
                    raise BadFrameError("what nobody asked for")
        except (BadFrameError, ValueError):
            self.stop("gone")

    async def _send(self) -> None:
        try:
            while piece := await self._outbox.get():
                self._writer.write(piece)
                await self._writer.drain()
        except ConnectionError:
            self.stop("gone")
