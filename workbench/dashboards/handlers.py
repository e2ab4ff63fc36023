"""What answers each address of the gallery's server. Called by the server alone."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

import tornado.web
import tornado.websocket

from ..errors import WorkbenchError
from . import page, proxy, verified
from .answers import Refused, check_host, same_origin
from .bundle import Bundle, all_bundles
from .tier import Tier

_FROZEN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
#: Widgets compile schemas, draw with inline styles and bring scripts along, which anywidget imports from the page's own
#: memory (``blob:``); still nothing comes from, or goes to, another host.
_LIVE = (
    "default-src 'none'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
#: An image opened on its own runs nothing.
_MEDIA = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class Base(tornado.web.RequestHandler):
    """Headers and error pages that all answers share; no cookie is ever set or read."""

    policy = _FROZEN

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

    def write_error(self, status_code: int, **options: Any) -> None:
        """Say what happened and where to go on."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", _FROZEN)
        error = options.get("exc_info", (None, None))[1]
        told = (error.heading, error.sentence) if isinstance(error, Refused) else None
        heading, sentence = told or _MESSAGES.get(status_code, _FAILED)
        depth = max(0, self.request.path.count("/") - 1)
        self.finish(page.render("message", root="../" * depth or "./", heading=heading, sentence=sentence))


_MESSAGES = {
    403: ("This address is not served", "These dashboards answer only under the address that the server printed."),
    404: ("There is no such page", "The address may be mistyped, or the dashboard may have been taken down."),
    405: ("This page can only be read", "Open it with a link or by its address."),
    503: ("The live view is not available", "It is just starting, or it has just ended. Try again soon."),
}  # fmt: skip
_FAILED = ("This page could not be shown", "Something on this computer failed. The other dashboards are not affected.")
_DAMAGED = (
    "This dashboard is damaged",
    "It cannot be shown. Who serves these pages can delete its folder and publish its run again.",
)


class Missing(Base):
    """Any address that stands for nothing."""

    def prepare(self) -> None:
        """Answer 404 to all."""
        super().prepare()
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)


class Slash(Base):
    """An address without its closing slash."""

    def get(self, slug: str) -> None:
        """Send the visitor on."""
        self.redirect(f"/d/{slug}/", permanent=True)

    head = get


class Gallery(Base):
    """The list of dashboards."""

    def initialize(self, root: Path) -> None:
        """Remember where the bundles are."""
        self.root = root

    def get(self) -> None:
        """Show every dashboard; name those that are damaged."""
        found, damaged = [], []
        for bundle in all_bundles(self.root):
            try:
                found.append(bundle.info)
            except WorkbenchError:
                damaged.append(bundle.slug)
        self.set_header("Cache-Control", "no-cache")
        groups = page.by_sector(found)
        self.finish(page.render("gallery", root="./", groups=groups, damaged=damaged))

    head = get


def _whole(root: Path, slug: str) -> Bundle:
    """Return a bundle, or answer 404, in words of their own for a damaged one."""
    bundle = Bundle(root / slug)
    if not (bundle.folder / "dashboard.json").is_file():
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
    try:
        bundle.info  # noqa: B018 - reading it is the check
    except WorkbenchError:
        raise Refused(HTTPStatus.NOT_FOUND, *_DAMAGED) from None
    return bundle


class Page(Base):
    """A frozen page, its evidence, or what of the record can be taken along: the notebook, the use-case card."""

    _PAGES = {"": "index.html", "evidence": "evidence.html"}  # noqa: RUF012
    _TYPES = {  # noqa: RUF012
        ".ipynb": "application/x-ipynb+json",
        ".json": "application/json",
        ".md": "text/markdown; charset=utf-8",
    }

    def initialize(self, root: Path) -> None:
        """Remember where the bundles are."""
        self.root = root

    def get(self, slug: str, name: str) -> None:
        """Send the file; the answer carries an ETag, and an unchanged page is not sent twice."""
        bundle = _whole(self.root, slug)
        path = bundle.folder / self._PAGES.get(name, name)
        if not path.is_file():
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header("Cache-Control", "no-cache")
        if name not in self._PAGES:
            self.set_header("Content-Type", self._TYPES[path.suffix])
            self.set_header("Content-Disposition", f'attachment; filename="{slug}{path.suffix}"')
            self.finish(path.read_bytes())
            return
        self.finish(verified.refreshed(path.read_bytes(), path.stem, bundle.info["run"]))

    head = get

    def compute_etag(self) -> str:
        """Return a tag of the content."""
        return f'"{hashlib.sha256(b"".join(self._write_buffer)).hexdigest()[:32]}"'


class Asset(Base, tornado.web.StaticFileHandler):
    """Style, scripts and fonts of the pages."""

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep a file, and ask whether it changed."""
        self.set_header("Cache-Control", "no-cache" if not path.endswith(".woff2") else "public, max-age=31536000")


class Image(Base, tornado.web.StaticFileHandler):
    """An image of a page; its name is made of its content, so it never changes."""

    policy = _MEDIA

    def set_extra_headers(self, path: str) -> None:
        """Let browsers keep it for ever."""
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")


class Live(Base):
    """Common to all that leads to the live tier."""

    policy = _LIVE

    def initialize(self, root: Path, tier: Tier) -> None:
        """Remember the tier."""
        self.root, self.tier = root, tier

    def _bundle(self, slug: str) -> Bundle:
        bundle = _whole(self.root, slug)
        if not (bundle.folder / "live.ipynb").is_file():
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        return bundle


class LiveStatus(Live):
    """How far the live view is; the first question starts it."""

    def get(self, slug: str) -> None:
        """Tell ``starting``, ``ready`` or ``failed``, with a sentence for the visitor."""
        self._bundle(slug)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.tier.wake())


class LivePage(Live):
    """The live view of one dashboard: Voila's page of its dashboard part. Starts a kernel."""

    async def get(self, slug: str) -> None:
        """Fetch the page from the tier."""
        self._bundle(slug)
        await proxy.forward(self, self.tier, f"voila/render/{slug}/live.ipynb")


class LivePart(Live):
    """Scripts, styles and kernel requests of a live page."""

    async def get(self, path: str) -> None:
        """Pass the request on."""
        await proxy.forward(self, self.tier, path)

    async def post(self, path: str) -> None:
        """Pass on what a live page says when it is left; pages of others may not."""
        if not same_origin(self.request):
            raise tornado.web.HTTPError(HTTPStatus.FORBIDDEN)
        await proxy.forward(self, self.tier, path)

    def check_xsrf_cookie(self) -> None:
        """Rely on the origin: there are no cookies."""


class LiveSocket(proxy.Relay):
    """Messages between a live page and its kernel."""
