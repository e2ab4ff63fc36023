"""What the trainer did, line by line: ``ROOM/board.jsonl``, the room owner's alone. Written by the board only.

Names, organisations and services that a trainer types stand here and nowhere else; the report for the hub counts them.
"""

from __future__ import annotations

import time
from typing import Any

from ...errors import WorkbenchError
from .. import journal
from ..home.categories import CATEGORIES
from ..room.folder import Room

FILE = "board.jsonl"


class Diary:
    """Reads and adds to what the trainer did.

    Parameters
    ----------
    room : Room
        Whose trainer.
    """

    def __init__(self, room: Room) -> None:
        self.path = room.folder / FILE
        self.entries: list[dict[str, Any]] = [
            entry for entry in journal.entries(self.path) if isinstance(entry.get("event"), str)
        ]

    def add(self, event: str, **more: Any) -> dict[str, Any]:
        """Add what was done; whole or not at all.

        Raises
        ------
        WorkbenchError
            If the disk is full.
        """
        entry = {"at": round(time.time(), 3), "event": event, "number": len(self.entries) + 1, **more}
        try:
            journal.add(self.path, entry, durable=True)
        except OSError as error:
            raise WorkbenchError(f"{self.path} cannot be written ({error.strerror}): make room on the disk") from None
        self.entries.append(entry)
        return entry

    def last(self, *events: str, seat: str | None = None) -> dict[str, Any] | None:
        """Return the latest entry of these kinds, of a seat where one is named."""
        found = (e for e in reversed(self.entries) if e["event"] in events and seat in (None, e.get("seat")))
        return next(found, None)

    def name(self, seat: str) -> str:
        """Return the name that the trainer typed for a seat; empty where they did not."""
        named = self.last("name", seat=seat)
        return str(named["name"]) if named else ""

    def about(self, seat: str) -> dict[str, str]:
        """Return whom a seat stands for in the report: ``organisation``, ``sector``, ``service``."""
        told = self.last("about", seat=seat) or {}
        return {key: str(told.get(key, "")) for key in CATEGORIES}
