"""A room on disk: which course it holds, its seats, its codes. Made by ``genai4eu course start``, read by all of it.

``room.json`` and ``codes.json`` are the room owner's alone; below ``seats/`` each folder is its seat's alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from .codes import CODES, changing, digest, new_code
from .people import People

__all__ = ["ABOUT", "CODES", "COURSE", "JUPYTER", "SOLUTIONS", "Room"]

ABOUT, SOLUTIONS = "room.json", "solutions.json"
#: The course as participants get it; the trainer's own folder may change meanwhile.
COURSE = "course"
#: Jupyter's data for all seats: the kernel that lessons ask for, of this very interpreter.
JUPYTER = "jupyter"


@dataclass(frozen=True)
class Room:
    """A folder that holds a room.

    Attributes
    ----------
    folder : Path
        Where it stands.
    """

    folder: Path

    @property
    def about(self) -> dict[str, Any]:
        """What the room is.

        Raises
        ------
        WorkbenchError
            If there is none in the folder.
        """
        try:
            content: dict[str, Any] = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise WorkbenchError(f"{self.folder} holds no room: 'genai4eu course start' makes one") from None
        except (OSError, ValueError) as error:
            raise WorkbenchError(f"{self.folder / ABOUT} cannot be read: {error}") from None
        return content

    @property
    def seats(self) -> list[str]:
        """Names of the seats: ``seat-01`` and so on."""
        names: list[str] = self.about["seats"]
        return names

    def home(self, seat: str) -> Path:
        """Return a seat's folder."""
        return self.folder / "seats" / seat

    def temporary(self, seat: str) -> Path:
        """Return what a seat has as /tmp."""
        return self.folder / "tmp" / seat

    def news(self, seat: str) -> Path:
        """Return the file in which a seat reads what it is told."""
        return self.folder / "news" / f"{seat}.jsonl"

    @property
    def people(self) -> People:
        """The seats' users."""
        return People(self.about["prefix"])

    @property
    def address(self) -> str:
        """Where participants go."""
        about = self.about
        return f"http://{about['name']}:{about['port']}/"

    @property
    def board(self) -> str:
        """Where the trainer goes; the key in it opens the board, and behind ``#`` reaches no log."""
        return f"{self.address}services/board/#key={self.about['board_key']}"

    @property
    def unopened(self) -> list[str]:
        """Seats that no code has opened yet."""
        codes: dict[str, Any] = json.loads((self.folder / CODES).read_text(encoding="utf-8"))
        opened = {entry["seat"] for entry in codes.values() if entry.get("used")}
        return [seat for seat in self.seats if seat not in opened]

    def give_code(self, seat: str) -> str:
        """Make a code that opens a seat once; earlier ones of that seat open nothing any more."""
        code = new_code()
        with changing(self) as codes:
            for name in [name for name, entry in codes.items() if entry["seat"] == seat and not entry.get("used")]:
                del codes[name]
            codes[digest(code)] = {"seat": seat}
        return code
