"""What a visitor may take along: notebook, card, citation, the record as an RO-Crate, the address as a QR code."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus

import tornado.web
from tornado.iostream import StreamClosedError

from ...bundle import Bundle
from ...pages import crate
from ...pages.citation import Citation
from ...pages.share import qr
from .version import IMAGE, TYPES, OfVersion, file_of


class Offer(OfVersion):
    """A file to be kept."""

    def offer(self, suffix: str, name: str) -> None:
        """Say what is sent, and what to call it."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Content-Type", TYPES[suffix])
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')

    def citation(self, place: str, bundle: Bundle) -> Citation:
        """Return how to cite a version under the address that this visitor knows."""
        return Citation.of(bundle, self.address(place, bundle.slug).cite(f"v/{bundle.number}/"))


class Download(Offer):
    """What of the record can be taken along: the notebook, the use-case card, the parameters."""

    async def get(self, place: str, version: str | None, name: str) -> None:
        """Send the file under the dashboard's name."""
        bundle = self.version(self.admit(self.root, place), version)
        path = file_of(bundle, name)
        self.offer(path.suffix, f"{bundle.slug}{'-parameters' if path.stem == 'parameters' else ''}{path.suffix}")
        about = path.stat()
        await self.send(path, f"{about.st_mtime_ns:x}-{about.st_size:x}")

    head = get


class Cite(Offer):
    """The ``CITATION.cff`` of a version."""

    def get(self, place: str, version: str | None) -> None:
        """Send it, where the run or its template names authors."""
        bundle = self.version(self.admit(self.root, place), version)
        text = self.citation(place, bundle).cff
        if text is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        self.offer(".cff", "CITATION.cff")
        self.finish(text)

    head = get


class Crate(Offer):
    """The published part of the record as an RO-Crate."""

    async def get(self, place: str, version: str | None) -> None:
        """Send the zip file while it is made; a visitor who goes away ends it."""
        bundle = self.version(self.admit(self.root, place), version)
        if crate.lacking(bundle) is None:
            raise tornado.web.HTTPError(HTTPStatus.NOT_FOUND)
        self.offer(".zip", f"{bundle.slug}-v{bundle.number}.zip")
        if self.request.method == "HEAD":
            return
        pieces = crate.zipped(bundle, self.citation(place, bundle))
        loop = asyncio.get_running_loop()
        with contextlib.suppress(StreamClosedError):  # the visitor went away
            while (piece := await loop.run_in_executor(None, next, pieces, None)) is not None:
                await self.give(piece)

    head = get


class Code(OfVersion):
    """The address of a dashboard, or of a version of it, as a QR code."""

    policy = IMAGE

    def get(self, place: str, version: str | None) -> None:
        """Send the picture."""
        bundle = self.version(self.admit(self.root, place), version)
        self.set_header("Content-Type", "image/svg+xml")
        self.set_header("Cache-Control", "no-cache")
        self.finish(qr(self.address(place, bundle.slug).of(f"v/{bundle.number}/" if version else "")))

    head = get
