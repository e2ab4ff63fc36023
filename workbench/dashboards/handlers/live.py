"""The way to the live view of a dashboard."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import tornado.web

from .. import proxy
from ..answers import same_origin
from ..bundle import Bundle
from ..tier import Tier
from .base import Base
from .visit import Visit

#: Widgets compile schemas, draw with inline styles and bring scripts along, which anywidget imports from the page's own
#: memory (``blob:``); still nothing comes from, or goes to, another host.
LIVE = (
    "default-src 'none'; script-src 'self' blob: 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


class Live(Base):
    """Common to all that leads to the live tier."""

    policy = LIVE

    def initialize(self, root: Path, tier: Tier) -> None:
        """Remember the tier."""
        self.root, self.tier = root, tier

    def _bundle(self, place: str) -> Bundle:
        bundle = self.admit(self.root, place).current
        if not (bundle.folder / "live.ipynb").is_file():
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        return bundle


class LiveStatus(Live):
    """How far the live view is; the first question starts it."""

    def get(self, place: str) -> None:
        """Tell ``starting``, ``ready`` or ``failed``, with a sentence for the visitor."""
        self._bundle(place)
        self.set_header("Cache-Control", "no-store")
        self.finish(self.tier.wake())


class LivePage(Live):
    """The live view of one dashboard: Voila's page of its dashboard part. Starts a kernel."""

    async def get(self, place: str) -> None:
        """Fetch the page from the tier."""
        bundle = self._bundle(place)
        await proxy.forward(self, self.tier, f"voila/render/{bundle.slug}/versions/{bundle.number}/live.ipynb")


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


class LiveSocket(Visit, proxy.Relay):
    """Messages between a live page and its kernel."""
