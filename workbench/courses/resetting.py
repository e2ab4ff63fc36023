"""Give a lesson back as it was at the beginning, with nothing lost. Called in a kernel and by the lesson's toolbar."""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import shutil
from pathlib import Path

from ..dashboards.pages.language import N_, translations
from ..errors import WorkbenchError
from ..runs.files import write_bytes
from .desk import Desk

#: What is said afterwards.
KEPT = N_("The notebook is as it was at the beginning. Your own version is kept as “%(name)s”.")
FRESH = N_("The notebook is as it was at the beginning.")


def reset(desk: Desk, file: str) -> Path | None:
    """Give back a lesson, and deleted files of the course; what the lesson was until now stays as a dated copy.

    The copy is the participant's own file under another name: it takes no space, so that a full disk loses nothing.

    Returns
    -------
    Path or None
        The copy; None where the lesson was not there any more.

    Raises
    ------
    WorkbenchError
        If it is no lesson of this course, or cannot be written: then nothing has changed.
    """
    lesson = desk.lesson(file)
    own, content = desk.folder / file, desk.pristine(lesson)
    try:
        with contextlib.ExitStack() as undo:
            fresh = _written(own, content)
            undo.callback(fresh.unlink, missing_ok=True)
            kept = _aside(own) if os.path.lexists(own) else None
            if kept:
                undo.callback(_back, kept, own)
            for missing, source in desk.missing():
                missing.parent.mkdir(parents=True, exist_ok=True)
                write_bytes(missing, source.read_bytes())
            fresh.replace(own)
            undo.pop_all()
    except OSError as error:
        _ = translations(desk.language).gettext
        words = _("“%(file)s” cannot be written (%(why)s): nothing was changed. Free some space, or ask your trainer.")
        raise WorkbenchError(words % {"file": file, "why": error.strerror}) from None
    desk.note("reset", lesson=file)
    return kept


def _written(own: Path, content: bytes) -> Path:
    """Write the pristine lesson beside, and wait until the disk has it."""
    fresh = own.with_name(f".{own.stem}.{secrets.token_hex(8)}")
    write_bytes(fresh, content)
    return fresh


def _aside(own: Path) -> Path:
    """Give what is there a second name that nothing has yet; where the file system knows no second names, move it."""
    stamp = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H.%M.%S")
    for number in range(1, 1000):
        kept = own.with_name(f"{own.stem} ({stamp}{f', {number}' if number > 1 else ''}).ipynb")
        if os.path.lexists(kept):
            continue
        try:
            os.link(own, kept, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:  # a folder, or a file system without second names
            own.rename(kept)
        return kept
    raise FileExistsError(None, "there are too many copies", str(own))


def _back(kept: Path, own: Path) -> None:
    """Undo: a second name goes again, what was moved comes back."""
    if os.path.lexists(own):
        kept.unlink()
    else:
        shutil.move(kept, own)
