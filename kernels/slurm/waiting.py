"""What a client asked for before the kernel runs: kept, answered where we can, shown the queue. Used by ``relay``."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .say import Voice

#: Seconds after which a client that waits is answered here, so that no start timeout ends a kernel in the queue.
PATIENCE = 3.0


@dataclass
class Held:
    """A message that waits for the kernel."""

    channel: str
    header: dict[str, Any]
    parts: list[bytes]
    shown: dict[str, str] = field(default_factory=dict)

    @property
    def is_cell(self) -> bool:
        """Whether it is code to run."""
        return bool(self.header["msg_type"] == "execute_request")


class WaitingRoom:
    """Holds messages until the kernel is ready."""

    def __init__(self, voice: Voice, language: str) -> None:
        self._voice = voice
        self._language = language
        self._held: deque[Held] = deque()
        self._since = time.monotonic()

    def take(self, channel: str, header: dict[str, Any], parts: list[bytes]) -> None:
        """Keep a message."""
        self._held.append(Held(channel, header, parts))

    def next(self) -> Held | None:
        """Return the first message, which goes to the kernel now."""
        return self._held.popleft() if self._held else None

    @property
    def patient(self) -> bool:
        """Whether the client has not waited long yet."""
        return time.monotonic() - self._since < PATIENCE

    async def answer(self) -> None:
        """Answer those who ask who we are, if it takes long."""
        if self.patient:
            return
        for held in [h for h in self._held if h.header["msg_type"] == "kernel_info_request"]:
            self._held.remove(held)
            await self._voice.kernel_info(held.channel, held.header, self._language)

    async def show(self, rows: dict[str, str]) -> None:
        """Show the state of the queue in the first cell that waits."""
        cell = next((held for held in self._held if held.is_cell), None)
        if cell is not None and not self.patient and cell.shown != rows:
            await self.show_in(cell, rows)

    async def show_in(self, cell: Held, rows: dict[str, str]) -> None:
        """Show a state in a cell, in place of the one before."""
        first = not cell.shown
        if first:
            await self._voice.status(cell.header, "busy")
        cell.shown = rows
        await self._voice.show(cell.header, f"slurm-{cell.header['msg_id']}", rows, first)

    async def refuse(self, name: str, text: str) -> bool:
        """End all cells that wait with an error; return whether there were any."""
        cells = [held for held in self._held if held.is_cell]
        for cell in cells:
            self._held.remove(cell)
            await self._voice.refuse(cell.channel, cell.header, name, text)
        return bool(cells)
