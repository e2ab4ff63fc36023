"""The frozen page of a dashboard, its evidence, and the images that they show."""

from __future__ import annotations

import hashlib

from ...pages import frozen
from .version import IMAGE, TYPES, OfVersion, file_of

#: Widgets draw with inline styles; those of anywidget that a kernel makes anew import their script from the page's own
#: memory (``blob:``). Still nothing comes from, or goes to, another host, and no text becomes code.
WIDGETS = (
    "default-src 'none'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


class Page(OfVersion):
    """A frozen page or its evidence."""

    def get(self, place: str, version: str | None, name: str) -> None:
        """Send the page; the answer carries an ETag, and an unchanged page is not sent twice."""
        dashboard = self.admit(self.root, place)
        bundle = self.version(dashboard, version)
        older = bundle.number != dashboard.site["current"]
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        if name == "" and not older and bundle.read("page.json").get("part"):
            self.set_header("Content-Security-Policy", WIDGETS)
        shown = {
            "wanted": self.wanted,
            "asked": self.asked,
            "address": self.address(place, dashboard.slug),
            "older": older,
        }
        shown["guest"] = dashboard.site["guest"]
        self.finish(frozen.html(bundle, name or "index", self.language, self.gallery, **shown))

    head = get

    def compute_etag(self) -> str:
        """Return a tag of the content."""
        return f'"{hashlib.sha256(b"".join(self._write_buffer)).hexdigest()[:32]}"'


class Media(OfVersion):
    """Images, widget state and scripts of a page; their names are made of their content, so they never change."""

    policy = IMAGE

    async def get(self, place: str, version: str | None, name: str) -> None:
        """Send the file; browsers may keep it for ever. Its name is made of the content, and tells versions apart."""
        path = file_of(self.version(self.admit(self.root, place), version), f"media/{name}")
        self.set_header("Content-Type", TYPES[path.suffix])
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        await self.send(path, name)

    head = get
