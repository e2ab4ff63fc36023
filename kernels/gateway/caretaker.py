"""Looks at all users and kernels once a second and ends what is over: access, leases, idleness, life."""

from __future__ import annotations

import asyncio
import logging
import time

from tornado import web

from . import channels
from .managers import GatewayKernels
from .records import Record
from .spans import span
from .users import User, Users

EVERY = 1.0
#: Seconds between two looks at what runs left.
TIDY = 600.0


class Caretaker:
    """What happens by itself in a gateway."""

    def __init__(self, kernels: GatewayKernels, users: Users, cull_idle: float) -> None:
        self._kernels = kernels
        self._users = users
        self._cull_idle = cull_idle
        self._warned: dict[tuple[str, str], float] = {}  # and when
        self._since: dict[str, float] = {}  # when a kernel was first seen here
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._tidied = time.monotonic()
        self._tidying: asyncio.Future[None] | None = None

    def look(self) -> None:
        """See to everything. Called once a second; ends nothing itself, so that it never waits."""
        self._check_access()
        alive = [record for record in self._kernels.records.of() if record.kernel_id in self._kernels]
        for record in alive:
            if record.kernel_id not in self._ending and (why := self._judge(record)):
                task = asyncio.ensure_future(self._end(record.kernel_id, why))
                self._ending[record.kernel_id] = task
        ids = {record.kernel_id for record in alive}
        self._warned = {known: when for known, when in self._warned.items() if known[0] in ids}
        self._since = {kernel_id: self._since.get(kernel_id, time.monotonic()) for kernel_id in ids}
        if time.monotonic() - self._tidied > TIDY:
            self._tidied = time.monotonic()
            every = {record.kernel_id for record in self._kernels.records.of()}
            self._tidying = asyncio.ensure_future(asyncio.to_thread(self._kernels.run_files.tidy, every))

    def busy(self, kernel_id: str) -> bool:
        """Return whether something runs in the kernel, or waits to."""
        kernel = self._kernels.get_kernel(kernel_id)
        unsure = kernel.execution_state == "starting" and kernel.genai4eu_met  # a first cell may run already
        return unsure or kernel.execution_state == "busy" or channels.busy(kernel_id)

    def _check_access(self) -> None:
        """Hang up on those whose token is no longer good."""
        good = {(name, user.digest) for name, user in self._users.all().items() if user.state() == "active"}
        for name in {held[0] for held in self._kernels.opened.values() if held not in good}:
            channels.hang_up(name)
            self._kernels.audit.write("access ended", user=name)

    def _judge(self, record: Record) -> str | None:
        """Return why a kernel is to end; one that cannot be judged keeps nobody from the others."""
        try:
            return self._over(record)
        except Exception:
            logging.getLogger(__name__).exception("kernel %s cannot be looked after", record.kernel_id)
            return None

    def _over(self, record: Record) -> str | None:
        """Return why a kernel is to end, if it is."""
        user = self._users.all().get(record.owner)
        if user is None or user.state() != "active":
            return user.state() if user else "revoked"
        return self._too_old(record, user) or self._left(record) or self._idle(record)

    def _too_old(self, record: Record, user: User) -> str | None:
        if user.longest is None:
            return None
        rest = record.started + user.longest - time.time()
        if rest <= 0:
            return "longest life"
        for notice in {min(600.0, user.longest / 4), min(120.0, user.longest / 4)}:
            if rest <= notice:
                text = f"this kernel ends in {span(rest)}, when it is {span(user.longest)} old: save what you need"
                self._warn(record, f"life {notice}", text)
        return None

    def _left(self, record: Record) -> str | None:
        """Return the reason if the client of a kernel has been away longer than it said it might."""
        if record.lease <= 0:
            return None
        since = channels.absent_since(record.kernel_id)
        if since is None and not self._kernels.get_kernel(record.kernel_id).genai4eu_met:  # nobody ever came
            since = self._since.get(record.kernel_id)
        return "lease" if since is not None and time.monotonic() - since > record.lease else None

    def _idle(self, record: Record) -> str | None:
        """Return the reason if nothing ran for long; a busy kernel is never ended for that, nor one not warned in time.

        A look may come late, and the gateway may have slept with its computer: whoever is told "2 s" has them.
        """
        known = (record.kernel_id, "idle")
        if self._cull_idle <= 0 or self.busy(record.kernel_id):
            self._warned.pop(known, None)
            return None
        rest = self._cull_idle - (time.time() - self._kernels.get_kernel(record.kernel_id).last_activity.timestamp())
        notice = min(300.0, self._cull_idle / 4)
        if rest > notice:
            self._warned.pop(known, None)
            return None
        self._warn(record, "idle", f"this kernel is idle and ends in {span(notice)}: run a cell to keep it")
        return "idle" if rest <= 0 and time.monotonic() - self._warned[known] >= notice else None

    def _warn(self, record: Record, about: str, text: str) -> None:
        if (record.kernel_id, about) not in self._warned:
            self._warned[record.kernel_id, about] = time.monotonic()
            channels.warn(record.kernel_id, text)

    async def _end(self, kernel_id: str, why: str) -> None:
        try:
            if why in ("idle", "longest life"):
                channels.warn(kernel_id, f"the gateway ends this kernel ({why})")
            await self._kernels.end(kernel_id, why)
        except web.HTTPError:  # it ended by itself in this moment
            pass
        except Exception:  # the others are looked after all the same, and this one again
            logging.getLogger(__name__).exception("kernel %s could not be ended", kernel_id)
        finally:
            del self._ending[kernel_id]
