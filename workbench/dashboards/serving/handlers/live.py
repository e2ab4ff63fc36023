"""The way to the live view of a dashboard: asking for a kernel, speaking with it, leaving it."""

from __future__ import annotations

import json
from gettext import NullTranslations
from http import HTTPStatus
from pathlib import Path
from typing import Any

import tornado.iostream
import tornado.web
import tornado.websocket

from ...access.answers import same_origin
from ...bundle import Bundle
from ...live.kernel import outputs_of
from ...live.messages import LARGEST, PROTOCOL, RefusedMessage, checked
from ...live.reception import Reception
from ...live.sessions import Session
from ...live.tickets import Ticket
from ...pages.language import translations
from .base import Base
from .visit import Visit

#: Close codes: the session has ended, the page calls for another kernel; the page said what no page of ours says.
ENDED, REFUSED = 4410, 1008
#: Bytes of a question.
_LONGEST = 1000


class Live(Visit):
    """Common to all that leads to a kernel."""

    def initialize(self, root: Path, reception: Reception) -> None:
        """Remember the reception."""
        self.root, self.reception = root, reception

    async def prepare(self) -> None:
        """Listen to pages of ours alone."""
        if (who := super().prepare()) is not None:
            await who
        if self.request.method != "GET" and not same_origin(self.request):
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)

    def check_xsrf_cookie(self) -> None:
        """Rely on the origin: no cookie opens a session."""

    def _session(self, place: str, key: str) -> Session | None:
        self.admit(self.root, place)
        return self.reception.sessions.find(place, key)


class Attach(Live, Base):
    """Asking for a kernel; the first question starts what has to be started."""

    async def post(self, place: str) -> None:
        """Answer ``live``, ``starting``, ``queue`` or ``failed``."""
        bundle = self._bundle(place)
        ticket = await self.reception.ask(place, bundle, self._ticket())
        self.set_header("Cache-Control", "no-store")
        try:
            await self.finish(answer(ticket, translations(self.language)))
        except tornado.iostream.StreamClosedError:  # left meanwhile: its session waits for nobody
            if ticket is not None and ticket.session is not None:
                await self.reception.leave(ticket.session)

    def _bundle(self, place: str) -> Bundle:
        bundle = self.admit(self.root, place).current
        if not (bundle.folder / "live.ipynb").is_file():
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        return bundle

    def _ticket(self) -> str:
        """Return the ticket that the question names, or an empty text."""
        try:
            asked = json.loads(self.request.body or b"{}") if len(self.request.body) < _LONGEST else None
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("ticket", ""), str):
            raise tornado.web.HTTPError(HTTPStatus.BAD_REQUEST)
        return str(asked.get("ticket", ""))


def answer(ticket: Ticket | None, words: NullTranslations) -> dict[str, Any]:
    """Return what a visitor's page is told."""
    _ = words.gettext
    if ticket is None:
        sentence = _("Very many visitors are waiting. The recorded result is complete; try again in a few minutes.")
        return {"state": "failed", "sentence": sentence}
    if ticket.session is not None and ticket.state == "live":
        session = ticket.session
        return {"state": "live", "session": session.key, "cells": outputs_of(session.kernel.cells)}
    if ticket.state == "queue":
        sentence = _("All computers are taken. You are number %(place)s in the queue.") % {"place": ticket.number}
        return {"state": "queue", "ticket": ticket.key, "place": ticket.number, "sentence": sentence}
    if ticket.state == "starting":
        return {"state": "starting", "ticket": ticket.key, "sentence": _("A computer is being prepared for you.")}
    if ticket.missing:
        sentence = _("This computer lacks the software %(name)s. The recorded result is complete.")
        return {"state": "failed", "sentence": sentence % {"name": ticket.missing}}
    sentence = _("The live view could not be started on this computer. The recorded result is complete.")
    return {"state": "failed", "sentence": sentence}


class Leave(Live, Base):
    """What a page says when it is left."""

    async def post(self, place: str, key: str) -> None:
        """Free its kernel at once."""
        if session := self._session(place, key):
            await self.reception.leave(session)
        self.set_status(HTTPStatus.NO_CONTENT)


class LiveSocket(Live, tornado.websocket.WebSocketHandler):
    """Messages between a page and its kernel."""

    max_message_size = LARGEST
    _joined: Session | None = None

    async def get(self, place: str, key: str) -> None:
        """Connect a page of ours that speaks the one protocol; a session that has ended is told so."""
        self._found = self._session(place, key)
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND if self._found else HTTPStatus.GONE)
        if not same_origin(self.request):
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        if PROTOCOL not in [name.strip() for name in offered]:
            raise tornado.web.HTTPError(HTTPStatus.BAD_REQUEST)
        await super().get(place, key)

    def check_origin(self, origin: str) -> bool:
        """Accept pages of ours alone."""
        return same_origin(self.request)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Speak the one protocol whose messages are checked."""
        return PROTOCOL if PROTOCOL in subprotocols else None

    async def open(self, *_path: str) -> None:
        """Begin to pass messages; each at once, without waiting for company."""
        self.set_nodelay(True)
        if self._found is None or self._found.kernel.ended:
            self.close(ENDED)
            return
        self._joined = self._found
        await self._joined.join(self)

    async def on_message(self, message: str | bytes) -> None:
        """Pass on what the page says, if a page of ours would say it."""
        if self._joined is None:
            return
        try:
            if not self._joined.allowance.take(len(message)):
                raise RefusedMessage("it is one of too many")
            await self._joined.say(checked(message))
        except RefusedMessage as why:
            self.close(REFUSED, f"this message was refused: {why}"[:120])

    def on_close(self) -> None:
        """Let the kernel wait for the page."""
        if self._joined is not None:
            self._joined.part(self)
            self._joined = None

    async def hear(self, frame: bytes) -> bool:
        """Pass on what the kernel says."""
        try:
            await self.write_message(frame, binary=True)
        except (tornado.websocket.WebSocketClosedError, tornado.iostream.StreamClosedError):
            return False
        return True

    def hang_up(self) -> None:
        """Say that the session has ended."""
        self.close(ENDED)
