"""What is printed for a room: a card with the code for each seat, and what participants are told of their data.

Written into ``ROOM/print`` by ``genai4eu course start`` and ``course sheet``; shown on the trainer's board.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ...runs.files import write_bytes
from ..room.codes import digest
from ..room.folder import CODES, Room
from ..room.own import write_own
from . import deletion, pages
from .programme import Programmes
from .words import called

#: The folder, and in it: codes as they are printed, and who answers for the data.
FOLDER, PRINTED, WHO = "print", "codes.json", "responsible.json"
#: What a trainer may say of who answers for the data; what is left out is a line to write on.
FIELDS = ("responsible", "contact", "legal_basis")


class Sheets:
    """The sheets of a room.

    Parameters
    ----------
    room : Room
        Which room.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self._programmes = Programmes(room)

    @property
    def folder(self) -> Path:
        """Where they lie; the owner's alone."""
        return self.room.folder / FOLDER

    def address(self, code: str) -> str:
        """Return the address that fills in a code; behind ``#`` it reaches neither server nor log."""
        return f"{self.room.address}hub/login#code={code}"

    def write(self, codes: Mapping[str, str], who: Mapping[str, str] | None = None) -> list[Path]:
        """Write all sheets, and return them.

        Parameters
        ----------
        codes : mapping of str to str
            New codes by seat; those of other seats that nobody used stay as they are.
        who : mapping, optional
            Of ``FIELDS``, what is known.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        write_own(self.folder / PRINTED, {**self._printed(), **codes})
        if who:
            write_own(self.folder / WHO, {**_read(self.folder / WHO), **who})
        languages = self._programmes.now().offered
        return [self._write(name) for name in ("codes", *(f"information-{code}" for code in languages))]

    def page(self, name: str) -> str | None:
        """Return a sheet as a page of its own; None where there is none of that name."""
        kind, _, language = name.partition("-")
        offered = self._programmes.now().offered
        if name == "codes":
            return self._codes(offered[0])
        return self._information(language) if kind == "information" and language in offered else None

    def _write(self, name: str) -> Path:
        path = self.folder / f"{name}.html"
        write_bytes(path, str(self.page(name)).encode())
        path.chmod(0o600)
        return path

    def _printed(self) -> dict[str, str]:
        """Return the codes that are printed and that nobody used yet."""
        known = json.loads((self.room.folder / CODES).read_text(encoding="utf-8"))
        return {
            seat: code
            for seat, code in _read(self.folder / PRINTED).items()
            if not known.get(digest(code), {"used": True}).get("used")
        }

    def _codes(self, language: str) -> str:
        printed, course = self._printed(), self._programmes.now()
        cards = [
            {"seat": called(seat, language), "code": printed[seat], "qr": pages.picture(self.address(printed[seat]))}
            for seat in self.room.seats
            if seat in printed
        ]
        return self._render("codes", language, cards=cards, title=course.title(language), address=self.room.address)

    def _information(self, language: str) -> str:
        course, day = self._programmes.now(), deletion.day(self.room)
        given = {**(course.about.get("privacy") or {}), **_read(self.folder / WHO)}
        words = {name: _text(given.get(name), language) for name in FIELDS}
        made = datetime.datetime.now().astimezone().date()
        return self._render(
            "information", language, title=course.title(language), who=words, folder=str(self.room.folder.name),
            day=deletion.spoken(day, language), made=deletion.spoken(made.isoformat(), language),
            isolated=bool(self.room.about["prefix"]),
        )  # fmt: skip

    def _render(self, name: str, language: str, **shown: Any) -> str:
        return pages.render(name, language, style=Markup(pages.style("sheet.css")), **shown)


def _text(given: object, language: str) -> str:
    """Return what was said, which a course may say in several languages."""
    if isinstance(given, Mapping):
        return str(given.get(language) or next(iter(given.values()), ""))
    return str(given or "")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return content


def again(room: Room, every: bool, who: Mapping[str, str]) -> list[Path]:
    """Print the sheets again, with new codes for the seats that nobody has taken yet. By ``genai4eu course sheet``.

    Parameters
    ----------
    every : bool
        Give new codes to seats that are taken, too: for who has to sign in again.
    """
    known = json.loads((room.folder / CODES).read_text(encoding="utf-8"))
    taken = {entry["seat"] for entry in known.values() if entry.get("used")}
    codes = {seat: room.give_code(seat) for seat in room.seats if every or seat not in taken}
    return Sheets(room).write(codes, who)
