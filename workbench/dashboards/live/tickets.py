"""Who waits for a kernel, in order. Called by the reception."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..bundle import Bundle
    from .sessions import Session

#: Seconds for which a visitor who asks no more keeps a place in the queue.
KEPT = 30
#: How many may wait: more would wait longer than anyone does.
MOST = 500

State = Literal["queue", "starting", "live", "failed"]


@dataclass(eq=False)
class Ticket:
    """One visitor's wish.

    Attributes
    ----------
    state : {"queue", "starting", "live", "failed"}
        How far it is.
    number : int
        Place in the queue, from 1, while it waits there.
    session : Session or None
        What it led to.
    missing : str
        The software that this computer lacks, where it failed for that.
    """

    place: str
    bundle: Bundle
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    state: State = "queue"
    number: int = 0
    session: Session | None = None
    missing: str = ""
    asked: float = field(default_factory=time.monotonic)
    _asking: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, state: State, number: int = 0) -> None:
        """Change how far it is; whoever waits for news learns of it."""
        if (state, number) != (self.state, self.number):
            self.state, self.number = state, number
            self._news.set()
            self._news = asyncio.Event()

    async def news(self, patience: float) -> None:
        """Wait until something has changed, or ``patience`` seconds."""
        self._asking += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._news.wait()
        finally:
            self._asking -= 1
            self.asked = time.monotonic()

    def expired(self) -> bool:
        """Tell whether its visitor has not asked for long."""
        return not self._asking and time.monotonic() - self.asked > KEPT


class Tickets:
    """All tickets, the first to come first."""

    def __init__(self) -> None:
        self._all: dict[str, Ticket] = {}

    def __iter__(self) -> Iterator[Ticket]:
        return iter(list(self._all.values()))

    def take(self, place: str, bundle: Bundle) -> Ticket | None:
        """Return a new ticket at the end of the queue; None where too many wait."""
        if len(self._all) >= MOST:
            return None
        ticket = Ticket(place, bundle)
        self._all[ticket.key] = ticket
        return ticket

    def find(self, place: str, key: str) -> Ticket | None:
        """Return the ticket of this key, if it belongs to this place and led nowhere else yet."""
        ticket = self._all.get(key)
        if ticket is None or ticket.place != place:
            return None
        if ticket.session is not None and ticket.session.kernel.ended:
            self.drop(ticket)
            return None
        return ticket

    def drop(self, ticket: Ticket) -> None:
        """Forget a ticket."""
        self._all.pop(ticket.key, None)

    def expire(self) -> None:
        """Forget those whose visitors ask no more."""
        for ticket in self:
            if ticket.expired():
                self.drop(ticket)

    @property
    def waiting(self) -> list[Ticket]:
        """Return those in the queue, in order."""
        return [ticket for ticket in self if ticket.state == "queue"]

    def number(self) -> None:
        """Tell everyone in the queue their place."""
        for place, ticket in enumerate(self.waiting, 1):
            ticket.tell("queue", place)
