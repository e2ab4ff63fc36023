"""Who runs next: first come, first served, and a seat that has run goes behind those who wait. Used by the broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass(eq=False)
class _Place:
    seat: str
    moved: Callable[[int, int], None]
    called: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Waiting:
    """Places for a few at a time, and a queue for the others; a seat is in it once.

    Parameters
    ----------
    many : int
        How many run at once.
    """

    def __init__(self, many: int) -> None:
        self._free = many
        self._queue: list[_Place] = []

    @property
    def seats(self) -> list[str]:
        """Seats that wait, the next one first."""
        return [place.seat for place in self._queue]

    @contextlib.asynccontextmanager
    async def turn(self, seat: str, moved: Callable[[int, int], None]) -> AsyncIterator[None]:
        """Wait for a seat's turn, and have it for the block.

        Parameters
        ----------
        moved : callable
            Is told the position in the queue, from 1, and how many wait, whenever that changes.
        """
        place = _Place(seat, moved)
        self._queue.append(place)
        self._call()
        try:
            await place.called
        except asyncio.CancelledError:
            if not place.called.cancelled() and place.called.done():
                self._free += 1  # called in the very moment in which it was given up
            else:
                self._queue.remove(place)
            self._call()
            raise
        try:
            yield
        finally:
            self._free += 1
            self._call()

    def _call(self) -> None:
        """Call the next ones, and tell the others where they are."""
        while self._free and self._queue:
            self._free -= 1
            self._queue.pop(0).called.set_result(None)
        for number, place in enumerate(self._queue, 1):
            place.moved(number, len(self._queue))
