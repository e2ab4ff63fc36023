"""What all answers share: headers, error pages, the visitor's language, and which dashboard an address stands for."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import tornado.web

from ...errors import WorkbenchError
from .. import access, page
from ..answers import Refused, check_host
from ..dashboard import Dashboard
from ..language import LANGUAGES, N_, chosen

#: Nothing runs, and nothing is fetched, but what this server sends as files.
FROZEN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class Base(tornado.web.RequestHandler):
    """Headers, error pages, language and admission that all answers share."""

    policy = FROZEN

    def prepare(self) -> None:
        """Answer under our own names alone."""
        check_host(self.request)

    def set_default_headers(self) -> None:
        """Set the headers of every answer."""
        for name, value in {
            "Server": "genai4eu",
            "Content-Security-Policy": self.policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }.items():
            self.set_header(name, value)

    @property
    def language(self) -> str:
        """Language that the visitor reads."""
        return chosen(self.get_query_argument("lang", None), self.request.headers.get("Accept-Language", ""))

    @property
    def asked(self) -> bool:
        """Whether the address asks for the language, so that links must keep it."""
        return self.get_query_argument("lang", None) in LANGUAGES

    @property
    def gallery(self) -> str:
        """Relative address of the gallery: pages work below any prefix."""
        return "../" * max(0, self.request.path.count("/") - 1) or "./"

    def render_page(self, name: str, **values: Any) -> str:
        """Return a page in the visitor's language."""
        query = urlencode([pair for pair in parse_qsl(self.request.query) if pair[0] != "lang"])
        return page.render(name, lang=self.language, kept=self.asked, query=query, root=self.gallery, **values)

    def admit(self, root: Path, place: str) -> Dashboard:
        """Return the dashboard at an address, if this visitor may see it.

        Raises
        ------
        tornado.web.HTTPError
            404 where there is none that this visitor may know of; in words of its own for a damaged one.
        """
        try:
            dashboard = access.admitted(root, place)
            if dashboard is not None:
                dashboard.current.info  # noqa: B018 - reading it is the check
        except WorkbenchError:
            raise Refused(HTTPStatus.NOT_FOUND, *_DAMAGED) from None
        if dashboard is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        return dashboard

    def write_error(self, status_code: int, **options: Any) -> None:
        """Say what happened and where to go on."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", FROZEN)
        error = options.get("exc_info", (None, None))[1]
        told = (error.heading, error.sentence) if isinstance(error, Refused) else None
        heading, sentence = told or _MESSAGES.get(status_code, _FAILED)
        self.finish(self.render_page("message", heading=heading, sentence=sentence))


_MESSAGES = {
    403: (
        N_("This address is not served"),
        N_("These dashboards answer only under the address that the server printed."),
    ),
    404: (N_("There is no such page"), N_("The address may be mistyped, or the dashboard may have been taken down.")),
    405: (N_("This page can only be read"), N_("Open it with a link or by its address.")),
    503: (N_("The live view is not available"), N_("It is just starting, or it has just ended. Try again soon.")),
}
_FAILED = (
    N_("This page could not be shown"),
    N_("Something on this computer failed. The other dashboards are not affected."),
)
_DAMAGED = (
    N_("This dashboard is damaged"),
    N_("It cannot be shown. Who serves these pages can delete its folder and publish its run again."),
)


class Missing(Base):
    """Any address that stands for nothing."""

    def prepare(self) -> None:
        """Answer 404 to all."""
        super().prepare()
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)


class Slash(Base):
    """An address without its closing slash."""

    def get(self, place: str) -> None:
        """Send the visitor on."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"/{place}/{query}", permanent=True)

    head = get


class Asset(Base, tornado.web.StaticFileHandler):
    """Style, scripts and fonts of the pages."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep a file whose address changes with its content; of others they ask whether it changed."""
        marked = self.get_query_argument("v", None) or path.startswith(("front/chunk-", "front/output-", "fonts/"))
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if marked else "no-cache")
