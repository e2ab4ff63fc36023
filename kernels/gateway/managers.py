"""Ends and restarts the kernels of all users, and knows whose they are. Used by the app and the handlers."""

from __future__ import annotations

import asyncio
import time

from tornado import web

from . import activity, channels
from .quotas import Refused
from .starts import START, StartingKernels


class GatewayKernels(StartingKernels):
    """All kernels of a gateway."""

    def owner(self, kernel_id: str) -> str | None:
        """Return whose kernel it is. Called by the guard before anything is said of it."""
        record = self.records.get(kernel_id)
        return record.owner if record else None

    def leave_all(self) -> None:
        """Let all kernels go on without this gateway."""
        for kernel in self._kernels.values():
            kernel.leave()

    def start_watching_activity(self, kernel_id: str) -> None:
        """Note when a kernel is busy. Called by jupyter_server."""
        self._kernels[kernel_id].genai4eu_heard = False
        activity.watch(self, self._kernels[kernel_id])

    def turn(self, kernel_id: str) -> asyncio.Lock:
        """Return the lock of a kernel: a bridge and its watcher may ask for its end at once, or while it restarts."""
        lock: asyncio.Lock = self._turns.setdefault(kernel_id, asyncio.Lock())
        return lock

    async def _async_shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        """End a kernel and tell its clients. Called on DELETE, and for every kernel when the gateway ends."""
        async with self.turn(kernel_id):
            if kernel_id not in self:
                self._turns.pop(kernel_id, None)
                raise web.HTTPError(404, f"there is no kernel {kernel_id}: it has ended")
            await super()._async_shutdown_kernel(kernel_id, now=now, restart=restart)
        if not restart:
            self._forget(kernel_id, "the kernel is gone")

    shutdown_kernel = _async_shutdown_kernel

    async def end(self, kernel_id: str, why: str, user: str = "", address: str = "") -> None:
        """End a kernel, for a reason that goes into the audit log."""
        record = self.records.get(kernel_id)
        await self.shutdown_kernel(kernel_id)
        if record:
            about = {"kernel": kernel_id, "kernelspec": record.kernelspec, "owner": record.owner, "reason": why}
            self.audit.write("kernel end", user=user, address=address, **about)
        self.meters.ends.labels(why).inc()

    async def end_all(self, why: str) -> None:
        """End every kernel, also those that are only coming. Called when the gateway ends."""
        self.draining = True
        deadline = time.monotonic() + START
        while self.records.of() and time.monotonic() < deadline:
            there = [record.kernel_id for record in self.records.of() if record.kernel_id in self]
            for kernel_id in there:  # before the kernel itself says that it ends, but not why
                channels.say_dead(kernel_id, "the gateway was stopped")
            for error in await asyncio.gather(*(self.end(i, why) for i in there), return_exceptions=True):
                if isinstance(error, Exception) and not isinstance(error, web.HTTPError):  # it had ended by itself
                    self.log.error("a kernel could not be ended: %r", error)
            await asyncio.sleep(0.05)

    def _forget(self, kernel_id: str, said: str) -> None:
        """Free the place of a kernel that has ended, and tell whoever listens."""
        self._turns.pop(kernel_id, None)
        self.records.drop(kernel_id)
        channels.say_dead(kernel_id, said)
        channels.forget(kernel_id)

    async def _async_restart_kernel(self, kernel_id: str, now: bool = False) -> None:
        """Restart a kernel. Called for ``/api/kernels/ID/restart``, and by nobody else: the dead stay dead."""
        record = self.records.get(kernel_id)
        if record and record.batch:
            raise Refused(409, "batch", "a run is not restarted, its cells would go on in an empty kernel: end it")
        async with self.turn(kernel_id):
            await super()._async_restart_kernel(kernel_id, now=now)
            channels.restarted(kernel_id)
            self.stop_watching_activity(kernel_id)  # its messages have another name now
            self.start_watching_activity(kernel_id)
            if record:
                self._note_process(record)

    restart_kernel = _async_restart_kernel

    def _handle_kernel_died(self, kernel_id: str) -> None:
        """Take a kernel off the list whose process has ended by itself. Called by jupyter_server."""
        kernel, record = self._kernels.get(kernel_id), self.records.get(kernel_id)
        if kernel is None:
            return
        self.stop_watching_activity(kernel_id)
        self.remove_kernel(kernel_id)
        about = {"kernelspec": record.kernelspec, "owner": record.owner} if record else {}
        self.audit.write("kernel end", kernel=kernel_id, reason="died", **about)
        self.meters.ends.labels("died").inc()
        loop = asyncio.get_running_loop()
        loop.call_soon(self._forget, kernel_id, "the kernel is gone")  # after the sockets' own callbacks
        self._keep(kernel._async_cleanup_resources())
