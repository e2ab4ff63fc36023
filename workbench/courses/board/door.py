"""Who may use the board: whoever has its key. Asked before every answer that holds anything of the room.

The key comes with each request, in a header that only the board's own script sets. A cookie would go along with any
request to this computer, from participants' pages too: they stand on the same host, where cookies know no ports.
"""

from __future__ import annotations

import asyncio
import hmac
from http import HTTPStatus
from urllib.parse import urlsplit

import tornado.httputil
import tornado.web

#: Seconds that a wrong key waits for its answer, and how many may wait at once; others are refused at once.
_SLOW, _WAITING = 1.0, 16


class Door:
    """Compares keys.

    Parameters
    ----------
    key : str
        The board's.
    slow : float
        Seconds that a wrong one waits.
    """

    def __init__(self, key: str, slow: float = _SLOW) -> None:
        self._key, self.slow = key.encode(), slow
        self._waiting = 0

    async def admit(self, request: tornado.httputil.HTTPServerRequest) -> None:
        """Let a request pass that has the key and comes from the board's own page.

        Raises
        ------
        tornado.web.HTTPError
            401 where the key is wrong, after a while; 429 where too many wrong ones wait; 403 from another page.
        """
        if not from_here(request):
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer" and hmac.compare_digest(given.strip().encode(), self._key):
            return
        if self._waiting >= _WAITING:
            raise tornado.web.HTTPError(HTTPStatus.TOO_MANY_REQUESTS)
        self._waiting += 1
        try:
            await asyncio.sleep(self.slow)
        finally:
            self._waiting -= 1
        raise tornado.web.HTTPError(HTTPStatus.UNAUTHORIZED)


def from_here(request: tornado.httputil.HTTPServerRequest) -> bool:
    """Tell whether a request comes from a page of this host and port, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    return site in ("same-origin", "none") and (origin is None or urlsplit(origin).netloc == request.host)
