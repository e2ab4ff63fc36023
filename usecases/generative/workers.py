"""Worker processes for what threads of one interpreter cannot share: seasons, relaxations. Called by the sectors."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager


@contextmanager
def processes(count: int, ready: Callable[[], None] | None = None) -> Iterator[Executor]:
    """Give ``count`` worker processes, which end with the block and with this process.

    Parameters
    ----------
    count : int
        How many.
    ready : callable, optional
        Called once in each before its work; a function of a module.
    """
    from joblib.externals.loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(count, initializer=_begin, initargs=(ready,))
    try:
        yield pool
    finally:
        # What had not begun when one failed is cancelled by now. Not kill_workers: loky trips over cancelled work, and
        # then its workers run on and the process never ends.
        pool.shutdown()


def _begin(ready: Callable[[], None] | None) -> None:
    """Have Linux end this worker when its study's process ends, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if ready:
        ready()
