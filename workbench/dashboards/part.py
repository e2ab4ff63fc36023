"""The dashboard part of a notebook: which cells it has, and a notebook of these alone. Called by publishing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError

TAG = "dashboard"
Json = Mapping[str, Any]


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook as plain JSON; loading a schema library to read our own record would cost a second.

    Raises
    ------
    WorkbenchError
        If it is missing, or not a notebook.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = notebook["cells"]
    except FileNotFoundError:
        raise WorkbenchError(f"{path.parent.name} has no {path.name}: the record is damaged, run again") from None
    except (ValueError, KeyError, TypeError):
        raise WorkbenchError(
            f"{path.parent.name}: {path.name} is no notebook: the record is damaged, run again"
        ) from None
    if not isinstance(cells, list):
        raise WorkbenchError(f"{path.parent.name}: {path.name} is no notebook: the record is damaged, run again")
    result: dict[str, Any] = notebook
    return result


def dashboard_cells(notebook: Json) -> list[Json]:
    """Return the cells tagged ``dashboard``, in order.

    Raises
    ------
    WorkbenchError
        If there is none, or none of them is code.
    """
    cells = [c for c in notebook["cells"] if TAG in c.get("metadata", {}).get("tags", [])]
    if not any(c["cell_type"] == "code" for c in cells):
        raise WorkbenchError(
            "the run's notebook has no dashboard part: tag the cells for visitors with 'dashboard' and run again"
        )
    return cells


def live_notebook(cells: Sequence[Json]) -> dict[str, Any]:
    """Return a notebook of the given cells without outputs, for any Python kernel of the computer that serves it."""
    kept = []
    for number, cell in enumerate(cells):
        bare = {"id": f"part-{number}", "metadata": {}, "source": cell["source"], "cell_type": cell["cell_type"]}
        if cell["cell_type"] == "code":
            bare |= {"execution_count": None, "outputs": []}
        kept.append(bare)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": kept, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def question(cells: Sequence[Json]) -> str | None:
    """Return the first heading of the first markdown cell: the question as the visitor would ask it."""
    for cell in cells:
        if cell["cell_type"] == "markdown" and (found := re.search(r"^#{1,6}\s+(.+)$", text_of(cell["source"]), re.M)):
            return found[1].strip().rstrip("#").strip()
    return None


def text_of(source: str | Sequence[str]) -> str:
    """Return a notebook's text field, which may be stored as a list of lines."""
    return source if isinstance(source, str) else "".join(source)
