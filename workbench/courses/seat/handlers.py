"""What a lesson's toolbar asks of the notebook server, below ``/genai4eu/lesson/``.

All is behind Jupyter's own sign-in and check against forged requests, and touches this participant's desk alone.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ...errors import WorkbenchError
from .. import lines, news
from ..desk import ASIDE, COOKIE, HAPPENED, Desk, here
from . import actions, lessons

#: The longest request, in bytes: a request names a lesson, an exercise, a language.
LONGEST = 16 << 10
#: Seconds that somebody who asks for news waits for it, and how often is looked.
PATIENCE, EVERY = 25.0, 0.5


class _Handler(APIHandler):  # type: ignore[misc]
    auth_resource = "contents"

    def initialize(self, root: Path) -> None:
        """Take what the server shows."""
        self.root = root

    def desk(self) -> Desk:
        """Return the participant's desk; a server without one has no such address."""
        try:
            return here(self.root)
        except WorkbenchError as error:
            raise web.HTTPError(404, str(error)) from None

    def tell(self, found: dict[str, Any]) -> None:
        """Answer."""
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(found))


class About(_Handler):
    """Lessons, languages, words."""

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]
    def get(self) -> None:
        """Return what the toolbar is made of."""
        desk = self.desk()
        desk.meet(self.get_cookie(COOKIE), self.request.headers.get("Accept-Language", ""))
        self.tell(lessons.about(desk, self.root))


class Progress(_Handler):
    """Where the participant stands."""

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]
    def get(self) -> None:
        """Return exercises, time and hand."""
        self.tell(lessons.progress(self.desk()))


class News(_Handler):
    """What the room told, and whether anything happened; waits until there is something."""

    _track_activity = False  # who only waits is not at work

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        """Return news after a number as soon as there is any, or anything has changed; else after a while nothing."""
        try:
            after = int(self.get_query_argument("after", "0"))
        except ValueError:
            raise web.HTTPError(400, "after must be a number") from None
        desk, seen = self.desk(), self.get_query_argument("seen", "")
        until = time.monotonic() + PATIENCE
        while (stamp := _stamp(desk)) == seen and time.monotonic() < until:
            await asyncio.sleep(EVERY)
        found = lessons.unread(desk, after, time.time())
        last = max((told["id"] for told in news.read()), default=0)
        self.tell({"news": found, "last": last, "seen": stamp})


@web.stream_request_body
class Act(_Handler):
    """What the participant does."""

    async def prepare(self) -> None:
        """Refuse long requests before they are read."""
        self._body = b""
        await super().prepare()
        self.request.connection.set_max_body_size(LONGEST)

    def data_received(self, chunk: bytes) -> None:
        """Take a piece of the request."""
        self._body += chunk

    @web.authenticated
    @authorized  # type: ignore[untyped-decorator]
    def post(self, name: str) -> None:
        """Do one thing."""
        try:
            given = json.loads(self._body or b"{}")
        except (ValueError, RecursionError):
            raise web.HTTPError(400, "the request is no JSON") from None
        if not isinstance(given, dict):
            raise web.HTTPError(400, "the request is no object")
        try:
            self.tell(actions.do(name, self.desk(), given))
        except WorkbenchError as error:
            raise web.HTTPError(400, str(error).replace("%", "%%")) from None


def handlers(base: str, root: Path) -> list[tuple[Any, ...]]:
    """Return the addresses and who answers them."""
    given = {"root": root}
    below = [
        ("about", About),
        ("progress", Progress),
        ("news", News),
        (f"({'|'.join(actions.ACTIONS)})", Act),
    ]
    return [(url_path_join(base, "genai4eu", "lesson", name), handler, given) for name, handler in below]


def _stamp(desk: Desk) -> str:
    return f"{news.stamp()}/{lines.stamp(desk.folder / ASIDE / HAPPENED)}"
