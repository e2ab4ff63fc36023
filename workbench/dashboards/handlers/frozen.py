"""The frozen page of a dashboard, its evidence, and what a visitor may take along."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path

import tornado.web

from .. import frozen
from ..bundle import Bundle
from .base import Base

#: An image opened on its own runs nothing.
_MEDIA = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
#: Widgets draw with inline styles; those of anywidget that a kernel makes anew import their script from the page's own
#: memory (``blob:``). Still nothing comes from, or goes to, another host, and no text becomes code.
WIDGETS = (
    "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".json": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".bin": "application/octet-stream",
    ".ipynb": "application/x-ipynb+json",
    ".md": "text/markdown; charset=utf-8",
}


class Page(Base):
    """A frozen page or its evidence."""

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def get(self, place: str, name: str) -> None:
        """Send the page; the answer carries an ETag, and an unchanged page is not sent twice."""
        bundle = self.admit(self.root, place).current
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        if name == "" and bundle.read("page.json").get("part"):
            self.set_header("Content-Security-Policy", WIDGETS)
        wanted, asked = self.wanted, self.asked
        self.finish(frozen.html(bundle, name or "index", self.language, self.gallery, wanted=wanted, asked=asked))

    head = get

    def compute_etag(self) -> str:
        """Return a tag of the content."""
        return f'"{hashlib.sha256(b"".join(self._write_buffer)).hexdigest()[:32]}"'


class Download(Page):
    """What of the record can be taken along: the notebook, the use-case card."""

    def get(self, place: str, name: str) -> None:
        """Send the file under the dashboard's name."""
        bundle = self.admit(self.root, place).current
        path = _file(bundle, name)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", _TYPES[path.suffix])
        self.set_header("Content-Disposition", f'attachment; filename="{bundle.slug}{path.suffix}"')
        self.finish(path.read_bytes())

    head = get


class Media(Base):
    """Images, widget state and scripts of a page; their names are made of their content, so they never change."""

    policy = _MEDIA

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def get(self, place: str, name: str) -> None:
        """Send the file; browsers may keep it for ever."""
        dashboard = self.admit(self.root, place)
        path = _file(dashboard.current, f"media/{name}")
        self.set_header("Content-Type", _TYPES[path.suffix])
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(path.read_bytes())

    head = get

    def compute_etag(self) -> str:
        """Return the name: it is made of the content."""
        return f'"{self.request.path.rpartition("/")[2]}"'


def _file(bundle: Bundle, name: str) -> Path:
    path = bundle.folder / name
    if not path.is_file():
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
    return path
