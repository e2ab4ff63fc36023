"""The journal of a running notebook: the truth about every cell, kept current. Called by the engine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nbformat
from papermill.engines import NotebookExecutionManager

from .files import write_text
from .session import Listener
from .status import Status

#: Seconds between two writes of the notebook while it runs; papermill rewrites it whole twice a cell.
SAVE_EVERY = 2.0


def _nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


class Journal(NotebookExecutionManager):  # type: ignore[misc]
    """Cell states of one execution, written to the notebook's metadata and told to a listener.

    Parameters
    ----------
    nb : NotebookNode
        The notebook being executed.
    output_path : str or None
        Where the executed notebook is kept.
    listener : callable, optional
        Called with ``("cell" | "progress" | "metric" | "stream" | "collect", data)`` as things happen.
    """

    def __init__(self, nb: Any, output_path: str | None, listener: Listener | None = None, **options: Any) -> None:
        self.tell = listener or _nobody
        self._saved_at = 0.0
        super().__init__(nb, output_path=output_path, **options)

    def save(self, **_: Any) -> None:
        """Keep the notebook current to within two seconds, whole or not at all."""
        if time.monotonic() - self._saved_at >= SAVE_EVERY:
            self.write()

    autosave_cell = save

    def write(self) -> None:
        """Write the notebook now."""
        if self.output_path:
            write_text(Path(self.output_path), nbformat.writes(self.nb))
        self._saved_at = time.monotonic()

    def cell_start(self, cell: Any, cell_index: int | None = None, **options: Any) -> None:
        """Mark a cell as running."""
        super().cell_start(cell, cell_index, **options)
        self.tell("cell", {"index": cell_index, "total": len(self.nb.cells), "status": "running"})

    def cell_complete(self, cell: Any, cell_index: int | None = None, **options: Any) -> None:
        """Note a cell's end; one that was marked otherwise keeps its mark."""
        marked = cell.metadata.papermill["status"]
        super().cell_complete(cell, cell_index, **options)
        if marked != self.RUNNING:
            cell.metadata.papermill["status"] = marked
        status = cell.metadata.papermill["status"]
        self.tell("cell", {"index": cell_index, "total": len(self.nb.cells), "status": status})

    def cell_ended(self, cell: Any, status: Status) -> None:
        """Mark a cell that did not complete."""
        cell.metadata.papermill["status"] = status
        cell.metadata.papermill["exception"] = True
        self.nb.metadata.papermill["exception"] = True

    def notebook_ended(self, status: Status, error: str | None) -> None:
        """Say how the whole notebook ended; cells that never began are ``not run``."""
        for cell in self.nb.cells:
            if cell.metadata.papermill["status"] in (self.PENDING, self.RUNNING):
                never = cell.metadata.papermill["start_time"] is None
                cell.metadata.papermill["status"] = "not run" if never else status
        self.nb.metadata.papermill["status"] = status
        self.nb.metadata.papermill["error"] = error

    def notebook_complete(self, **_: Any) -> None:
        """Note the end time and write the notebook a last time."""
        self.end_time = self.now()
        self.nb.metadata.papermill["end_time"] = self.end_time.isoformat()
        self.nb.metadata.papermill["duration"] = (self.end_time - self.start_time).total_seconds()
        self.cleanup_pbar()
        self.write()

    def cells(self) -> list[dict[str, Any]]:
        """Return index, status and duration [s] of every cell."""
        return [
            {
                "index": i,
                "type": c.cell_type,
                "status": c.metadata.papermill["status"],
                "duration": c.metadata.papermill["duration"],
            }
            for i, c in enumerate(self.nb.cells)
        ]
