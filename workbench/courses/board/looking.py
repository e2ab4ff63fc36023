"""Looking at a participant's notebook: only after they agreed, only for the minutes that they agreed to.

Called by the board's pages and handlers. The notebook is what the participant saved, or else the room's own copy of it.
"""

from __future__ import annotations

import functools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ...dashboards.pages.language import translations
from ..room.copies import entries
from ..room.folder import Room
from ..room.reading import opened
from ..standing import over
from . import notebook, pages
from .diary import Diary
from .seat import Seat

#: Minutes that may be asked for. They begin with the question, as the participant is told.
MINUTES = (5, 10, 15)
#: Bytes of a notebook that is looked at.
MOST = 20 << 20


@dataclass(frozen=True)
class Look:
    """Whether the trainer may look.

    Attributes
    ----------
    state : str
        ``no``, ``asked``, ``refused``, ``yes`` or ``over``.
    until : float
        Until when, where it is ``yes``.
    """

    state: str
    until: float = 0.0


def look(diary: Diary, seat: Seat, now: float) -> Look:
    """Return whether the trainer may look at a seat's notebook."""
    question = diary.last("ask-look", "look-end", seat=seat.name)
    if question is None or question["event"] == "look-end":
        return Look("no")
    agreed = seat.answers.get(question["question"])
    if agreed is False:
        return Look("refused")
    until = over(question)
    if now >= until:
        return Look("over")
    return Look("yes", until) if agreed else Look("asked")


@dataclass(frozen=True)
class Saved:
    """A notebook as it was saved: when, and what it holds."""

    at: float
    content: bytes


def saved(room: Room, seat: str, file: str) -> Saved | None:
    """Return a seat's notebook as it is now, or else as the room kept it last; None where there is neither.

    Parameters
    ----------
    file : str
        A lesson of the course.
    """
    with opened(room, seat, Path(file)) as handle:
        if handle >= 0 and (about := os.fstat(handle)).st_size <= MOST:
            return Saved(about.st_mtime, _all(handle))
    return _kept(room.folder / "kept" / seat, file)


def _all(handle: int) -> bytes:
    """Return what a file holds, which may grow meanwhile."""
    pieces, at = [], 0
    while at < MOST and (piece := os.pread(handle, min(1 << 20, MOST - at), at)):
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _kept(folder: Path, file: str) -> Saved | None:
    """Return the room's own latest copy."""
    for entry in reversed(entries(folder)):
        copy = folder / f"{entry['sha256']}.ipynb"
        if entry["file"] == file and copy.is_file() and copy.stat().st_size <= MOST:
            return Saved(float(entry["at"]), copy.read_bytes())
    return None


@functools.lru_cache(maxsize=4)  # the same is asked for every few seconds, by one trainer
def page(found: Saved | None, file: str, language: str) -> str:
    """Return a notebook as a page of its own, on which nothing runs."""
    shown = notebook.cells(found.content) if found else None
    return pages.render("notebook", language, title=file, cells=shown, style=Markup(pages.style("notebook.css")))


def words(found: Saved | None, until: str, language: str) -> str:
    """Return of when it is, and until when one may look."""
    _ = translations(language).gettext
    when = time.strftime("%H:%M:%S", time.localtime(found.at)) if found else "–"
    return _("As saved at %(when)s. You may look until %(until)s.") % {"when": when, "until": until}
