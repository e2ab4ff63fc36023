"""A kernel that has executed a dashboard part, and our end of its line. Held by a session or by the reserve."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import tornado.websocket

from . import proxy

if TYPE_CHECKING:
    from ..bundle import Bundle
    from .tier import Tier

#: Bytes that are kept for a page that lost its connection; with more, its session has ended.
_MOST_KEPT = 32 << 20


class Listener(Protocol):
    """A page's connection: what the kernel says goes there."""

    async def hear(self, frame: bytes) -> bool:
        """Pass a message on, and tell whether the page could take it."""

    def hang_up(self) -> None:
        """End the connection because the session has ended."""


class LiveKernel:
    """What the kernel says while no page has ever listened is forgotten: a page asks for all states when it comes.

    Parameters
    ----------
    tier : Tier
        Where it runs.
    bundle : Bundle
        Whose part it has executed.
    executed : Executed
        Its id, and what the cells put out.
    far : WebSocketClientConnection
        The line to it.
    """

    def __init__(
        self, tier: Tier, bundle: Bundle, executed: proxy.Executed, far: tornado.websocket.WebSocketClientConnection
    ) -> None:
        self._tier, self.bundle, self._far = tier, bundle, far
        self.id, self.cells = executed.kernel, executed.cells
        self.ended = False
        #: Called once when it has ended, however that came.
        self.on_end: Callable[[LiveKernel], None] = lambda _: None
        self._listener: Listener | None = None
        self._waiting: deque[bytes] | None = None
        self._reading = asyncio.create_task(self._read())

    async def join(self, listener: Listener) -> None:
        """Let a page listen, to what was said meanwhile first; one that listened before does no more."""
        if self._listener is not None:
            self._listener.hang_up()
        self._listener = listener
        waiting, self._waiting = self._waiting or deque(), deque()
        for frame in waiting:
            await listener.hear(frame)

    def part(self, listener: Listener) -> bool:
        """Keep what is said from now on for the page's return; tell whether it was the one that listened."""
        if self._listener is not listener:
            return False
        self._listener = None
        return True

    async def say(self, frame: bytes) -> None:
        """Pass a page's message on."""
        with contextlib.suppress(tornado.websocket.WebSocketClosedError):  # reading finds that out, too
            await self._far.write_message(frame, binary=True)

    async def end(self) -> None:
        """End it, and whoever listens."""
        if not self.ended:
            self.lost()
            await proxy.end(self._tier, self.id)

    def lost(self) -> None:
        """Take note that it has ended."""
        if self.ended:
            return
        self.ended = True
        self._reading.cancel()
        self._far.close()
        if self._listener is not None:
            self._listener.hang_up()
        self._listener = self._waiting = None
        self.on_end(self)

    async def _read(self) -> None:
        while (message := await self._far.read_message()) is not None:
            if isinstance(message, bytes):
                await self._pass(message)
        self.lost()

    async def _pass(self, frame: bytes) -> None:
        if self._listener is not None and await self._listener.hear(frame):
            return
        if self._waiting is None:  # nobody has ever listened
            return
        self._waiting.append(frame)
        if sum(map(len, self._waiting)) > _MOST_KEPT:
            asyncio.get_running_loop().create_task(self.end()).add_done_callback(lambda _: None)


async def prepare(tier: Tier, bundle: Bundle) -> LiveKernel:
    """Return a kernel that has executed a bundle's part, its line open.

    Raises
    ------
    PartFailedError, TierGoneError, FullError
        As executing does.
    """
    await tier.ready()
    executed = await proxy.execute(tier, bundle)
    try:
        far = await proxy.connect(tier, executed.kernel)
    except BaseException:
        await proxy.end(tier, executed.kernel)
        raise
    return LiveKernel(tier, bundle, executed, far)


def outputs_of(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a page is told of the cells: their outputs alone."""
    return [{"outputs": cell["outputs"]} for cell in cells]
