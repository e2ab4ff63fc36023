"""What all answers about a version of a dashboard share: which version, its address, its files."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import tornado.web

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


class OfVersion(Base):
    """Belongs to a version of a dashboard: the one that stands, or the one of an address ``…/v/<number>/``."""

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def address(self, place: str) -> Address:
        """Return the absolute address of a dashboard, under the name that this visitor calls the server."""
        return Address(f"{self.door.place(self.request)}{place}/")

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


def file_of(bundle: Bundle, name: str) -> Path:
    """Return a file of a bundle; 404 where there is none."""
    path = bundle.folder / name
    if not path.is_file():
        raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
    return path
