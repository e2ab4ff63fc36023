"""The WebSocket of a kernel: what passes between a client and the kernel's own sockets. Used by handlers and managers."""

from __future__ import annotations

import asyncio
import contextlib

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelWebsocketHandler
from tornado import web
from tornado.websocket import WebSocketClosedError


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

    def on_restart_failed(self) -> None:
        """Say that the kernel is dead, and hang up. Called when its process has ended by itself."""
        super().on_restart_failed()
        self.websocket_handler.close(1000, "the kernel is gone")


def say_dead(kernel_id: str) -> None:
    """Tell every client of the kernel that it is dead, and hang up. Called when a kernel has been ended."""
    for connection in [c for c in Connection._open_sockets if c.kernel_id == kernel_id]:
        handler = connection.websocket_handler
        with contextlib.suppress(WebSocketClosedError):  # this client has just left
            connection._send_status_message("dead")
        handler.close(1000, "the kernel is gone")
