"""What the trainer asks for, as it comes from the page: anything, until a method here has looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...dashboards.pages.language import translations
from ...errors import WorkbenchError
from ..room.folder import Room


class Refused(WorkbenchError):
    """What cannot be done, in the trainer's language."""


@dataclass(frozen=True)
class Asked:
    """An action that was asked for.

    Attributes
    ----------
    given : mapping
        What came.
    language : str
        In which the trainer reads.
    room : Room
        Whose seats there are.
    once : str
        The click's own mark.
    """

    given: Mapping[str, Any]
    language: str
    room: Room
    once: str

    def gettext(self, words: str) -> str:
        """Return words in the trainer's language."""
        return translations(self.language).gettext(words)

    @property
    def seat(self) -> str | None:
        """The seat it is for; None for all."""
        seat = self.given.get("seat") or None
        if seat is not None and seat not in self.room.seats:
            raise Refused(self.gettext("This room has no seat “%(seat)s”.") % {"seat": str(seat)[:40]})
        return seat

    def one(self) -> str:
        """Return the seat, where it has to be one."""
        if self.seat is None:
            raise Refused(self.gettext("Choose a seat."))
        return self.seat

    def text(self, key: str, most: int = 200) -> str:
        """Return what was typed, on one line."""
        found = self.given.get(key, "")
        text = " ".join(found.split()) if isinstance(found, str) else ""
        if len(text) > most:
            raise Refused(self.gettext("This is too long: %(many)d letters are enough.") % {"many": most})
        return text

    def texts(self) -> dict[str, str]:
        """Return a message by language."""
        found = self.given.get("text")
        pairs = found.items() if isinstance(found, Mapping) else ()
        return {str(name): text.strip() for name, text in pairs if isinstance(text, str) and text.strip()}

    def number(self, key: str, of: tuple[int, ...]) -> int:
        """Return one of the numbers that are offered."""
        found = self.given.get(key)
        return found if isinstance(found, int) and found in of else of[0]
