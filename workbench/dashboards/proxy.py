"""Between a visitor and the live tier: requests and WebSocket messages, passed through a private socket.

The tier listens on a Unix socket that only this user can open, and wants a secret that only this process knows; the
visitor's browser gets neither. Cookies pass in no direction. Called by the handlers.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tornado.httpclient
import tornado.httputil
import tornado.iostream
import tornado.netutil
import tornado.simple_httpclient
import tornado.web
import tornado.websocket

from .answers import Refused, same_origin

if TYPE_CHECKING:
    from .tier import Tier

#: Seconds that a page may take: its kernel loads the science before the first figure.
PATIENCE = 120
#: Seconds that a kernel waits for its page to come back after a lost connection.
GRACE = 5
_REQUEST_HEADERS = (
    "Accept",
    "Accept-Language",
    "Content-Type",
    "If-None-Match",
    "If-Modified-Since",
    "Origin",
    "User-Agent",
)
_ANSWER_HEADERS = ("Content-Type", "Cache-Control", "Etag", "Last-Modified", "Expires")
#: What a visitor reads for whom there is no place.
FULL = "All live places are taken at the moment. The recorded result is complete; try again in a few minutes."
_PROTOCOL = "v1.kernel.websocket.jupyter.org"


class _UnixResolver(tornado.netutil.Resolver):
    """Leads every name to one Unix socket."""

    def initialize(self, path: Path) -> None:
        self.path = str(path)

    async def resolve(self, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, self.path)]


def client(path: Path) -> tornado.simple_httpclient.SimpleAsyncHTTPClient:
    """Return an HTTP client whose every request goes to the Unix socket at ``path``."""
    return tornado.simple_httpclient.SimpleAsyncHTTPClient(
        force_instance=True, max_clients=200, resolver=_UnixResolver(path=path)
    )


async def forward(handler: tornado.web.RequestHandler, tier: Tier, path: str) -> None:
    """Answer a request with what the live tier answers to ``path``.

    Raises
    ------
    tornado.web.HTTPError
        503 where the tier is not there or full.
    """
    if tier.http is None:
        raise tornado.web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE)
    request = tornado.httpclient.HTTPRequest(
        f"http://live/live/{path}",
        method=handler.request.method or "GET",
        headers=_headers(handler, tier),
        body=handler.request.body or None,
        allow_nonstandard_methods=True,
        follow_redirects=False,
        request_timeout=PATIENCE,
        decompress_response=False,
    )
    try:
        answer = await tier.http.fetch(request, raise_error=False)
    except (OSError, tornado.httpclient.HTTPClientError):  # gone, or too slow
        raise tornado.web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE) from None
    if answer.code == HTTPStatus.SERVICE_UNAVAILABLE:  # the tier says so for one reason alone
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The live view is full", FULL)
    if answer.code in (HTTPStatus.BAD_GATEWAY, 599):
        raise tornado.web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE)
    if answer.code >= HTTPStatus.BAD_REQUEST:
        raise tornado.web.HTTPError(answer.code)
    handler.set_status(answer.code)
    for name in _ANSWER_HEADERS:
        if name in answer.headers:
            handler.set_header(name, answer.headers[name])
    if answer.body:
        handler.write(answer.body)
    with contextlib.suppress(tornado.iostream.StreamClosedError):  # a page that is left does not wait
        await handler.finish()


def _headers(handler: tornado.web.RequestHandler, tier: Tier) -> dict[str, str]:
    """Return the request's harmless headers, and what lets us in."""
    given = {name: handler.request.headers[name] for name in _REQUEST_HEADERS if name in handler.request.headers}
    return {**given, "Host": handler.request.host, "Authorization": f"token {tier.secret}"}


async def _free(tier: Tier, kernel: str) -> None:
    """End a kernel that no page looks at any more: browsers do not always say that a page was left."""
    await asyncio.sleep(GRACE)
    if tier.http is None or tier.watched[kernel] > 0:
        return
    del tier.watched[kernel]
    request = tornado.httpclient.HTTPRequest(
        f"http://live/live/voila/api/shutdown/{kernel}",
        method="POST",
        headers={"Authorization": f"token {tier.secret}"},
        body="",
    )
    with contextlib.suppress(OSError, tornado.httpclient.HTTPClientError):  # it may be gone already
        await tier.http.fetch(request, raise_error=False)


class Relay(tornado.websocket.WebSocketHandler):
    """A WebSocket whose messages are those of the live tier's."""

    def initialize(self, root: Path, tier: Tier) -> None:
        """Remember the tier."""
        self.tier = tier
        self._kernel = ""
        self._far: tornado.websocket.WebSocketClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    async def get(self, path: str) -> None:
        """Connect to the tier before the browser's request is granted, so that a refusal is one."""
        if self.tier.http is None or not same_origin(self.request):
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)
        request = tornado.httpclient.HTTPRequest(
            f"ws://live/live/{path}?{self.request.query}", headers=_headers(self, self.tier), request_timeout=PATIENCE
        )
        try:
            self._far = await tornado.websocket.websocket_connect(
                request,
                subprotocols=[_PROTOCOL],
                max_message_size=64 * 2**20,
                resolver=_UnixResolver(path=self.tier.socket),
            )
        except (OSError, tornado.httpclient.HTTPClientError):
            raise tornado.web.HTTPError(HTTPStatus.SERVICE_UNAVAILABLE) from None
        self._kernel = path.split("/")[2]
        await super().get(path)

    def check_origin(self, origin: str) -> bool:
        """Accept pages of ours alone."""
        return same_origin(self.request)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Speak what the tier speaks, if the browser can."""
        chosen = self._far.selected_subprotocol if self._far else None
        return chosen if chosen in subprotocols else None

    def open(self, *_path: str) -> None:
        """Begin to pass messages; each at once, without waiting for company."""
        self.set_nodelay(True)
        self.tier.watched[self._kernel] += 1
        self._reading = asyncio.create_task(self._read())

    async def on_message(self, message: str | bytes) -> None:
        """Pass on what the browser says."""
        if self._far is not None:
            with contextlib.suppress(tornado.websocket.WebSocketClosedError):
                await self._far.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        """Hang up on the other side too, and free the kernel unless the page comes back soon."""
        if self._far is not None:
            self._far.close()
        if self._reading is not None:
            self.tier.watched[self._kernel] -= 1
            self.tier.background(_free(self.tier, self._kernel))

    async def _read(self) -> None:
        assert self._far is not None
        while (message := await self._far.read_message()) is not None:
            try:
                sent: Awaitable[None] = self.write_message(message, binary=isinstance(message, bytes))
                await sent
            except tornado.websocket.WebSocketClosedError:
                break
        self.close()
