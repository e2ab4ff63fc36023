"""How a kernel of the gateway comes to be: a place in a quota, a process, a record. The base of ``managers``."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from traitlets import default

from . import environment, runfiles
from .audit import Audit
from .kernel import GatewayKernel, Wish
from .meters import Meters
from .processes import born
from .quotas import Refused, check_count, check_kernelspec
from .records import Record, Records
from .users import User

#: Seconds that a kernel's process may take to be there.
START = 120.0
#: Seconds for which a kernel that is coming up keeps others from it.
SETTLE = 10.0


class StartingKernels(AsyncMappingKernelManager):  # type: ignore[misc]
    """Starts kernels, and takes over those that run.

    The app gives it its ``records``, ``audit`` and ``meters``, and says whether kernels outlive the gateway.
    """

    records: Records
    run_files: runfiles.RunFiles
    audit: Audit
    meters: Meters
    survive = False
    draining = False
    when_one_is_there: Callable[[], None] = staticmethod(lambda: None)  # the app has a keeper start

    @property
    def connection_folder(self) -> Path:
        """Where the connection files lie."""
        return Path(self.connection_dir)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.opened: dict[object, tuple[str, str]] = {}  # WebSockets, with the user's name and the token's digest
        self._turns: dict[str, asyncio.Lock] = {}
        self._unborn: dict[str, GatewayKernel] = {}
        self._slots = asyncio.Semaphore(max(4, 2 * (os.cpu_count() or 1)))
        self._tasks: set[asyncio.Task[None]] = set()  # keeps them from being collected

    @default("kernel_manager_class")  # type: ignore[untyped-decorator]
    def _kernel_manager_class_default(self) -> str:
        return f"{GatewayKernel.__module__}.GatewayKernel"

    @default("context")  # type: ignore[untyped-decorator]
    def _context_default(self) -> zmq.asyncio.Context:
        """Take output as fast as it comes: a kernel drops what has to wait behind a thousand messages.

        A kernel and its client take up to eight sockets; the library's own limit, 1023, would be met by 130 users.
        """
        self._created_context = True
        context = zmq.asyncio.Context()
        context.set(zmq.MAX_SOCKETS, 32768)
        context.setsockopt(zmq.RCVHWM, 0)
        return context

    async def start(self, user: User, wish: Wish) -> str:
        """Start a kernel for a user and return its id. Called for ``/api/kernels`` and ``/api/sessions``.

        Raises
        ------
        Refused
            If the user may not have it; nothing has been started then.
        HTTPError
            If it could not be started; nothing of it is left then.
        """
        try:
            record = self._reserve(user, wish)
        except Refused as refusal:
            about = {"kernelspec": wish.kernelspec, "reason": refusal.kind}
            self.audit.write("kernel refused", user=user.name, address=wish.address, **about)
            self.meters.refusals.labels(refusal.kind).inc()
            raise
        about = {"user": user.name, "address": wish.address, "kernel": record.kernel_id, "kernelspec": wish.kernelspec}
        try:
            await self._launch(record)
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, web.HTTPError | OSError | TimeoutError):
                self.log.exception("a kernel of the kernelspec %s could not be started", wish.kernelspec)
            await self._undo(record)
            self.audit.write("kernel start", **about, result="failed", reason=type(error).__name__)
            self.meters.starts.labels(wish.kernelspec, "failed").inc()
            raise self._reason(wish.kernelspec, error) from None
        unset = {"ignored_env": wish.ignored} if wish.ignored else {}
        self.audit.write("kernel start", **about, result="started", **unset)
        self.meters.starts.labels(wish.kernelspec, "started").inc()
        return record.kernel_id

    def _reserve(self, user: User, wish: Wish) -> Record:
        """Take a place in the user's quota. Awaits nothing: of fifty requests at once, each sees those before it."""
        if self.draining:
            raise Refused(503, "draining", "this gateway is about to restart and takes no new kernels: ask again", 30)
        check_kernelspec(user, wish.kernelspec, list(self.kernel_spec_manager.find_kernel_specs()))
        check_count(user, self.records.of(user.name), bridge=wish.lease > 0)
        kernel_id = wish.kernel_id or str(uuid.uuid4())
        if self.records.get(kernel_id):
            raise Refused(409, "taken", "there is a kernel with this id already: choose another one")
        record = Record(kernel_id, user.name, wish.kernelspec, wish.env, wish.lease, wish.batch)
        self.records.add(record)
        return record

    async def _launch(self, record: Record) -> None:
        """Start the process, as one of a few that come up at the same time: sixty would starve the gateway."""
        await self._slots.acquire()
        try:
            options = self.launch_options(record)
            start = self.start_kernel(kernel_name=record.kernelspec, kernel_id=record.kernel_id, **options)
            await asyncio.wait_for(start, START)
            self._note_process(record)
        except BaseException:
            self._slots.release()
            raise
        self._keep(self._come_up(record.kernel_id))

    async def _come_up(self, kernel_id: str) -> None:
        """Give the place of a kernel that is coming to the next one, once it answers or has had time to."""
        try:
            if kernel_id in self:
                await asyncio.wait([self._keep(self.get_kernel(kernel_id).settle())], timeout=SETTLE)
        finally:
            self._slots.release()

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def launch_options(self, record: Record) -> dict[str, Any]:
        """Return how a kernel is started."""
        folder = Path(self.root_dir)
        if self.survive:  # one folder for each user; a gateway of one person has no need of it
            folder = folder / record.owner
            folder.mkdir(mode=0o700, exist_ok=True)
        asked = {**record.env, runfiles.VARIABLE: self.run_files.place(record.kernel_id)}
        return {"cwd": str(folder), "env": environment.of_kernel(record.owner, asked), "independent": self.survive}

    def pre_start_kernel(self, kernel_name: str | None, kwargs: Any) -> Any:
        """Make the object of a kernel; it belongs to somebody before anybody can find it."""
        kernel, name, kernel_id = super().pre_start_kernel(kernel_name, kwargs)
        self.claim(kernel, self.records.get(kernel_id))
        self._unborn[kernel_id] = kernel
        return kernel, name, kernel_id

    @staticmethod
    def claim(kernel: GatewayKernel, record: Record | None) -> None:
        """Write on a kernel's object whose it is; the epoch tells clients whether this is still the same gateway."""
        if record is None:
            raise KeyError("a kernel that nobody asked for")
        kernel.genai4eu_owner, kernel.genai4eu_lease = record.owner, record.lease
        kernel.genai4eu_epoch = uuid.uuid4().hex

    def _note_process(self, record: Record) -> None:
        """Write down which process a kernel is, for the next gateway."""
        self._unborn.pop(record.kernel_id, None)
        kernel = self._kernels.get(record.kernel_id)
        if kernel is None or self.records.get(record.kernel_id) is not record:  # it has died already
            return
        record.pid = int(getattr(kernel.provisioner, "pid", 0) or 0)
        record.born = born(record.pid) or 0.0
        record.connection_file = kernel.connection_file
        self.records.save(record)
        self.when_one_is_there()

    async def adopt(self, record: Record, kernel: GatewayKernel) -> None:
        """Take over a kernel that runs already. Called after a restart of the gateway."""
        self.claim(kernel, record)
        self.records.save(record)
        self._kernels[record.kernel_id] = kernel
        self._kernel_connections[record.kernel_id] = 0
        kernel.last_activity = datetime.now(UTC)
        kernel.start_restarter()
        await self._finish_kernel_start(record.kernel_id)
        self.when_one_is_there()

    async def _undo(self, record: Record) -> None:
        """Leave nothing of a start that failed."""
        kernel = self._unborn.pop(record.kernel_id, None) or self._kernels.get(record.kernel_id)
        self._pending_kernels.pop(record.kernel_id, None)
        self._kernels.pop(record.kernel_id, None)
        try:
            if kernel is not None:
                kernel.stop_restarter()
                await kernel._async_kill_kernel()
                await kernel._async_cleanup_resources()
        finally:
            self.records.drop(record.kernel_id)

    @staticmethod
    def _reason(kernelspec: str, error: BaseException) -> BaseException:
        """Return what the client is told about a start that failed."""
        if isinstance(error, TimeoutError):
            return web.HTTPError(
                503, "the kernelspec %r did not start within %d s: ask the operator", kernelspec, START
            )
        if isinstance(error, Exception) and not isinstance(error, web.HTTPError):
            about = getattr(error, "strerror", None) or type(error).__name__
            return web.HTTPError(500, "the kernelspec %r cannot be started (%s): ask the operator", kernelspec, about)
        return error
