"""A visit: under which name somebody came, who they are, and which dashboard they may see.

Base of all handlers, WebSockets too: ``class LiveSocket(Visit, WebSocketHandler)``.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tornado.web

from ....errors import WorkbenchError
from ...access import admission
from ...access.answers import Refused
from ...access.door import Door
from ...dashboard import Dashboard
from ...pages.language import N_

if TYPE_CHECKING:
    from ...access.visitor import Visitor

_DAMAGED = (
    N_("This dashboard is damaged"),
    N_("It cannot be shown. Who serves these pages can delete its folder and publish its run again."),
)
_WITHDRAWN = (
    N_("This dashboard was withdrawn"),
    N_("Who published it has taken it back. The other dashboards are not affected."),
)
_ENDED = (
    N_("This dashboard has ended"),
    N_("It was published until a certain day, which is over. Ask who sent you here whether it will be shown again."),
)
_LINK_ENDED = (
    N_("This link has ended"),
    N_("It was good until a certain day, which is over. Ask who sent it to you for a new one."),
)
_CLOSED = {"withdrawn": (HTTPStatus.NOT_FOUND, *_WITHDRAWN), "ended": (HTTPStatus.GONE, *_ENDED)}
_CLOSED["link ended"] = (HTTPStatus.GONE, *_LINK_ENDED)
_TOO_MANY = (
    N_("Too many wrong addresses"),
    N_("Many links that do not exist were tried from your network. Wait a minute, then open the link as it was sent."),
)


class Visit(tornado.web.RequestHandler):
    """Name, visitor and admission."""

    #: Who is signed in, once :meth:`prepare` is done.
    visitor: Visitor | None = None
    #: Whether the answer is for everybody; what only some may see is kept by no shared cache.
    open_to_all = True
    #: What jupyter_server's identity providers ask a handler for.
    base_url, token, log = "/", "", logging.getLogger("genai4eu.dashboards")

    @property
    def door(self) -> Door:
        """What the server was told, and what it remembers of visitors."""
        return self.settings["door"]  # type: ignore[no-any-return]

    def prepare(self) -> Awaitable[None] | None:
        """Answer under our own names alone, and find out who asks. Whoever overrides it returns what it returns.

        Raises
        ------
        tornado.web.HTTPError
            403 for another name in ``Host``: a foreign page may point its own name at this computer.
        """
        if not self.door.answers_to(self.request.host):
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)
        return self._recognise() if self.door.identity is not None else None

    async def _recognise(self) -> None:
        assert self.door.identity is not None
        self.visitor = await self.door.identity.visitor(self)

    def admit(self, root: Path, place: str) -> Dashboard:
        """Return the dashboard at an address (``d/<slug>``, ``l/<token>``), if this visitor may see it.

        Raises
        ------
        tornado.web.HTTPError
            404 where there is none that this visitor may know of; in words of its own for a damaged, a withdrawn or
            an ended one (410), and 429 where somebody tries links.
        """
        try:
            dashboard = admission.admitted(self.door.register, root, place, self.visitor)
            dashboard.current.info  # noqa: B018 - reading it is the check
        except WorkbenchError:
            raise Refused(HTTPStatus.NOT_FOUND, *_DAMAGED) from None
        except admission.Closed as closed:
            raise self._refusal(closed.why, place) from None
        self.open_to_all = place.startswith("d/") and dashboard.site["visibility"] == "public"
        return dashboard

    def _refusal(self, why: str, place: str) -> tornado.web.HTTPError:
        self.open_to_all = False
        if why in _CLOSED:
            return Refused(*_CLOSED[why])
        if place.startswith("l/") and (wait := self.door.links.failed(self.door.address(self.request))):
            return Refused(HTTPStatus.TOO_MANY_REQUESTS, *_TOO_MANY, wait)
        return tornado.web.HTTPError(HTTPStatus.NOT_FOUND)

    def set_signed_cookie(self, name: str, value: str | bytes, *_days: Any, **_options: Any) -> None:
        """Begin a session that holds ``value``, and give the browser its id. Called by identity providers."""
        if (old := self.get_cookie(name)) is not None:
            self.door.sessions.end(old)
        session = self.door.sessions.begin(value.encode() if isinstance(value, str) else value)
        self.set_cookie(name, session, httponly=True, secure=self.door.secure, samesite="Strict", path="/")

    def get_signed_cookie(self, name: str, *_arguments: Any, **_options: Any) -> bytes | None:
        """Return what the browser's session holds. Called by identity providers."""
        session = self.get_cookie(name)
        return self.door.sessions.value(session) if session else None

    set_secure_cookie, get_secure_cookie = set_signed_cookie, get_signed_cookie

    def clear_cookie(self, name: str, **options: Any) -> None:
        """Forget a cookie, and the session that it stood for."""
        if (session := self.get_cookie(name)) is not None:
            self.door.sessions.end(session)
        options = {"path": "/", "httponly": True, "secure": self.door.secure, "samesite": "Strict", **options}
        super().clear_cookie(name, **options)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what went wrong here, but no address: a link is a secret."""
        if not isinstance(value, tornado.web.HTTPError):
            where = f"{self.request.method} of {type(self).__name__}"
            self.log.error("%s failed", where, exc_info=(typ, value, tb))
