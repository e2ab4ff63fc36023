"""The gateway's side of the bridge: one WebSocket that comes back after an interruption. Used by ``bridge``.

With our gateway nothing is lost or doubled (``kernels.sequence``). A stock gateway keeps what it can; the bridge is
told that the connection broke, and says so where output may be missing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from typing import Protocol

from ..rest import Gateway, GatewayDown, KernelGone, reason_of
from ..sequence import ACKNOWLEDGEMENT, SECONDS, Inbox, Outbox, acknowledgement, pack, unpack
from ..wire import V1, V2, BadMessage, pack_v1, unpack_v1
from .websocket import Refused, WebSocket, connect
from .wire import pack_legacy, unpack_legacy

#: Seconds of silence after which the gateway is asked to say something, and after which the connection is given up.
QUIET, SILENCE = 5.0, 15.0
#: Seconds for a connection: a stock gateway answers the first one when the kernel does.
FIRST, AGAIN = 90.0, 15.0


class Listener(Protocol):
    """Who is told what happens."""

    async def hear(self, channel: str, parts: list[bytes]) -> None:
        """A message came."""

    async def forgotten(self, unsent: frozenset[str]) -> None:
        """The gateway knows nothing of what was said before: no request but the unsent ones can be answered."""

    def broken(self) -> None:
        """The connection is gone; it will be tried again."""

    def back(self, sure: bool) -> None:
        """The connection stands again; ``sure`` if nothing was lost meanwhile."""


class Link:
    """The connection to one kernel at the gateway.

    Parameters
    ----------
    gateway : Gateway
        Its address and token.
    kernel_id : str
        The kernel.
    patience : float
        Seconds during which a broken connection is tried again.
    """

    def __init__(self, gateway: Gateway, kernel_id: str, patience: float) -> None:
        self._gateway = gateway
        self._kernel_id = kernel_id
        self._patience = patience
        self._session = uuid.uuid4().hex  # the same after an interruption
        self._epoch = ""
        self._socket: WebSocket | None = None
        self._plain = False
        self._open = asyncio.Event()
        self._room = asyncio.Event()
        self._acknowledging: asyncio.TimerHandle | None = None
        self.forget()

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._socket is not None

    def forget(self) -> None:
        """Drop what waits to be sent. Called when there is no kernel to send it to."""
        self._outbox, self._inbox = Outbox(), Inbox()

    async def run(self, listener: Listener) -> None:
        """Connect, hand every message to ``listener``, and connect again when the connection breaks.

        Raises
        ------
        KernelGone, TokenRefused, GatewayDown
            When there is nothing to come back to.
        """
        while True:
            socket = await self._connect_patiently()
            pinging = asyncio.create_task(self._keep_awake(socket))
            try:
                await (self._speak_numbered if socket.subprotocol == V2 else self._speak_plainly)(socket, listener)
            except (BadMessage, ValueError, LookupError, TypeError) as error:  # not a message: go on behind it
                print(f"genai4eu: dropped what the gateway sent ({error!r})", file=sys.stderr, flush=True)
            finally:
                pinging.cancel()
                socket.abort()
                self._socket = None
                self._open.clear()
            listener.broken()

    async def _speak_numbered(self, socket: WebSocket, listener: Listener) -> None:
        hello = await socket.receive()
        if not isinstance(hello, str):
            return
        agreed = json.loads(hello)
        again = bool(self._epoch)
        if agreed["resumed"]:
            self._outbox.acknowledge(max(agreed["received"], self._outbox.acknowledged))
            self._outbox.rewind()
        else:
            unsent = self._outbox.unsent()
            self.forget()
            for message in unsent:
                self._outbox.put(message)
            if again:
                await listener.forgotten(frozenset(json.loads(unpack_v1(m)[1][0])["msg_id"] for m in unsent))
        self._epoch = agreed["epoch"]
        self._socket = socket
        self._flush()
        if again:
            listener.back(True)
        while (data := await socket.receive()) is not None:
            await self._take(data, listener)

    async def _take(self, data: str | bytes, listener: Listener) -> None:
        for kind, number, acknowledged, piece in unpack(data):
            self._outbox.acknowledge(max(acknowledged, self._outbox.acknowledged))
            if kind == ACKNOWLEDGEMENT:
                continue
            message = self._inbox.take(kind, number, piece)
            if message is not None:
                await listener.hear(*unpack_v1(message, least=1))
        self._room.set()
        if self._inbox.urgent:
            self._acknowledge()
        elif self._inbox.owes and self._acknowledging is None:
            self._acknowledging = asyncio.get_running_loop().call_later(SECONDS, self._acknowledge)
        self._flush()

    def _flush(self) -> None:
        while self._socket is not None and (frames := self._outbox.next()):
            self._socket.send(pack(frames, self._inbox.tell()))

    def _acknowledge(self) -> None:
        if self._acknowledging is not None:
            self._acknowledging.cancel()
            self._acknowledging = None
        if self._socket is not None and self._inbox.owes:
            self._socket.send(acknowledgement(self._inbox.tell()))

    async def _speak_plainly(self, socket: WebSocket, listener: Listener) -> None:
        unpack = unpack_v1 if socket.subprotocol == V1 else unpack_legacy
        again, self._plain, self._socket = self._plain, True, socket
        for message in self._outbox.unsent():
            self._send_plainly(*unpack_v1(message))
        self.forget()
        self._open.set()
        if again:
            listener.back(False)
        while (data := await socket.receive()) is not None:
            await listener.hear(*unpack(data))

    def _send_plainly(self, channel: str, parts: list[bytes]) -> None:
        assert self._socket is not None
        pack = pack_v1 if self._socket.subprotocol == V1 else pack_legacy
        self._socket.send(pack(channel, parts))

    async def send(self, channel: str, parts: list[bytes]) -> None:
        """Send a message, now or when there is a connection; waits when too much waits already."""
        if self._plain:
            await self._open.wait()
            self._send_plainly(channel, parts)
            return
        while self._outbox.full:
            self._room.clear()
            await self._room.wait()
        self._outbox.put(pack_v1(channel, parts))
        self._flush()

    async def leave(self) -> None:
        """Say that this bridge will not come back."""
        if self._socket is not None and not self._plain:
            self._socket.send('{"bye": true}')
            await self._socket.close()

    async def _keep_awake(self, socket: WebSocket) -> None:
        """Ask for a word when none comes, and give up a connection on which nothing at all comes any more."""
        asked = 0.0
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            quiet = now - socket.heard
            if quiet > SILENCE:
                socket.abort()
            elif now - asked > QUIET:
                asked = now
                socket.ping()

    async def _connect_patiently(self) -> WebSocket:
        """Connect, backing off from 0.05 s to 3 s between tries, as long as the kernel may still be there."""
        pause, deadline = 0.05, time.monotonic() + self._patience
        while True:
            try:
                return await self._connect()
            except (OSError, Refused) as error:
                if time.monotonic() + pause > deadline:
                    long = f"has not answered for {self._patience:.0f} s ({reason_of(error)})"
                    raise GatewayDown(f"the gateway at {self._gateway.url} {long}") from None
            await asyncio.sleep(pause)
            pause = min(2 * pause, 3.0)

    async def _connect(self) -> WebSocket:
        query = f"session_id={self._session}&epoch={self._epoch}&received={self._inbox.received}"
        url = f"{self._gateway.url}/api/kernels/{self._kernel_id}/channels?{query}"
        patience = AGAIN if self._epoch or self._plain else FIRST
        try:
            return await connect(url, self._gateway.headers(), [V2, V1], self._gateway.tls(), patience)
        except Refused as error:
            if error.status == 404:
                raise KernelGone(f"the kernel is no longer at the gateway {self._gateway.url}") from None
            if error.status in (401, 403):
                raise self._gateway.refused_token() from None
            raise
