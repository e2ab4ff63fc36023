"""Interrupts the remote kernel; what is asked while there is no connection is delivered later. Used by ``bridge``."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from ..errors import KernelsError
from ..rest import GatewayDown

if TYPE_CHECKING:
    from .link import Link
    from .remote import Remote
    from .requests import Requests
    from .voice import Voice

#: Seconds between looks at whether the connection is back, and for the gateway to repeat what the cell said meanwhile.
PAUSE, REPEAT = 0.5, 1.0


class Interrupts:
    """What the client's interrupts do to one kernel."""

    def __init__(self, remote: Remote, link: Link, requests: Requests, voice: Voice) -> None:
        self._remote, self._link, self._requests, self._voice = remote, link, requests, voice
        self._later: dict[str, asyncio.Task[None]] = {}  # by the cell that they are meant for
        self.calls = asyncio.Lock()  # a client that ends a kernel interrupts it just before: keep the order
        self.over = False  # whether the kernel's end was asked for

    async def interrupt(self) -> None:
        """Interrupt what runs, or see to it that it will be."""
        cell = self._requests.current if self._requests.cells else {}
        if cell and cell["msg_id"] in self._later:
            return
        if await self._tried(cell) or not self._runs(cell):
            return
        self._later[cell["msg_id"]] = asyncio.create_task(self._deliver(cell))
        await self._voice.line(cell, "no connection to the gateway; the interrupt will be delivered when it is back")

    async def _deliver(self, cell: dict[str, Any]) -> None:
        """Try again until the interrupt has arrived or the cell has ended; the link gives up when the lease is over."""
        try:
            while self._runs(cell):
                await asyncio.sleep(PAUSE)
                if not self._link.connected:
                    continue
                await asyncio.sleep(REPEAT)  # the cell's end may be among what comes now: the next cell is not meant
                if self._runs(cell) and await self._tried(cell):
                    return
        finally:
            del self._later[cell["msg_id"]]

    def _runs(self, cell: dict[str, Any]) -> bool:
        here = bool(cell) and bool(self._requests.cells) and self._requests.current["msg_id"] == cell["msg_id"]
        return here and self._remote.up and not self.over

    async def _tried(self, cell: dict[str, Any]) -> bool:
        """Ask the gateway; return whether there is no more to do: it did it, or refused, and the cell says so then."""
        async with self.calls:
            if self.over or not self._remote.up:
                return True
            try:
                await asyncio.to_thread(self._remote.gateway.interrupt, self._remote.kernel_id)
            except GatewayDown as error:
                print(f"genai4eu: not interrupted: {error}", file=sys.stderr, flush=True)
                return False
            except KernelsError as error:
                print(f"genai4eu: not interrupted: {error}", file=sys.stderr, flush=True)
                if self._runs(cell):
                    await self._voice.line(cell, f"not interrupted: {error}")
        return True
