"""The monitor of a run: the widget shows, this looks at the record and cancels. For notebooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .errors import WorkbenchError
from .runs import cells
from .runs.context import before_visitors
from .runs.record import Record

if TYPE_CHECKING:
    from genai4eu.widgets import RunMonitor

#: Seconds between two looks at a record: as often as the disk has what happened.
EVERY = 2.0
#: Looks at a run that has ended and whose record is not sealed, until nobody waits for that any more.
_PATIENCE = 5
#: Colours and other commands to a terminal, which cells may print.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
#: Characters of a cell's first line, and of what it printed, that are looked at.
_LINE, _TAIL = 80, 8000


def monitor(run: Record | str, words: Mapping[str, str] | None = None) -> RunMonitor:
    """Follow a run that somebody else carries out: cells, progress, metrics, what it prints, and a way to cancel it.

    The kernel is free meanwhile; it ends when the record is sealed.

    Parameters
    ----------
    run : Record or str
        A record, or what ``genai4eu runs show`` takes: an id, the beginning or end of one, ``latest``.
    words : mapping of str to str, optional
        The widget's words in another language.

    Returns
    -------
    RunMonitor
        A widget; its ``wait()`` returns when the run is over.

    Raises
    ------
    WorkbenchError
        If there is no such run, or its record is damaged.
    """
    from genai4eu.widgets import RunMonitor

    from .runs import control
    from .runs.store import find

    if before_visitors():  # the page shows it as it was recorded
        return RunMonitor(lambda: {"id": str(run), "status": "completed", "over": True}, words=words)
    record = run if isinstance(run, Record) else find(run)
    made = RunMonitor(Look(record), lambda: control.cancel(record), EVERY, words)
    made.workbench = True
    return made


class Look:
    """Looks at a record. Called by the widget, from its thread.

    Parameters
    ----------
    record : Record
        Of the run.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._unsealed = 0

    def __call__(self) -> dict[str, Any]:
        """Return how the run is.

        Raises
        ------
        WorkbenchError
            If the record cannot be read.
        """
        from .runs.control import printed

        record, over = self._record, self._over()
        info, notebook = record.info, _notebook(record)
        metrics = [{"name": n, "value": m["value"], "unit": m["unit"]} for n, m in record.metrics.items()]
        states = cells.states(notebook, info["status"] if over else None)
        named = [{**s, "name": _first_line(c)} for s, c in zip(states, notebook["cells"], strict=True)]
        log = "".join(printed(cell)[-_TAIL:] for cell in notebook["cells"])
        running = next((c["index"] for c in named if c["status"] == "running"), None)
        step = None if over else cells.progress(record.folder)
        return {
            **{key: info.get(key) for key in ("id", "title", "status", "target", "started", "error", "waits")},
            "over": over, "duration": info["duration"] if over else _since(info), "cells": named, "metrics": metrics,
            "log": _ESCAPES.sub("", log)[-_TAIL:], "record": str(record.folder),
            "progress": step if step and step.get("index") == running else None,
        }  # fmt: skip

    def _over(self) -> bool:
        """Tell whether nothing will change any more; a run whose process is gone is settled."""
        from .runs.settle import settle

        if self._record.sealed or settle(self._record):
            return True
        self._unsealed = 0 if self._record.running else self._unsealed + 1
        return self._unsealed > _PATIENCE  # its files are not at home, or it is damaged


def _notebook(record: Record) -> dict[str, Any]:
    """Return the notebook as far as it has come; of a record that is being sealed at this moment, the next time."""
    try:
        return cells.assemble(record.folder)
    except (FileNotFoundError, ValueError):
        raise WorkbenchError(f"run {record.id} is being written: look again") from None


def _first_line(cell: Mapping[str, Any]) -> str:
    source = cell.get("source") or ""
    text = source if isinstance(source, str) else "".join(source)
    return next((line.strip()[:_LINE] for line in text.splitlines() if line.strip()), "")


def _since(info: Mapping[str, Any]) -> float | None:
    """Return for how many seconds a run goes on; a run that waits has not begun."""
    if info["status"] != "running":
        return None
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(info["started"])).total_seconds())
