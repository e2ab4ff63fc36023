"""What we ask of the live tier, through a private socket: to execute a dashboard part, to reach its kernel, to end it.

The tier listens on a Unix socket that only this user can open, and wants a secret that only this process knows. Neither
this nor the kernels' ids ever reach a browser. Called by the reception.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tornado.httpclient
import tornado.netutil
import tornado.simple_httpclient
import tornado.websocket

from .messages import PROTOCOL

if TYPE_CHECKING:
    from ..bundle import Bundle
    from .tier import Tier

#: Seconds that executing a part may take: a cold kernel loads the science before the first figure.
PATIENCE = 120
#: Bytes that a kernel's answer may have: a volume's data is large.
_LARGEST = 256 << 20
_GONE = (OSError, tornado.httpclient.HTTPClientError)


class PartFailedError(Exception):
    """A dashboard part could not be executed here.

    Parameters
    ----------
    missing : str
        Name of the software that this computer lacks, where that is why.
    """

    def __init__(self, missing: str = "") -> None:
        super().__init__(missing)
        self.missing = missing


class TierGoneError(Exception):
    """The tier, or the kernel, is not there any more."""


class FullError(Exception):
    """The tier has no place for one more kernel."""


@dataclass(frozen=True)
class Executed:
    """A kernel that has executed a dashboard part, and what its code cells put out."""

    kernel: str
    cells: list[dict[str, Any]]


class _UnixResolver(tornado.netutil.Resolver):
    """Leads every name to one Unix socket."""

    def initialize(self, path: Path) -> None:
        self.path = str(path)

    async def resolve(self, host: str, port: int, family: Any = socket.AF_UNSPEC) -> list[tuple[int, Any]]:
        return [(socket.AF_UNIX, self.path)]


def client(path: Path) -> tornado.simple_httpclient.SimpleAsyncHTTPClient:
    """Return an HTTP client whose every request goes to the Unix socket at ``path``."""
    return tornado.simple_httpclient.SimpleAsyncHTTPClient(
        force_instance=True, max_clients=200, resolver=_UnixResolver(path=path), max_body_size=_LARGEST,
        max_buffer_size=_LARGEST,
    )  # fmt: skip


async def execute(tier: Tier, bundle: Bundle) -> Executed:
    """Start a kernel and let it execute a bundle's dashboard part.

    Raises
    ------
    PartFailedError
        If a cell failed.
    TierGoneError
        If the tier ended meanwhile.
    FullError
        If it has no place.
    """
    answer = await _ask(tier, f"voila/render/{bundle.slug}/versions/{bundle.number}/live.ipynb")
    if answer.code == HTTPStatus.SERVICE_UNAVAILABLE:
        raise FullError
    try:
        told = json.loads(answer.body) if answer.code == HTTPStatus.OK else None
    except ValueError:  # it broke off in the middle: the kernel died
        told = None
    if told is None:
        raise PartFailedError
    done = Executed(told["kernel"], told["cells"])
    errors = [o for cell in done.cells for o in cell["outputs"] if o["output_type"] == "error"]
    if errors or len(done.cells) != told["expected"]:
        await end(tier, done.kernel)
        raise PartFailedError(errors[0]["evalue"] if errors else "")
    return done


async def end(tier: Tier, kernel: str) -> None:
    """End a kernel; it may be gone already."""
    with contextlib.suppress(TierGoneError):
        await _ask(tier, f"voila/api/shutdown/{kernel}", "POST")


async def connect(tier: Tier, kernel: str) -> tornado.websocket.WebSocketClientConnection:
    """Return a connection to a kernel's channels.

    Raises
    ------
    TierGoneError
        If there is no such kernel.
    """
    address = f"ws://live/live/api/kernels/{kernel}/channels?session_id={secrets.token_hex(16)}"
    request = tornado.httpclient.HTTPRequest(address, headers=_headers(tier), request_timeout=PATIENCE)
    try:
        return await tornado.websocket.websocket_connect(
            request, subprotocols=[PROTOCOL], max_message_size=_LARGEST, resolver=_UnixResolver(path=tier.socket)
        )
    except _GONE:
        raise TierGoneError from None


async def _ask(tier: Tier, path: str, method: str = "GET") -> tornado.httpclient.HTTPResponse:
    http = tier.http
    if http is None:
        raise TierGoneError
    request = tornado.httpclient.HTTPRequest(
        f"http://live/live/{path}", method=method, headers=_headers(tier), body="" if method == "POST" else None,
        follow_redirects=False, request_timeout=PATIENCE,
    )  # fmt: skip
    asking = asyncio.ensure_future(http.fetch(request, raise_error=False))
    asking.add_done_callback(_take_note)
    ending = asyncio.create_task(tier.ended.wait())
    either: list[asyncio.Future[Any]] = [asking, ending]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            raise TierGoneError
        answer = asking.result()
    except _GONE:
        raise TierGoneError from None
    finally:
        ending.cancel()  # the question is left to itself: tornado complains of the end of a cancelled one
    if answer.code in (HTTPStatus.BAD_GATEWAY, 599):
        raise TierGoneError
    return answer


def _take_note(asking: asyncio.Future[Any]) -> None:
    """Take note of how a question ended for which nobody waits any more: with the tier."""
    if not asking.cancelled():
        asking.exception()


def _headers(tier: Tier) -> dict[str, str]:
    return {"Authorization": f"token {tier.secret}"}
