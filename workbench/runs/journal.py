"""The journal of a running notebook: the truth about every cell, kept current. Called by the engine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from papermill.engines import NotebookExecutionManager

from . import cells
from .files import write_text
from .large import Large, files_of, forget
from .session import Listener
from .status import Status
from .streams import Streams

#: Seconds within which the disk has what happened.
SAVE_EVERY = 2.0
#: Of the time, how much may go into keeping a very long cell current: one with 100 MB is written more seldom.
_SHARE = 0.1


def _nobody(event: str, data: dict[str, Any]) -> None:
    """Listen to nothing."""


class Journal(NotebookExecutionManager):  # type: ignore[misc]
    """Cell states of one execution, written to the notebook's metadata and told to a listener.

    Parameters
    ----------
    nb : NotebookNode
        The notebook being executed.
    output_path : str or None
        Where the executed notebook is kept; large outputs go to a folder beside it.
    listener : callable, optional
        Called with ``("cell" | "progress" | "metric" | "stream" | "output" | "collect", data)`` as things happen.
    tick : callable, optional
        Called whenever the journal is written, so that its owner keeps its own files current too.
    by_cell : bool
        Whether only the cell that changed is written while the notebook runs, as a record has it; else the notebook.
    """

    def __init__(
        self,
        nb: Any,
        output_path: str | None,
        listener: Listener | None = None,
        tick: Callable[[], None] | None = None,
        by_cell: bool = False,
        **options: Any,
    ) -> None:
        self.tell = listener or _nobody
        self._tick = tick
        self._by_cell = by_cell
        local = output_path is not None and "://" not in output_path and output_path != "-"
        self._path = Path(output_path).absolute() if local and output_path else None
        self.large = Large(files_of(self._path)) if self._path else None
        self.streams = Streams(files_of(self._path)) if self._path else None
        self._changed: set[int] = set()
        self._progress: dict[str, Any] = {}
        self._due = 0.0
        self._began: dict[int | None, float] = {}
        super().__init__(nb, output_path=output_path, **options)

    # What papermill's client calls

    def save(self, **_: Any) -> None:
        """Keep the disk current to within two seconds, whole or not at all."""
        if time.monotonic() >= self._due:
            self.write_changes()

    autosave_cell = save

    def notebook_start(self, **options: Any) -> None:
        """Mark every cell as pending, and write the notebook as it is before its first cell."""
        super().notebook_start(**options)
        self._began[None] = time.monotonic()
        for cell in self.nb.cells:
            forget(cell)
        self.write()

    def cell_start(self, cell: Any, cell_index: int | None = None, **options: Any) -> None:
        """Mark a cell as running."""
        self.touched(cell_index)
        self._began[cell_index] = time.monotonic()
        super().cell_start(cell, cell_index, **options)
        about = {"index": cell_index, "total": len(self.nb.cells), "status": "running"}
        injected = "injected-parameters" in cell.metadata.get("tags", [])
        self.tell("cell", {**about, "source": cell.source, "type": cell.cell_type, "injected": injected})

    def cell_complete(self, cell: Any, cell_index: int | None = None, **options: Any) -> None:
        """Note a cell's end; one that was marked otherwise keeps its mark."""
        marked = cell.metadata.papermill["status"]
        super().cell_complete(cell, cell_index, **options)
        cell.metadata.papermill["duration"] = round(time.monotonic() - self._began[cell_index], 6)  # no clock's whim
        if marked != self.RUNNING:
            cell.metadata.papermill["status"] = marked
        status = cell.metadata.papermill["status"]
        self.touched(cell_index)
        self._settle(cell_index)
        if self.streams and cell_index is not None:
            self.streams.ended(cell_index)
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
        self.nb.metadata.papermill["duration"] = round(time.monotonic() - self._began[None], 6)
        self.cleanup_pbar()
        self.write(durable=True)
        if self._by_cell and self._path:
            cells.clear(self._path.parent)

    # What is written

    def touched(self, index: int | None) -> None:
        """Take note that a cell is not any more what the disk has."""
        if index is not None:
            self._changed.add(index)

    async def keep_current(self, failed: Callable[[OSError], None]) -> None:
        """Keep the disk current as long as a cell runs, however long it is silent."""
        while True:
            await asyncio.sleep(SAVE_EVERY / 4)
            try:
                self.save()
            except OSError as error:
                failed(error)
                return

    def progressed(self, index: int, data: dict[str, Any]) -> None:
        """Tell how far a cell has come, also to who follows the run by its record. Called by the client."""
        self._progress = {**data, "index": index}
        self.tell("progress", data)

    def write_changes(self) -> None:
        """Write the cells that changed, or where cells have no files, the notebook."""
        began = time.monotonic()
        if self._path and self._by_cell:
            for index in sorted(self._changed):
                self._settle(index)
                cells.keep(self._path.parent, index, self.nb.cells[index])
            self._changed.clear()
            if self._progress:
                cells.keep_progress(self._path.parent, self._progress)
                self._progress = {}
            with contextlib.suppress(FileNotFoundError):  # it is not written yet
                os.utime(self._path)  # a silent cell writes nothing: this tells when its runner was last alive
        elif self._changed:
            self.write()
        if self._tick:
            self._tick()
        now = time.monotonic()
        self._due = now + max(SAVE_EVERY / 2, (now - began) / _SHARE)

    def write(self, durable: bool = False) -> None:
        """Write the whole notebook now."""
        for index in sorted(self._changed):
            self._settle(index)
        self._changed.clear()
        if self._path:
            write_text(self._path, nbformat.v4.writes_json(self.nb) + "\n", durable)
        self._due = time.monotonic() + SAVE_EVERY / 2

    def _settle(self, index: int | None) -> None:
        if self.streams and index is not None and self.nb.cells[index].cell_type == "code":
            self.streams.settle(self.nb.cells[index], index)

    def cells(self) -> list[dict[str, Any]]:
        """Return index, type, status and duration [s] of every cell."""
        return cells.states(self.nb)
