"""The relay's line to the agent in the job. Used by ``relay``; the other end is ``agent``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import zmq
import zmq.asyncio

from .lane import BEAT, Lane, boot_id, prepare

Receiver = Callable[[str, list[bytes]], Awaitable[None]]


class Line:
    """One connection to one agent."""

    def __init__(self, keys: tuple[str, str]) -> None:
        self._keys = keys
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.DEALER)
        prepare(self._socket)
        self._lane = Lane(self._socket.send_multipart)
        self.connected = False

    async def connect(self, about: dict[str, Any]) -> None:
        """Connect to the first of the agent's addresses that answers."""
        self._socket.curve_publickey, self._socket.curve_secretkey = (key.encode() for key in self._keys)
        self._socket.curve_serverkey = about["key"].encode()
        port = int(about["port"])
        here = ["127.0.0.1"] if about["boot"] and about["boot"] == boot_id() else []
        address = await _first_open([*here, *about["addresses"]], port)
        self._socket.connect(f"tcp://{address}:{port}")
        self.connected = True
        await self.beat()

    async def serve(self, receiver: Receiver) -> None:
        """Hand on what the agent says, for ever."""
        while True:
            due = await self._lane.take(await self._socket.recv_multipart())
            if due is not None:
                await receiver(*due)

    async def beat(self) -> None:
        """Confirm at once what came: the agent may be waiting for that to end."""
        await self._lane.beat()

    async def beats(self) -> None:
        """Beat, for ever."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT)

    async def send(self, kind: str, parts: list[bytes] | None = None) -> None:
        """Send a message."""
        await self._lane.send(kind, parts)

    @property
    def silence(self) -> float:
        """Seconds since the agent was last heard."""
        return time.monotonic() - self._lane.heard

    def close(self) -> None:
        """Hang up, after what is on its way."""
        self._context.destroy(linger=500)


async def _first_open(addresses: list[str], port: int) -> str:
    """Return the address that answers first; the agent's key then proves that it is the right one."""
    while True:
        for address in addresses:
            try:
                async with asyncio.timeout(3):
                    _, writer = await asyncio.open_connection(address, port)
            except (OSError, TimeoutError):
                continue
            writer.close()
            return address
        await asyncio.sleep(1)
