"""Where visitors ask for a live view: gives out kernels in order, and takes them back. Called by the live handlers.

However many ask, there are never more kernels than places; those that wait for visitors give way to visitors that wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from .kernel import LiveKernel, prepare
from .proxy import FullError, PartFailedError, TierGoneError
from .reserve import Reserve
from .sessions import Session, Sessions
from .tickets import Ticket, Tickets
from .tier import Tier

if TYPE_CHECKING:
    from pathlib import Path

    from ..bundle import Bundle

_log = logging.getLogger("genai4eu.dashboards")
Coming = asyncio.Task[LiveKernel | None]
#: Seconds that a question waits for its answer to change.
PATIENCE = 20
#: Seconds without a message until a kernel is given to others.
IDLE = 600
#: Seconds between rounds: what has expired goes, what is lacking comes.
_ROUND = 1
#: Seconds between tries where the tier ended, or counts a kernel that is still ending: under load that takes a while.
_AGAIN = (0.0, 0.5, 2.0, 5.0, 10.0)
#: Seconds after a visitor's kernel in which the processors belong to visitors.
_QUIET = 2


class Reception:
    """Who comes, who waits, who is in.

    Parameters
    ----------
    root : Path
        Folder with the dashboards.
    viewers : int
        How many kernels there may be at once, those in reserve among them.
    idle : float
        Seconds without a message until a kernel is given to others.
    always : callable
        Returns the dashboards for which a kernel is held from the start.
    """

    def __init__(
        self, root: Path, viewers: int, idle: float = IDLE, always: Callable[[], Sequence[Bundle]] = lambda: ()
    ) -> None:
        self.tier = Tier(root, viewers, self._gone)
        self.tickets, self.sessions, self.reserve = Tickets(), Sessions(self._serve), Reserve()
        self._viewers, self._idle, self._always = viewers, idle, always
        self._starting = 0
        #: Kernels that are being prepared for the reserve, by the folder of the bundle, until somebody claims them.
        self._coming: dict[Path, Coming] = {}
        self._at_once = asyncio.Semaphore(max(2, os.cpu_count() or 2))
        self._quiet_from = self._named_until = 0.0
        self._work: set[asyncio.Task[None]] = set()
        self._closed = False

    def open(self) -> None:
        """Begin. Call from a coroutine."""
        self._later(self._keep())

    async def close(self) -> None:
        """End everything, and wait for that; whoever waits for a kernel is told that there will be none."""
        self._closed = True
        work = list(self._work)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        for ticket in self.tickets:
            if ticket.session is None:
                ticket.tell("failed")
        await self.tier.stop()

    async def ask(self, place: str, bundle: Bundle, key: str, patience: float = PATIENCE) -> Ticket | None:
        """Return a visitor's ticket when there is something to say of it; None where too many wait.

        Parameters
        ----------
        key : str
            The ticket's, if the visitor has one.
        """
        self.reserve.touch(bundle)
        ticket = self.tickets.find(place, key)
        new = ticket is None
        if ticket is None:
            ticket = self.tickets.take(place, bundle)
            if ticket is None:
                return None
            self._serve()
        if ticket.state == "starting" or (ticket.state == "queue" and not new):
            await ticket.news(patience)
        if ticket.state == "failed":
            self.tickets.drop(ticket)
        return ticket

    def _serve(self) -> None:
        """Give kernels to those who wait, as long as there are places."""
        if self._closed:
            return
        for ticket in self.tickets.waiting:
            kernel = self.reserve.take(ticket.bundle) or self._coming.pop(ticket.bundle.folder, None)
            giving = None
            if kernel is None and self._taken >= self._viewers and (giving := self.reserve.give_way()) is None:
                break
            ticket.tell("starting")
            self._starting += 1
            self._later(self._attach(ticket, kernel, giving))
        self.tickets.number()

    @property
    def _taken(self) -> int:
        return len(self.sessions) + len(self.reserve) + self._starting + len(self._coming)

    async def _attach(self, ticket: Ticket, ready: LiveKernel | Coming | None, giving: LiveKernel | None) -> None:
        """Lead a ticket to a session, or to the reason why not."""
        try:
            if giving is not None:
                await giving.end()
            kernel = (await ready if isinstance(ready, asyncio.Task) else ready) or await self._prepare(ticket.bundle)
            if kernel.ended:
                raise TierGoneError
            if ticket.expired():  # nobody wants it any more, here
                self.tickets.drop(ticket)
                await self._put_by(kernel)
            else:
                ticket.session = self.sessions.add(ticket.place, kernel)
                ticket.tell("live")
        except PartFailedError as error:
            ticket.missing = error.missing
            why = f"{error.missing} is not installed here" if error.missing else "its dashboard part failed here"
            self._failed(ticket, why)
        except TierGoneError:
            self._failed(ticket, "the live tier, or the kernel, ended meanwhile")
        except FullError:
            self._failed(ticket, "the live tier had no place, though we counted one")
        finally:
            self._starting -= 1
            self._quiet_from = asyncio.get_running_loop().time() + _QUIET
            self._serve()

    @staticmethod
    def _failed(ticket: Ticket, why: str) -> None:
        """Tell a visitor that there is no kernel, and whoever runs the gallery why."""
        _log.warning("no live view of %s: %s", ticket.bundle.slug, why)
        ticket.tell("failed")

    async def _prepare(self, bundle: Bundle) -> LiveKernel:
        """Let a new kernel execute a part; once more if the tier ended meanwhile, or still counts one that ends."""
        async with self._at_once:
            for pause in _AGAIN:
                try:
                    return await prepare(self.tier, bundle)
                except (TierGoneError, FullError):
                    await asyncio.sleep(pause)
            return await prepare(self.tier, bundle)

    async def leave(self, session: Session) -> None:
        """End a session because its page was left."""
        await session.kernel.end()

    def _gone(self, kernel_id: str) -> None:
        """Take note of a kernel that ended by itself, or of all."""
        held = [session.kernel for session in self.sessions] + list(self.reserve)
        for kernel in held:
            if kernel_id in ("", kernel.id):
                kernel.lost()

    async def _keep(self) -> None:
        """Make a round again and again; one that fails is told of, and the next one comes all the same."""
        while True:
            try:
                await self._round()
            except Exception:  # noqa: BLE001  # whatever it was: without rounds nobody is ever let out or in
                _log.exception("a round of the live views failed")
            await asyncio.sleep(_ROUND)

    async def _round(self) -> None:
        """Take back what nobody uses any more, and refill the reserve while nobody waits."""
        now = asyncio.get_running_loop().time()
        if now > self._named_until:  # a dashboard may have come, or have another version
            self._named_until = now + 30
            self.reserve.always(self._always())
        self.tickets.expire()
        self.tickets.number()
        over = [session.kernel for session in self.sessions if session.over(self._idle)]
        for kernel in [*over, *self.reserve.stale()]:
            await kernel.end()
        if not self._starting and not self._coming and now > self._quiet_from:
            self._refill()

    def _refill(self) -> None:
        """Prepare one kernel for the reserve, if there is a place to spare; who comes meanwhile waits for this one."""
        bundle = self.reserve.lacking()
        if bundle is None or self._taken >= self._viewers:
            return
        coming: Coming = asyncio.create_task(self._ahead(bundle))
        self._coming[bundle.folder] = coming
        self._later(self._arrived(bundle, coming))

    async def _ahead(self, bundle: Bundle) -> LiveKernel | None:
        """Return a kernel for the reserve, or none where it cannot be had: a visitor will be told why."""
        try:
            return await prepare(self.tier, bundle)
        except (PartFailedError, TierGoneError, FullError):
            self.reserve.failed(bundle)
            return None

    async def _arrived(self, bundle: Bundle, coming: Coming) -> None:
        """Hold a kernel that nobody has claimed while it was prepared."""
        try:
            kernel = await coming
        finally:
            coming.cancel()
            claimed = self._coming.get(bundle.folder) is not coming
            if not claimed:
                del self._coming[bundle.folder]
        if kernel is not None and not claimed:
            await self._put_by(kernel)
        self._serve()

    async def _put_by(self, kernel: LiveKernel) -> None:
        """Hold a kernel for the next visitor, or end it."""
        if not self.reserve.put(kernel):
            await kernel.end()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
