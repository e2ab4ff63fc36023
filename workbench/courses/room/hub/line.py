"""The line in which seats wait to start: few at the same time, in the order in which they came, nobody refused.

Twenty servers that start at once each take twenty times as long; in a line the first is there after a second. Called by
the spawner.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Line:
    """Lets some in at a time.

    Parameters
    ----------
    at_once : int
        How many.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: list[tuple[str, asyncio.Event]] = []

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Wait for one's turn; who gives up meanwhile leaves the line."""
        event = asyncio.Event()
        entry = (name, event)
        self._waiting.append(entry)
        self._next()
        try:
            await event.wait()
        except BaseException:
            if entry in self._waiting:
                self._waiting.remove(entry)
            else:  # it was let in at that very moment
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def before(self, name: str) -> int:
        """Return how many wait before somebody; 0 is who is let in next, or already."""
        names = [waiting for waiting, _ in self._waiting]
        return names.index(name) + 1 if name in names else 0

    def _next(self) -> None:
        while self._free and self._waiting:
            self._free -= 1
            self._waiting.pop(0)[1].set()

    def _leave(self) -> None:
        self._free += 1
        self._next()
