"""The cells of a run as far as it has come, one file a cell, and the notebook made of them.

While a run executes, ``notebook.ipynb`` holds the cells as they were before it, and ``cells/0003.json`` the cell of
that index as it is now. At the end the notebook is written once, whole. Called by the journal, and by whoever reads
the record of a run that is under way or whose runner was killed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from .files import write_text
from .large import KEY

FOLDER = "cells"
#: What a cell said last of how far it has come; beside the cells, so that it goes with them.
PROGRESS = "progress.json"
_NAME = re.compile(r"(\d{4,})\.json")


def keep(folder: Path, index: int, cell: Mapping[str, Any]) -> None:
    """Keep a cell as it is now. It need not survive a power cut, so that the disk is not waited for."""
    (folder / FOLDER).mkdir(exist_ok=True)
    write_text(folder / FOLDER / f"{index:04}.json", json.dumps(cell, ensure_ascii=False), durable=False)


def keep_progress(folder: Path, progress: Mapping[str, Any]) -> None:
    """Keep how far a cell has come: its index, and what it said."""
    (folder / FOLDER).mkdir(exist_ok=True)
    write_text(folder / FOLDER / PROGRESS, json.dumps(progress), durable=False)


def progress(folder: Path) -> dict[str, Any] | None:
    """Return what a cell of a run under way said last of how far it has come; None where none did."""
    try:
        found = json.loads((folder / FOLDER / PROGRESS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def clear(folder: Path) -> None:
    """Remove the cells' files, once the notebook is whole."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def assemble(folder: Path) -> dict[str, Any]:
    """Return the notebook of a record with the cells as far as they have come; of a finished run as it stands.

    Raises
    ------
    WorkbenchError
        If the folder holds no notebook.
    """
    notebook = _notebook(folder)
    for path in sorted((folder / FOLDER).glob("*.json")):
        found = _NAME.fullmatch(path.name)
        if found and int(found[1]) < len(notebook["cells"]):
            notebook["cells"][int(found[1])] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def _notebook(folder: Path) -> dict[str, Any]:
    """Return the notebook as it was written last; before a kernel began that is the one that was given."""
    for name in ("notebook.ipynb", "input.ipynb"):
        try:
            notebook = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(notebook, dict) and isinstance(notebook.get("cells"), list):
            return notebook
    raise WorkbenchError(f"{folder.name} has no notebook: the record is damaged, run again")


def finish(folder: Path, status: str, error: str | None) -> list[dict[str, Any]]:
    """Write the notebook of a run whose runner is gone as far as it came; return the states of its cells.

    Raises
    ------
    WorkbenchError
        If the folder holds no notebook.
    """
    notebook = assemble(folder)
    for cell, state in zip(notebook["cells"], states(notebook, status), strict=True):
        about = cell.setdefault("metadata", {}).setdefault("papermill", {})
        about["status"] = state["status"]
        for text in cell["metadata"].get(KEY, {}).get("large", []):
            text |= _as_it_is(folder, text)
    notebook.setdefault("metadata", {}).setdefault("papermill", {}).update(status=status, error=error, exception=True)
    write_text(folder / "notebook.ipynb", json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    clear(folder)
    return states(notebook)


def _as_it_is(folder: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return size and digest of a text that grew on after its cell was written last."""
    path = folder / about["file"]
    if "begins" not in about or not path.is_file():
        return {}
    with path.open("rb") as stream:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def states(notebook: Mapping[str, Any], ended: str | None = None) -> list[dict[str, Any]]:
    """Return index, type, status and duration [s] of every cell.

    Parameters
    ----------
    ended : str, optional
        How the run ended, for the cell that a killed runner left as running; cells that never began are ``not run``.
    """
    return [_state(index, cell, ended) for index, cell in enumerate(notebook["cells"])]


def _state(index: int, cell: Mapping[str, Any], ended: str | None) -> dict[str, Any]:
    about = cell.get("metadata", {}).get("papermill") or {}
    status = about.get("status", "pending")
    if ended is not None and status in ("pending", "running"):
        status = ended if status == "running" else "not run"
    return {"index": index, "type": cell["cell_type"], "status": status, "duration": about.get("duration")}
