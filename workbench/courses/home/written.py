"""Completion records as files: JSON and a page for each seat, and pages of all to print. Called by the command line."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ...dashboards.pages.language import translations
from ...errors import WorkbenchError
from ...runs.files import reason, write_text
from .. import showing
from ..desk import Desk, here
from ..room.folder import Room
from .pages import render
from .record import Record, of_desk, of_seats

#: What a participant's own record is called, on their desk and in their bundle.
NAME = "completion-record"


def write(
    room: Room, out: Path, language: str | None = None, told: Callable[[str], None] = lambda _: None
) -> tuple[list[Path], list[str]]:
    """Write the record of every seat where somebody did something.

    Parameters
    ----------
    out : Path
        Folder for them; made if it is not there. Earlier records in it are replaced.
    language : str, optional
        Of all of them; else each is in its participant's.
    told : callable
        Is told of which seat no record can be made.

    Returns
    -------
    list of Path
        What was written.
    list of str
        Seats where nobody did anything.

    Raises
    ------
    WorkbenchError
        If the folder cannot be written, or the course does not have the language.
    """
    _offered(room, language)
    records = of_seats(room, told, language)
    made = [record for record in records.values() if record]
    content = {f"{record.seat}.json": record.model_dump_json(indent=2) + "\n" for record in made}
    content |= {f"{r.seat}.html": render("record", r.achievement.inLanguage, records=[r]) for r in made}
    content |= dict(pages(made))
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in content.items():
            write_text(out / name, text)
    except OSError as error:
        raise WorkbenchError(f"{out} cannot be written ({reason(error)}): name another folder with --out") from None
    return [out / name for name in content], [seat for seat, record in records.items() if record is None]


def pages(records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """Yield name and content of pages to print: all records of a language in one."""
    for language in sorted({record.achievement.inLanguage for record in records}):
        of_it = [record for record in records if record.achievement.inLanguage == language]
        yield f"all-{language}.html", render("record", language, records=of_it)


def record() -> Path:
    """Make the participant's own completion record beside the lessons. Called in a lesson.

    Returns
    -------
    Path
        The page; the same as data lies beside it.

    Raises
    ------
    WorkbenchError
        If nothing has happened in the course yet, or the folder cannot be written.
    """
    from IPython.display import display

    desk = here()
    page = _own(desk)
    sentence = translations(desk.language).gettext(
        "Your record lies beside your lessons: %(page)s, to print, and the same as data. It says that you made it "
        "yourself; your trainer can make one from what the room noted."
    ) % {"page": page.name}
    display({"text/html": showing.note(sentence), "text/plain": sentence}, raw=True)
    return page


def _own(desk: Desk) -> Path:
    made = of_desk(desk, os.environ.get("GENAI4EU_SEAT"))  # at home there is no seat
    page = desk.folder / f"{NAME}.html"
    try:
        write_text(page.with_suffix(".json"), made.model_dump_json(indent=2) + "\n")
        write_text(page, render("record", desk.language, records=[made]))
    except OSError as error:
        with contextlib.suppress(OSError):
            page.unlink(missing_ok=True)  # of an earlier state: it would say something else than the data
        raise WorkbenchError(f"{page} cannot be written ({reason(error)}): make room in your folder") from None
    return page


def _offered(room: Room, language: str | None) -> None:
    from .evidence import course

    known = course(room)["course"]["languages"]
    if language is not None and language not in known:
        raise WorkbenchError(f"this course is in {', '.join(known)}, not in {language!r}")
