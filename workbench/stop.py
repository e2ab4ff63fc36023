"""What ends the command line from outside: Ctrl-C and SIGTERM, and tidying up that neither interrupts."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

#: Seconds after a signal in which more of the same are the same wish.
_SAME_WISH = 1.0


class Stop:
    """A signal handler that stops what is done: once for a nervous hand's three; a later one stops the tidying up too.

    Parameters
    ----------
    reason : callable
        Called with the signal's number; returns what is raised.
    """

    def __init__(self, reason: Callable[[int], BaseException]) -> None:
        self._reason = reason
        self._heard = float("-inf")

    def __call__(self, number: int, frame: object) -> None:
        """Hear the signal."""
        if time.monotonic() - self._heard > _SAME_WISH:
            self._heard = time.monotonic()
            raise self._reason(number)


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Let no signal interrupt tidying up."""
    before: dict[signal.Signals, Any] = {}
    with contextlib.suppress(ValueError):  # another thread than the main one: it gets no signals
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
