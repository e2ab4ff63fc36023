"""Seconds that each seat has used at the factory, over the whole course: a file that is only ever added to.

Read and written by the broker alone. A broker that is killed has written down which cells ran; the next one counts
them until the last moment at which it was seen.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

from .. import journal


class Ledger:
    """What seats have used.

    Parameters
    ----------
    path : Path
        The file; made with the first cell.
    budget : float
        Seconds that a seat has for the whole course.
    seen : float
        When an earlier broker was last alive, in seconds since the epoch.
    """

    def __init__(self, path: Path, budget: float, seen: float = 0.0) -> None:
        self._path, self.budget = path, budget
        self.used: dict[str, float] = defaultdict(float)
        running: dict[str, dict[str, Any]] = {}
        for line in journal.entries(path):
            if "granted" in line:
                running[line["cell"]] = line
            elif running.pop(line["cell"], None):
                self.used[line["seat"]] += line["seconds"]
        for cell, line in running.items():
            self.end(cell, line["seat"], min(max(0.0, seen - line["at"]), line["granted"]))

    def left(self, seat: str) -> float:
        """Return the seconds that a seat still has."""
        return max(0.0, self.budget - self.used[seat])

    def begin(self, seat: str, granted: float) -> str:
        """Note that a cell begins to run, and return what it is called."""
        cell = uuid.uuid4().hex
        self._add(cell=cell, seat=seat, granted=granted)
        return cell

    def end(self, cell: str, seat: str, seconds: float) -> None:
        """Note what a cell has used."""
        self.used[seat] += seconds
        self._add(cell=cell, seat=seat, seconds=round(seconds, 3))

    def _add(self, **line: Any) -> None:
        journal.add(self._path, {"at": time.time(), **line}, durable=True)
