"""Who has a kernel: one visitor's page and its kernel, from attaching to leaving. Called by the reception."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .kernel import Listener, LiveKernel
from .messages import Allowance

#: Seconds that a kernel waits for a page that lost its connection, or never came.
GRACE = 60


@dataclass
class Session:
    """A page of a visitor and its kernel.

    Attributes
    ----------
    key : str
        Cannot be guessed; opens this session, below its place, and nothing else.
    place : str
        Address of the dashboard that it belongs to.
    allowance : Allowance
        What the page may still send, however often it connects.
    heard : float
        When the page last said something.
    away : float or None
        Since when no page is connected.
    """

    place: str
    kernel: LiveKernel
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    allowance: Allowance = field(default_factory=Allowance)
    heard: float = field(default_factory=time.monotonic)
    away: float | None = field(default_factory=time.monotonic)

    async def join(self, listener: Listener) -> None:
        """Let the page listen, for the first time or again."""
        self.away, self.heard = None, time.monotonic()
        await self.kernel.join(listener)

    def part(self, listener: Listener) -> None:
        """Wait for the page to come back."""
        if self.kernel.part(listener):
            self.away = time.monotonic()

    async def say(self, frame: bytes) -> None:
        """Pass on what the page says."""
        self.heard = time.monotonic()
        await self.kernel.say(frame)

    def over(self, idle: float) -> bool:
        """Tell whether the page has been away, or silent, for too long."""
        now = time.monotonic()
        return now - self.heard > idle or (self.away is not None and now - self.away > GRACE)


class Sessions:
    """All sessions.

    Parameters
    ----------
    freed : callable
        Called when one has ended.
    """

    def __init__(self, freed: Callable[[], None]) -> None:
        self._all: dict[str, Session] = {}
        self._freed = freed

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._all.values()))

    def add(self, place: str, kernel: LiveKernel) -> Session:
        """Begin a session."""
        session = Session(place, kernel)
        self._all[session.key] = session
        kernel.on_end = lambda _: self._ended(session)
        return session

    def find(self, place: str, key: str) -> Session | None:
        """Return the session of this key, if it belongs to this place."""
        session = self._all.get(key)
        return session if session and session.place == place else None

    def _ended(self, session: Session) -> None:
        self._all.pop(session.key, None)
        self._freed()
