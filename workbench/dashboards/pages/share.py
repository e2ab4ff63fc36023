"""What a page needs to be passed on: its address, also as a QR code. Called by the handlers."""

from __future__ import annotations

import functools
import io
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import segno


@functools.lru_cache(maxsize=512)
def qr(address: str) -> bytes:
    """Return an address as a QR code: plain SVG of any size, black on white with the quiet zone that readers need."""
    made = io.BytesIO()
    code = segno.make(address, error="m", micro=False)
    code.save(made, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False, omitsize=True, svgclass=None)
    return made.getvalue()


@dataclass(frozen=True)
class Address:
    """Absolute address of a dashboard, as the visitor's browser asked for it under a name that the server knows.

    Attributes
    ----------
    place : str
        Up to the dashboard, with the slash at its end; empty where nobody knows it, as for a page on a stick.
    cited : str
        The same for citations and records, which go to others: where ``place`` is a link, that is a secret, and the
        dashboard's own address takes its place.
    """

    place: str
    cited: str = ""

    def of(self, path: str = "") -> str:
        """Return the address of what lies below the dashboard."""
        return f"{self.place}{path}" if self.place else ""

    def cite(self, path: str) -> str:
        """Return the address of what lies below the dashboard as others may be told it."""
        return f"{self.cited or self.place}{path}" if self.place else ""

    @property
    def here(self) -> bool:
        """Whether only this computer can open it."""
        name = urlsplit(self.place).hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    @property
    def words(self) -> str:
        """The address as a person types it."""
        return self.place.partition("://")[2].rstrip("/")
