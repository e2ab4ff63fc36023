"""How much time is left to a cell and to a run, by a clock that nobody sets. Called by the engine and its client."""

from __future__ import annotations

import time
from typing import Any

from .endings import TimeUp

#: nbclient takes nothing for no limit: a cell whose time is up gets this much.
_LEAST = 0.001


class Clock:
    """The time of one run.

    Parameters
    ----------
    cell : float or None
        Seconds that one cell may take.
    run : float or None
        Seconds that the cells of the run may take together, from when their kernel was there, all attempts counted.
    """

    def __init__(self, cell: float | None = None, run: float | None = None) -> None:
        self._cell = cell
        self._run = run
        self._spent = 0.0
        self._began: float | None = None
        self._by_run = False

    def start(self) -> None:
        """Count from now: the kernel is there."""
        self._began = time.monotonic()

    def stop(self) -> None:
        """Count no more, until the next attempt."""
        self._spent, self._began = self.spent, None

    @property
    def spent(self) -> float:
        """Seconds that the run has taken."""
        return self._spent + (time.monotonic() - self._began if self._began is not None else 0.0)

    def allow(self, cell: Any = None) -> float | None:
        """Return the seconds that the next cell may take, ``None`` for any. Called by nbclient for each."""
        left = None if self._run is None else max(_LEAST, self._run - self.spent)
        self._by_run = left is not None and (self._cell is None or left < self._cell)
        return left if self._by_run else self._cell

    def check(self) -> None:
        """Raise if the run's time is up."""
        if self._run is not None and self.spent >= self._run:
            self._by_run = True
            raise TimeUp(self.said(0))

    def said(self, index: int) -> str:
        """Say in one line what took too long."""
        if self._by_run:
            return f"the run took longer than the {self._run:g} s that it was given (--timeout)"
        return f"cell {index + 1} took longer than the {self._cell:g} s that a cell was given (--cell-timeout)"
