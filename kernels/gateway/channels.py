"""The WebSocket of a kernel: what passes between a client and the kernel's own sockets. Used by the gateway.

A bridge speaks ``V2`` and loses nothing when its connection breaks (``bridged``); any other client is spoken to as
jupyter_server does. Beyond the WebSocket handler, the functions here are what a gateway says to a kernel's clients.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
import time
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelWebsocketHandler
from tornado import web
from tornado.websocket import WebSocketClosedError

from ..wire import V1, V2, BadMessage
from .bridged import Hold
from .frames import check

#: Bridges that may hold one kernel at the same time.
MOST = 16
_holds: dict[tuple[str, str], Hold] = {}  # by kernel and session of the bridge
_seen: dict[str, float] = {}  # when the last bridge of a kernel left for good


class Channels(KernelWebsocketHandler):  # type: ignore[misc]
    """``/api/kernels/<id>/channels``: the WebSocket of a kernel."""

    heard = 0.0  # when something came last

    async def pre_get(self) -> None:
        """Find or make the bridge's hold on the kernel; jupyter_server prepares for other clients."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if V2 not in [name.strip() for name in offered.split(",")]:
            await super().pre_get()
            return
        if not await ensure_async(self.authorizer.is_authorized(self, self.current_user, "execute", "kernels")):
            raise web.HTTPError(403, "you may not use this kernel")
        self.connection = BridgeConnection(self)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose how to speak; with a client that has left already, not at all."""
        if isinstance(self.connection, BridgeConnection):
            return V2
        if self.connection is None:
            return None
        chosen: str | None = super().select_subprotocol(subprotocols)
        return chosen

    async def open(self, kernel_id: str) -> None:
        """Send small messages at once: waiting for more to send costs 40 ms a round trip."""
        self.set_nodelay(True)
        self.heard = time.monotonic()
        if isinstance(self.connection, BridgeConnection):
            self.connection.connect()  # without jupyter_server's pings: they fail behind a large message
            return
        await super().open(kernel_id)
        if kernel_id not in self.kernel_manager:  # it ended while the client came; ask again and be told 404
            self.close(1000, "the kernel is gone")

    def on_message(self, ws_message: bytes | str) -> None:
        """Take a message; a client that sends rubbish is hung up on."""
        self.heard = time.monotonic()
        try:
            super().on_message(ws_message)
        except (BadMessage, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            self.log.warning("a client's message was refused: %s", type(error).__name__)
            self.close(1007, "that is no message of this protocol")

    def write_message(self, message: bytes | str, binary: bool = False) -> asyncio.Future[None]:
        """Send. Whoever does not wait for it learns in ``on_close`` that the client has left."""
        sent: asyncio.Future[None] = super().write_message(message, binary)
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        return sent

    def on_ping(self, data: bytes) -> None:
        """Know that the bridge is there."""
        self.heard = time.monotonic()

    def on_close(self) -> None:
        """Let go, if there was ever something to hold."""
        if self.connection is not None:
            super().on_close()


class BridgeConnection:
    """One WebSocket of a bridge. Has the methods that jupyter_server's handler calls."""

    def __init__(self, handler: Channels) -> None:
        self._handler = handler
        session = handler.get_query_argument("session_id", "")
        received = handler.get_query_argument("received", "0")
        self._epoch = handler.get_query_argument("epoch", "")
        if not re.fullmatch(r"[A-Za-z0-9-]{8,64}", session) or not re.fullmatch(r"[0-9]{1,18}", received):
            raise web.HTTPError(400, "session_id must be 8 to 64 letters and digits, received a number")
        self._received = int(received)
        self._key = (handler.kernel_id, session)
        self._hold = self._find_or_make()

    def _find_or_make(self) -> Hold:
        user = self._handler.current_user.username
        _sweep()
        hold = _holds.get(self._key)
        if hold is not None and hold.user == user and hold.can_resume(self._epoch, self._received):
            return hold
        if self._handler.kernel_id not in self._handler.kernel_manager:
            raise web.HTTPError(404, "there is no kernel %s: it has ended", self._handler.kernel_id)
        if hold is not None:
            hold.close()
        if len([key for key in _holds if key[0] == self._key[0] and key != self._key]) >= MOST:
            raise web.HTTPError(429, "%s bridges hold this kernel already: end some", MOST)
        self._epoch = ""
        manager = self._handler.kernel_manager.get_kernel(self._handler.kernel_id)
        _holds[self._key] = hold = Hold(manager, user, Path(self._handler.kernel_manager.connection_dir))
        manager.add_restart_callback(functools.partial(_on_dead, self._key[0]), "dead")
        return hold

    def connect(self) -> None:
        """Begin."""
        self._handler.kernel_manager.notify_connect(self._key[0])
        self._hold.open(self._handler, self._epoch, self._received)

    def handle_incoming_message(self, message: bytes | str) -> None:
        """Take a frame, or the word that the bridge will not come back."""
        if isinstance(message, bytes):
            self._hold.take(message)
        elif json.loads(message) == {"bye": True} and _holds.get(self._key) is self._hold:
            _let_go(self._key)
        if self._hold.over:
            self._handler.close(1000, "the kernel is gone")

    def disconnect(self) -> None:
        """The WebSocket is gone."""
        self._handler.kernel_manager.notify_disconnect(self._key[0])
        self._hold.lose(self._handler)
        _sweep()


class Connection(ZMQChannelsWebsocketConnection):  # type: ignore[misc]
    """The WebSocket of any other client; knows how to say that the kernel is gone."""

    _last: dict[str, Any] | None = None  # header of the client's latest cell

    async def prepare(self) -> None:
        """Wait for the kernel to be ready, but not (as jupyter_server does, a minute long) for one that has ended."""
        ready = asyncio.ensure_future(super().prepare())
        while not (await asyncio.wait([ready], timeout=0.2))[0]:
            if self.kernel_id not in self.multi_kernel_manager:
                ready.cancel()
                raise web.HTTPError(404, "the kernel is gone")
        await ready

    def handle_incoming_message(self, incoming_msg: str) -> None:
        """Remember which cell was the last, for ``say``."""
        check(incoming_msg, self.subprotocol)
        super().handle_incoming_message(incoming_msg)
        if self.subprotocol == V1 and b'"execute_request"' in incoming_msg[:1024]:  # type: ignore[operator]
            self._last = json.loads(deserialize_msg_from_ws_v1(incoming_msg)[1][0])

    def say(self, text: str) -> None:
        """Show one line in the cell that runs, else in the last one."""
        self.write_stderr(text, self._last or {})

    def on_restart_failed(self) -> None:
        """Say that the kernel is dead, and hang up. Called when its process has ended by itself."""
        super().on_restart_failed()
        self.websocket_handler.close(1000, "the kernel is gone")


def _of(kernel_id: str) -> list[Hold]:
    return [hold for (its, _), hold in _holds.items() if its == kernel_id]


def _on_dead(kernel_id: str) -> None:
    """The kernel's process has ended by itself."""
    for hold in _of(kernel_id):
        hold.end("its process ended")


def _let_go(key: tuple[str, str]) -> None:
    _holds.pop(key).close()
    _seen[key[0]] = time.monotonic()


def _sweep() -> None:
    """Drop what nobody will come back for."""
    for key in [key for key, hold in _holds.items() if hold.over]:
        _let_go(key)
        if not _of(key[0]):
            _seen.pop(key[0], None)


def _connections(kernel_id: str) -> list[Connection]:
    return [c for c in Connection._open_sockets if isinstance(c, Connection) and c.kernel_id == kernel_id]


def say_dead(kernel_id: str, reason: str = "the kernel is gone") -> None:
    """Tell every client of the kernel that it is dead, and hang up. Called when a kernel has been ended."""
    for connection in _connections(kernel_id):
        with contextlib.suppress(WebSocketClosedError):  # this client has just left
            connection._send_status_message("dead")
        connection.websocket_handler.close(1000, reason.encode()[:120].decode(errors="ignore"))
    for hold in _of(kernel_id):
        hold.end(reason)


def warn(kernel_id: str, text: str) -> None:
    """Show one line to every client of the kernel, in the cell that runs, else in the last one."""
    for connection in _connections(kernel_id):
        with contextlib.suppress(WebSocketClosedError):
            connection.say(f"genai4eu: {text}")
    for hold in _of(kernel_id):
        hold.tell("say", text=text)


def hang_up(user: str) -> None:
    """Close every WebSocket that this user opened. Called when their token has been revoked."""
    handlers = [connection.websocket_handler for connection in list(Connection._open_sockets)]
    handlers += [hold.socket for hold in _holds.values() if hold.socket is not None]
    for handler in handlers:
        if handler.current_user is not None and handler.current_user.username == user:
            handler.close(4401, "token revoked")


def absent_since(kernel_id: str) -> float | None:
    """Return since when (``time.monotonic()``) no bridge is there; ``None`` if one is, or none ever was."""
    holds = _of(kernel_id)
    if any(hold.socket is not None for hold in holds):
        return None
    gone = [_seen[kernel_id]] if kernel_id in _seen else []
    return max([hold.left for hold in holds] + gone, default=None)


def forget(kernel_id: str) -> None:
    """Drop what is kept for bridges of this kernel, but not last words that one has still to hear."""
    for hold in _of(kernel_id):
        hold.end("the kernel is gone")
    _sweep()
    _seen.pop(kernel_id, None)


def keeps(kernel_id: str | None, user: str) -> bool:
    """Return whether a kernel of this user has ended and a bridge has not heard its last words yet."""
    return kernel_id is not None and any(hold.ended and hold.user == user for hold in _of(kernel_id))


def restarted(kernel_id: str) -> None:
    """Tell the bridges that the kernel is another one now. Called when one was restarted over REST."""
    for hold in _of(kernel_id):
        hold.end("it was restarted at the gateway")


def busy(kernel_id: str) -> bool:
    """Return whether a cell is running, as far as the connected clients know."""
    states = [getattr(connection.kernel_manager, "execution_state", "") for connection in _connections(kernel_id)]
    return "busy" in states or any(hold.running for hold in _of(kernel_id))
