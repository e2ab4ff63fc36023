"""What belongs to a run and not into its record: a job's number and log, files on their way home.

It lies in ``.aside/RUN`` beside the records, so that nothing writes into a record that may be sealed. Removed when the
run has ended and its files are home. Called by ``batch``, ``fate`` and ``home``.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

from .files import write_json

LOG = "job.log"


def of(folder: Path) -> Path:
    """Return the folder beside a record's."""
    return folder.parent / ".aside" / folder.name


def write(folder: Path, **about: Any) -> None:
    """Add to what is known of a run's job, whole or not at all."""
    of(folder).mkdir(parents=True, exist_ok=True)
    write_json(of(folder) / "job.json", {**read(folder), **about})


def read(folder: Path) -> dict[str, Any]:
    """Return what is known of a run's job."""
    try:
        known = json.loads((of(folder) / "job.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def last_words(folder: Path) -> str:
    """Return the last line of the job's log."""
    try:
        lines = (of(folder) / LOG).read_text("utf-8", "replace").strip().splitlines()
    except OSError:  # it never wrote any, or it is seen from elsewhere
        return ""
    return lines[-1].removeprefix("genai4eu: ")[:300] if lines else ""


def clear(folder: Path) -> None:
    """Remove it, and the folder of all where it was the last."""
    shutil.rmtree(of(folder), ignore_errors=True)
    tidy(folder)


def tidy(folder: Path) -> None:
    """Remove what is empty."""
    for path in (of(folder), of(folder).parent):
        with contextlib.suppress(OSError):  # there is something in it, or it is not there
            path.rmdir()
