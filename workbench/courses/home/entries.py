"""What the trainer enters of seats for the hub's report, as a CSV that a spreadsheet opens. Called by the command line.

A file that is not there is made, with a line for each seat and what was entered on the board so far.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ...dashboards.pages.language import LANGUAGES, translations
from ...errors import WorkbenchError, together
from ...runs.files import reason, write_text
from ..room.folder import Room
from . import evidence
from .categories import CATEGORIES, UNKNOWN

_COLUMNS = ("seat", *CATEGORIES)
#: What a person who fills a table would write for what they do not know.
_EMPTY = ("", UNKNOWN, "?", "-")


def offer(room: Room, path: Path) -> Path:
    """Make the table to be filled.

    Raises
    ------
    WorkbenchError
        If it cannot be written.
    """
    told, text = evidence.entered(room), io.StringIO()
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    for seat in room.seats:
        table.writerow([seat, *(told.get(seat, {}).get(kind, "") for kind in CATEGORIES)])
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be written ({reason(error)}): name another file with --entries") from None
    return path


def read(room: Room, path: Path) -> dict[str, dict[str, str]]:
    """Return what the table says of each seat; a cell left empty says nothing.

    Raises
    ------
    WorkbenchError
        If it cannot be read, or says something that no list has; all faults at once.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise WorkbenchError(f"{path} is no UTF-8: save it as 'CSV UTF-8'") from None
    except OSError as error:
        raise WorkbenchError(f"{path} cannot be read: {error.strerror}") from None
    head = lines[0] if lines else ""
    table = csv.DictReader(lines, delimiter=";" if head.count(";") > head.count(",") else ",")
    if absent := [name for name in _COLUMNS if name not in (table.fieldnames or ())]:
        raise WorkbenchError(f"{path} has no column {absent[0]}: it needs {', '.join(_COLUMNS)}")
    found: dict[str, dict[str, str]] = {}
    faults: list[str] = []
    for number, row in enumerate(table, 2):
        seat = (row["seat"] or "").strip()
        cells = {kind: (row[kind] or "").strip() for kind in CATEGORIES}
        faults += (f"line {number}: {fault}" for fault in _faults(room, seat, cells, found))
        found[seat] = {kind: code for kind, text in cells.items() if (code := _code(kind, text))}
    if faults:
        raise together(faults, f"lines of {path}", most=20)
    return found


def _faults(room: Room, seat: str, cells: dict[str, str], found: dict[str, dict[str, str]]) -> Iterator[str]:
    if seat not in room.seats:
        yield f"the room has no {seat or 'seat without a name'}: it has {room.seats[0]} to {room.seats[-1]}"
    elif seat in found:
        yield f"{seat} stands twice: leave one out"
    for kind, text in cells.items():
        if _code(kind, text) is None:
            yield f"{text!r} is no {kind}: use one of {', '.join(CATEGORIES[kind])}, or leave it empty"


def _code(kind: str, text: str) -> str | None:
    """Return a category's code by the code or by its name in any language; empty where nothing is said."""
    if text.lower() in _EMPTY:
        return ""
    for code, name in CATEGORIES[kind].items():
        if text.lower() in {code, *(translations(language).gettext(name).lower() for language in LANGUAGES)}:
            return code
    return None
