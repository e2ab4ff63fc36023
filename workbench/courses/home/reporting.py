"""A hub's report as files: JSON, CSV and a page. Called by ``genai4eu course report``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from ...dashboards.pages.language import LANGUAGES
from ...errors import WorkbenchError
from ...runs.files import reason, write_text
from ..room.folder import Room
from . import evidence
from .counts import Report, count
from .entries import read
from .pages import category, render

NAME = "course-report"


def report(
    room: Room, out: Path, entries: Path | None = None, language: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Report:  # fmt: skip
    """Count a room's participants, and write the report into a folder.

    Parameters
    ----------
    entries : Path, optional
        Table that the trainer filled; what it says comes before what the board has.
    language : str, optional
        Of the page; else the course's main one.
    told : callable
        Is told of a seat that cannot be counted.

    Raises
    ------
    WorkbenchError
        If the table has faults, the folder cannot be written, or pages are not in the language.
    """
    if language not in (None, *LANGUAGES):
        raise WorkbenchError(f"pages are in {', '.join(LANGUAGES)}, not in {language!r}")
    given = evidence.entered(room)
    for seat, about in (read(room, entries) if entries else {}).items():
        given[seat] = {**given.get(seat, {}), **about}
    made, language = count(room, given, told), language or evidence.course(room)["course"]["languages"][0]
    content = {"json": made.model_dump_json(indent=2) + "\n", "csv": table(made), "html": page(made, language)}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for ending, text in content.items():
            write_text(out / f"{NAME}.{ending}", text)
    except OSError as error:
        raise WorkbenchError(f"{out} cannot be written ({reason(error)}): name another folder with --out") from None
    return made


def table(made: Report) -> str:
    """Return the counts as CSV: a line for each category that somebody is of, and for the unknown."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["category", "code", "name", "participants"])
    for kind, found in made.counts.items():
        lines.writerows([kind, code, category(code, kind, "en"), many] for code, many in found.items())
    return text.getvalue()


def page(made: Report, language: str) -> str:
    """Return the page."""
    return render("report", language, report=made)
