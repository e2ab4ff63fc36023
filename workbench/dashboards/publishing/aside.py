"""Folders that are built or taken apart aside of where they stand. Called by publishing and by unpublishing.

Their names begin with a dot, so that no page and no list knows them; they name the process that works on them, so that
the next who publishes can clear up after one that was killed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ...errors import WorkbenchError
from ...runs.presence import gone, here

_BEGINNING = ".aside-"
_OWNER = "owner.json"
#: Seconds after which a folder that names no owner has none.
_LONG = 3600


@contextlib.contextmanager
def aside(root: Path, remedy: str = "set GENAI4EU_DASHBOARDS to your own folder") -> Iterator[Path]:
    """Make a folder in ``root`` that is gone at the end, however the block ends; first clear up after others.

    Parameters
    ----------
    remedy : str
        What to do where ``root`` cannot be written.

    Raises
    ------
    WorkbenchError
        If ``root`` cannot be written.
    """
    made: list[Path] = []
    try:
        try:
            root.mkdir(parents=True, exist_ok=True)
            sweep(root)
            made.append(Path(tempfile.mkdtemp(dir=root, prefix=_BEGINNING)))
            (made[0] / _OWNER).write_text(json.dumps(here()), encoding="utf-8")
        except OSError as error:
            raise WorkbenchError(f"cannot write to {root}: {error.strerror}; {remedy}") from None
        yield made[0]
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove what a killed process left behind; what another still works on stays."""
    for folder in root.glob(f"{_BEGINNING}*"):
        try:
            owner = json.loads((folder / _OWNER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            owner = {}  # just being made, or its removal was stopped
        with contextlib.suppress(FileNotFoundError):
            if gone(owner) if owner else time.time() - folder.stat().st_mtime > _LONG:
                shutil.rmtree(folder, ignore_errors=True)
