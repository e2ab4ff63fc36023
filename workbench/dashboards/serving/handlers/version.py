"""What all answers about a version of a dashboard share: which version, its address, its files."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from pathlib import Path

import tornado.web
from tornado.iostream import StreamClosedError

from ....errors import WorkbenchError
from ...bundle import Bundle
from ...dashboard import Dashboard
from ...pages.share import Address
from .base import Base

#: An image opened on its own runs nothing.
IMAGE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
TYPES = {
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
    ".cff": "text/yaml; charset=utf-8",
    ".zip": "application/zip",
}


#: Bytes of a file that wait in memory for a visitor; seconds that they may: who takes less than 1 kB/s is let go of.
_PIECE, _LONGEST = 1 << 16, 60.0


class OfVersion(Base):
    """Belongs to a version of a dashboard: the one that stands, or the one of an address ``…/v/<number>/``."""

    tag: str | None = None

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def address(self, place: str, slug: str) -> Address:
        """Return the absolute address of a dashboard, under the name that this visitor calls the server."""
        gallery = self.door.place(self.request)
        return Address(f"{gallery}{place}/", f"{gallery}d/{slug}/")

    def version(self, dashboard: Dashboard, number: str | None) -> Bundle:
        """Return a version of a dashboard: the one that stands, or that of an address.

        Raises
        ------
        tornado.web.HTTPError
            404 where there is no such version, or a damaged one.
        """
        if number is None:
            return dashboard.current
        try:
            dashboard.version(int(number)).info  # noqa: B018 - reading it is the check
        except WorkbenchError:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND) from None
        return dashboard.version(int(number))

    def compute_etag(self) -> str | None:
        """Return the tag of what is sent, a file's or that of the text."""
        return self.tag or super().compute_etag()

    async def send(self, path: Path, tag: str) -> None:
        """Send a file piece by piece: of what is taken slowly, no more than one piece waits in memory."""
        self.tag = f'"{tag}"'
        self.set_etag_header()
        if self.check_etag_header():
            self.set_status(HTTPStatus.NOT_MODIFIED)
            return
        self.set_header("Content-Length", path.stat().st_size)
        if self.request.method == "HEAD":
            return
        with contextlib.suppress(StreamClosedError), path.open("rb") as file:
            while piece := file.read(_PIECE):
                await self.give(piece)

    async def give(self, piece: bytes) -> None:
        """Send a piece and wait until the visitor has taken it, but not for ever.

        Raises
        ------
        StreamClosedError
            If the visitor went away, or was let go of for taking too long.
        """
        self.write(piece)
        taken = asyncio.ensure_future(self.flush())
        await asyncio.wait([taken], timeout=_LONGEST)
        stream = getattr(self.request.connection, "stream", None)
        if not taken.done() and stream is not None:
            stream.close()
        await taken


def file_of(bundle: Bundle, name: str) -> Path:
    """Return a file of a bundle; 404 where there is none."""
    path = bundle.folder / name
    if not path.is_file():
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
    return path
