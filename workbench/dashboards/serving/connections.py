"""Connections to the gallery: how many, how long, how large; slow ones never keep others out. Made by the server."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections import OrderedDict
from typing import Any

import tornado.httpserver
import tornado.httputil
import tornado.iostream

#: Connections at once; when one more comes, the one goes that has waited longest between two requests.
MOST = 2000
#: Milliseconds after which a visitor is given up who takes nothing of what we send.
STALLED = 30_000
#: Bytes in one message that a live page may send.
MESSAGE = 4 << 20
LIMITS = {
    "max_body_size": 1 << 16,  # a form, or a word of the live protocol
    "max_header_size": 1 << 14,
    "idle_connection_timeout": 20.0,  # also for a request's head, however slowly it comes
    "body_timeout": 10.0,
    "max_buffer_size": MESSAGE,
}


class Connections(tornado.httpserver.HTTPServer):
    """An HTTP server with room for those who ask, whoever else is connected."""

    def initialize(self, *args: Any, **options: Any) -> None:
        """Set the limits. Called by tornado."""
        super().initialize(*args, **{**LIMITS, **options})
        self.most = min(MOST, _descriptors() - 200)
        self._idle: OrderedDict[tornado.iostream.IOStream, None] = OrderedDict()
        self._open = 0

    def handle_stream(self, stream: tornado.iostream.IOStream, address: Any) -> None:
        """Take a connection; when there are too many, let go of the one that waited longest."""
        with contextlib.suppress(OSError):  # it may be gone already
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED)
        self._open += 1
        if self._open > self.most and self._idle:
            oldest, _ = self._idle.popitem(last=False)
            oldest.close()
        self._idle[stream] = None
        super().handle_stream(stream, address)

    def start_request(self, server_conn: Any, request_conn: Any) -> Any:
        """Note that a connection is at work. Called by tornado, when a connection begins to wait for a request."""
        return _Counted(super().start_request(server_conn, request_conn), self._idle, server_conn.stream)

    def on_close(self, server_conn: Any) -> None:
        """Forget a connection. Called by tornado."""
        self._open -= 1
        self._idle.pop(server_conn.stream, None)
        super().on_close(server_conn)


class _Counted(tornado.httputil.HTTPMessageDelegate):
    """Passes a request on; until all of it is here, its connection counts as one that waits."""

    def __init__(self, request: Any, idle: OrderedDict[Any, None], stream: Any) -> None:
        self._request, self._idle, self._stream = request, idle, stream
        if not stream.closed():
            idle[stream] = None
            idle.move_to_end(stream)

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        """Pass on the head."""
        return self._request.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        """Pass on a piece of the body."""
        return self._request.data_received(chunk)

    def finish(self) -> None:
        """Go to work: the whole request is here."""
        self._idle.pop(self._stream, None)
        self._request.finish()

    def on_connection_close(self) -> None:
        """Pass on that the visitor is gone."""
        self._request.on_connection_close()


def _descriptors() -> int:
    """Ask for as many descriptors as there may be; return how many there are."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else 1 << 20
