"""The WebSocket of a kernel: what passes between a client and the kernel's own sockets. Used by the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelWebsocketHandler
from tornado import web
from tornado.websocket import WebSocketClosedError

V1 = "v1.kernel.websocket.jupyter.org"


class Channels(KernelWebsocketHandler):  # type: ignore[misc]
    """``/api/kernels/<id>/channels``: the WebSocket of a kernel."""

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose how to speak; with a client that has left already, not at all."""
        if self.connection is None:
            return None
        chosen: str | None = super().select_subprotocol(subprotocols)
        return chosen

    async def open(self, kernel_id: str) -> None:
        """Send small messages at once: waiting for more to send costs 40 ms a round trip."""
        self.set_nodelay(True)
        await super().open(kernel_id)
        if kernel_id not in self.kernel_manager:  # it ended while the client came; ask again and be told 404
            self.close(1000, "the kernel is gone")


class Connection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """A client's WebSocket; knows how to say that the kernel is gone."""

    async def prepare(self) -> None:
        """Wait for the kernel to be ready, but not (as jupyter_server does, a minute long) for one that has ended."""
        ready = asyncio.ensure_future(super().prepare())
        while not (await asyncio.wait([ready], timeout=0.2))[0]:
            if self.kernel_id not in self.multi_kernel_manager:
                ready.cancel()
                raise web.HTTPError(404, "the kernel is gone")
        await ready

    _last: dict[str, Any]  # header of the client's latest cell

    def handle_incoming_message(self, incoming_msg: str) -> None:
        """Remember which cell was the last, for ``say``."""
        super().handle_incoming_message(incoming_msg)
        if self.subprotocol == V1 and b'"execute_request"' in incoming_msg[:1024]:  # type: ignore[operator]
            self._last = json.loads(deserialize_msg_from_ws_v1(incoming_msg)[1][0])

    def say(self, text: str) -> None:
        """Show one line in the cell that runs, else in the last one."""
        self.write_stderr(text, getattr(self, "_last", {}))

    def on_restart_failed(self) -> None:
        """Say that the kernel is dead, and hang up. Called when its process has ended by itself."""
        super().on_restart_failed()
        self.websocket_handler.close(1000, "the kernel is gone")


def _connections(kernel_id: str) -> list[Connection]:
    return [c for c in Connection._open_sockets if isinstance(c, Connection) and c.kernel_id == kernel_id]


def say_dead(kernel_id: str, reason: str = "the kernel is gone") -> None:
    """Tell every client of the kernel that it is dead, and hang up. Called when a kernel has been ended."""
    for connection in _connections(kernel_id):
        with contextlib.suppress(WebSocketClosedError):  # this client has just left
            connection._send_status_message("dead")
        connection.websocket_handler.close(1000, reason[:120])


def warn(kernel_id: str, text: str) -> None:
    """Show one line to every client of the kernel, in the cell that runs, else in the last one."""
    for connection in _connections(kernel_id):
        with contextlib.suppress(WebSocketClosedError):
            connection.say(f"genai4eu: {text}")


def hang_up(user: str) -> None:
    """Close every WebSocket that this user opened. Called when their token has been revoked."""
    for connection in list(Connection._open_sockets):
        handler = connection.websocket_handler
        if handler.current_user is not None and handler.current_user.username == user:
            handler.close(4401, "token revoked")


def absent_since(kernel_id: str) -> float | None:
    """Return since when (``time.monotonic()``) no bridge is there; ``None`` if one is, or none ever was."""
    return None


def forget(kernel_id: str) -> None:
    """Drop what is kept for bridges of this kernel. Called when a kernel has ended and its clients were told."""


def busy(kernel_id: str) -> bool:
    """Return whether a cell is running, as far as the connected clients know."""
    states = [getattr(connection.kernel_manager, "execution_state", "") for connection in _connections(kernel_id)]
    return "busy" in states
