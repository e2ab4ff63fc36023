"""Messages between relay and agent: in order, none lost, none twice, whatever the network between them does.

One encrypted ZMQ connection; only holders of the two keys, which lie in files of mode 0600, can use it. A message has a
number; a beat each second says what was sent and what has come, so that the other side forgets or sends again.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

#: Seconds between beats.
BEAT = 1.0
_MESSAGE, _BEAT, _AGAIN = b"m", b"b", b"a"
_PAIR = struct.Struct("<QQ")


class Lane:
    """One side's count of a conversation. ``push`` puts frames on the wire, or drops them while there is none."""

    def __init__(self, push: Callable[[list[bytes]], Awaitable[Any]]) -> None:
        self._push = push
        self._sent = 0
        self._got = 0
        self._unheard: deque[list[bytes]] = deque()  # what the other side has not confirmed
        self._asked = -1
        self.heard = time.monotonic()  # when anything came last

    async def send(self, kind: str, parts: list[bytes] | None = None) -> None:
        """Send a message; it is kept until the other side has it."""
        self._sent += 1
        frames = [_MESSAGE, _PAIR.pack(self._sent, 0), kind.encode(), *(parts or [])]
        self._unheard.append(frames)
        await self._push(frames)

    async def beat(self) -> None:
        """Say how far we are."""
        await self._push([_BEAT, _PAIR.pack(self._sent, self._got)])

    async def take(self, frames: list[bytes]) -> tuple[str, list[bytes]] | None:
        """Take what came over the wire; return kind and parts of a message that is due."""
        self.heard = time.monotonic()
        number, theirs = _PAIR.unpack(frames[1])
        if frames[0] == _MESSAGE:
            if number == self._got + 1:
                self._got = number
                return frames[2].decode(), frames[3:]
            if number > self._got and self._asked != self._got:  # some are missing: ask once
                await self._ask()
            return None
        if frames[0] == _BEAT:
            while self._unheard and self._number(0) <= theirs:
                self._unheard.popleft()
            if number > self._got:
                await self._ask()
        elif frames[0] == _AGAIN:
            for waiting in [f for f in self._unheard if _PAIR.unpack(f[1])[0] > number]:
                await self._push(waiting)
        return None

    async def _ask(self) -> None:
        self._asked = self._got
        await self._push([_AGAIN, _PAIR.pack(self._got, 0)])

    def _number(self, index: int) -> int:
        number: int = _PAIR.unpack(self._unheard[index][1])[0]
        return number

    def delivered(self) -> bool:
        """Return whether the other side has all that was sent."""
        return not self._unheard


def prepare(socket: zmq.asyncio.Socket) -> None:
    """Set what both ends need: nothing dropped for want of room, a dead connection noticed within 15 s."""
    socket.linger = 500
    socket.set_hwm(0)
    socket.setsockopt(zmq.HEARTBEAT_IVL, 5000)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15000)
    socket.setsockopt(zmq.RECONNECT_IVL, 100)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 2000)


def boot_id() -> str:
    """Return what tells this computer, since it started, from all others."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text(encoding="ascii").strip() if file.exists() else ""
