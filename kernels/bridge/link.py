"""The gateway's side of the bridge: one WebSocket that comes back after an interruption. Used by ``bridge``."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Callable

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from ..rest import Gateway, GatewayDown, KernelGone, TokenRefused
from .wire import V1, pack_legacy, pack_v1, unpack_legacy, unpack_v1

#: Seconds during which an interrupted connection may come back before the kernel is given up.
GRACE = 60.0
#: Bytes in one message; tornado's own limit of 10 MiB would cut the connection.
MESSAGE_LIMIT = 1 << 30
Receiver = Callable[[str, list[bytes]], Awaitable[None]]


class Link:
    """The connection to one kernel at the gateway."""

    def __init__(self, gateway: Gateway, kernel_id: str, grace: float = GRACE) -> None:
        self._gateway = gateway
        self._kernel_id = kernel_id
        self._grace = grace
        self._session = uuid.uuid4().hex  # the same after an interruption: the gateway replays what came meanwhile
        self._socket: WebSocketClientConnection | None = None
        self._open = asyncio.Event()

    async def run(self, receiver: Receiver) -> None:
        """Connect, hand every message to ``receiver``, and connect again when the connection breaks.

        Raises
        ------
        KernelGone, TokenRefused, GatewayDown
            When there is nothing to come back to.
        """
        while True:
            self._socket = await self._connect_patiently()
            unpack = unpack_v1 if self._socket.selected_subprotocol == V1 else unpack_legacy
            self._open.set()
            while (message := await self._socket.read_message()) is not None:
                await receiver(*unpack(message))
            self._open.clear()
            print("genai4eu: the connection to the gateway broke; connecting again", file=sys.stderr)

    async def send(self, channel: str, parts: list[bytes]) -> None:
        """Send a message; waits while the connection is interrupted."""
        while True:
            await self._open.wait()
            socket = self._socket
            assert socket is not None
            data = pack_v1(channel, parts) if socket.selected_subprotocol == V1 else pack_legacy(channel, parts)
            try:
                await socket.write_message(data, binary=isinstance(data, bytes))
            except WebSocketClosedError:
                self._open.clear()
            else:
                return

    async def _connect_patiently(self) -> WebSocketClientConnection:
        """Connect, backing off from 0.1 s to 5 s between tries, for the time of grace."""
        pause, deadline = 0.1, time.monotonic() + self._grace
        while True:
            try:
                return await self._connect()
            except (KernelGone, TokenRefused):
                raise
            except (OSError, HTTPClientError) as error:
                if time.monotonic() + pause > deadline:
                    raise GatewayDown(f"the gateway at {self._gateway.url} does not answer ({error})") from None
            await asyncio.sleep(pause)
            pause = min(2 * pause, 5.0)

    async def _connect(self) -> WebSocketClientConnection:
        url = f"ws{self._gateway.url.removeprefix('http')}/api/kernels/{self._kernel_id}/channels"
        request = HTTPRequest(
            f"{url}?session_id={self._session}",
            headers=self._gateway.headers(),
            connect_timeout=90,  # the gateway answers when the kernel does
            request_timeout=90,
            follow_redirects=False,
        )
        try:
            socket = await websocket_connect(
                request, subprotocols=[V1], ping_interval=20, ping_timeout=20, max_message_size=MESSAGE_LIMIT
            )
        except HTTPClientError as error:
            if error.code == 404:
                raise KernelGone(f"the kernel is no longer at the gateway {self._gateway.url}") from None
            if error.code in (401, 403):
                raise TokenRefused(
                    f"the gateway at {self._gateway.url} refuses the token in {self._gateway.token_file}"
                ) from None
            raise
        return socket
