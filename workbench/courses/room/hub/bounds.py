"""How much JupyterHub takes of a request: it serves everybody, and lives outside the seats' bounds. By its settings."""

from __future__ import annotations

import functools

import tornado.httpserver

#: Bytes of a body, and seconds for it: the longest that a page of the hub, or a seat's server, sends is a kilobyte.
_BODY, _PATIENCE = 1 << 20, 10


def bound() -> None:
    """Have the hub's server refuse more. Its own bound is 100 MB, and no setting of JupyterHub's changes it."""
    tornado.httpserver.HTTPServer = functools.partial(  # type: ignore[misc,assignment]
        tornado.httpserver.HTTPServer, max_body_size=_BODY, body_timeout=_PATIENCE
    )
