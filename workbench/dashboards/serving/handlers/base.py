"""What all answers share: headers, error pages, the visitor's language."""

from __future__ import annotations

from asyncio import Future
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

import tornado.web

from ...access.answers import Refused
from ...pages import page
from ...pages.language import LANGUAGES, N_, chosen, wanted
from .visit import Visit

#: Nothing runs, and nothing is fetched, but what this server sends as files.
FROZEN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


class Base(Visit):
    """Headers, error pages and language that all answers share."""

    policy = FROZEN

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
        if self.door.secure:
            self.set_header("Strict-Transport-Security", "max-age=31536000")

    def flush(self, include_footers: bool = False) -> Future[None]:
        """Send what is written so far; before the first of it, say who may keep it, and who may show it in a frame."""
        if not self._headers_written:
            self._finish_headers()
        return super().flush(include_footers)

    def _finish_headers(self) -> None:
        policy = str(self._headers["Content-Security-Policy"])
        if self.door.embedders:
            ours = "frame-ancestors 'self'"
            self.set_header("Content-Security-Policy", policy.replace(ours, " ".join((ours, *self.door.embedders))))
        if not self.open_to_all:
            kept = str(self._headers.get("Cache-Control", "no-cache"))
            self.set_header("Cache-Control", "no-store" if self.visitor else kept.replace("public", "private"))
            self.set_header("X-Robots-Tag", "noindex")
        if self.door.identity is not None:
            self.add_header("Vary", "Cookie")

    @property
    def language(self) -> str:
        """Language that the visitor reads."""
        return chosen(self.get_query_argument("lang", None), self.request.headers.get("Accept-Language", ""))

    @property
    def wanted(self) -> tuple[str, ...]:
        """Languages that the visitor reads, the most wanted first."""
        return wanted(self.get_query_argument("lang", None), self.request.headers.get("Accept-Language", ""))

    @property
    def asked(self) -> str:
        """Language that the address asks for, which links keep."""
        return self.get_query_argument("lang", "")

    @property
    def gallery(self) -> str:
        """Relative address of the gallery: pages work below any prefix."""
        return "../" * max(0, self.request.path.count("/") - 1) or "./"

    def render_page(self, name: str, **values: Any) -> str:
        """Return a page in the visitor's language."""
        query = urlencode([pair for pair in parse_qsl(self.request.query) if pair[0] != "lang"])
        account = (N_("Your account") if self.visitor else N_("Sign in")) if self.door.identity else None
        seen: dict[str, Any] = {
            "lang": self.language,
            "kept": self.asked if self.asked in LANGUAGES else "",
            "query": query,
            "root": self.gallery,
            "account": account,
        }
        return page.render(name, **seen, **values)

    def write_error(self, status_code: int, **options: Any) -> None:
        """Say what happened and where to go on."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", FROZEN)
        error = options.get("exc_info", (None, None))[1]
        told = (error.heading, error.sentence) if isinstance(error, Refused) else None
        if isinstance(error, Refused) and error.wait:
            self.set_header("Retry-After", str(int(error.wait) + 1))
        heading, sentence = told or _MESSAGES.get(status_code, _FAILED)
        unknown = (
            self.door.identity is not None
            and self.visitor is None
            and status_code == HTTPStatus.NOT_FOUND
            and not isinstance(error, Refused)  # of that one, all there is to know is said
        )
        self.finish(self.render_page("message", heading=heading, sentence=sentence, sign_in=self._back(unknown)))

    def _back(self, unknown: bool) -> str | None:
        """Return where to sign in and come back from, for somebody who may see more then."""
        path = self.request.path.lstrip("/")
        return f"sign-in?{urlencode({'to': path if path.startswith('d/') else ''})}" if unknown else None


_MESSAGES = {
    403: (
        N_("This address is not served"),
        N_("These dashboards answer only under the address that the server printed."),
    ),
    404: (N_("There is no such page"), N_("The address may be mistyped, or the dashboard may have been taken down.")),
    400: (N_("This request could not be understood"), N_("Go back to the gallery and try again.")),
    405: (N_("This page can only be read"), N_("Open it with a link or by its address.")),
    410: (N_("This live view has ended"), N_("Open the dashboard again by its address: the recorded result is there.")),
    429: (N_("Too many tries"), N_("Wait a minute, then try again.")),
    503: (N_("The live view is not available"), N_("It is just starting, or it has just ended. Try again soon.")),
}
_FAILED = (
    N_("This page could not be shown"),
    N_("Something on this computer failed. The other dashboards are not affected."),
)


class Missing(Base):
    """Any address that stands for nothing."""

    async def prepare(self) -> None:
        """Answer 404 to all."""
        if (who := super().prepare()) is not None:
            await who
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)


class Slash(Base):
    """An address without its closing slash."""

    def get(self, place: str) -> None:
        """Send the visitor on."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"{place.rpartition('/')[2]}/{query}", permanent=True)

    head = get


class Asset(Base, tornado.web.StaticFileHandler):
    """Style, scripts and fonts of the pages."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep a file whose address changes with its content; of others they ask whether it changed."""
        marked = self.get_query_argument("v", None) or path.startswith(("front/chunk-", "front/output-", "fonts/"))
        self.set_header("Cache-Control", "public, max-age=31536000, immutable" if marked else "no-cache")
