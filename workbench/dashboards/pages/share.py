"""What a page needs to be passed on: its address, also as a QR code. Called by the handlers."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass

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
    """

    place: str

    def of(self, path: str = "") -> str:
        """Return the address of what lies below the dashboard."""
        return f"{self.place}{path}" if self.place else ""

    @property
    def words(self) -> str:
        """The address as a person types it."""
        return self.place.partition("://")[2].rstrip("/")
