"""Joins a local Jupyter client to a kernel at a gateway. Run by ``__main__``.

To the client the bridge is the kernel: it lives as long, dies when it dies, and is interrupted and ended with it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import Any, NoReturn

import psutil

from ..errors import KernelsError
from ..rest import Gateway, KernelGone
from .link import Link
from .local import LocalSide
from .watched import Watched
from .wire import BadMessage

#: What a client may hand on to its kernel.
_ENV = ("JPY_SESSION_NAME",)


class KernelDied(KernelsError):
    """The remote kernel is no more, or is another one than before."""


class Bridge:
    """One remote kernel and the sockets that stand for it here."""

    def __init__(self, gateway: Gateway, spec: str, connection_file: Path) -> None:
        self._gateway = gateway
        self._spec = spec
        self._local = LocalSide(connection_file)
        self._kernel_id = str(uuid.uuid4())
        self._link = Link(gateway, self._kernel_id)
        self._watcher = Watched(gateway, self._kernel_id)
        self._stop = asyncio.Event()
        self._asked = False  # whether the kernel's end was asked for
        self._calls = asyncio.Lock()  # a client that ends a kernel interrupts it just before: keep the order
        self._interrupts: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Start the remote kernel and serve it until the client ends it.

        Raises
        ------
        KernelsError
            If it cannot be started, dies, or is out of reach for too long.
        """
        try:
            heartbeat = asyncio.create_task(self._local.heartbeat())
            await self._start()
            jobs = [heartbeat, *map(asyncio.create_task, self._jobs())]
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            self._local.close()

    def _jobs(self) -> list[Any]:
        pumps = [self._pump(channel) for channel in ("shell", "control", "stdin")]
        return [self._serve_link(), self._watch_parent(), self._serve_end(), *pumps]

    async def _start(self) -> None:
        """Start the kernel at the gateway, and before it the watcher, who knows its id."""
        offered = await asyncio.to_thread(self._gateway.specs, 30)
        if self._spec not in offered:
            raise KernelsError(
                f"the gateway at {self._gateway.url} does not offer {self._spec}: connect it again to see what it does"
            )
        self._watcher.start()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        env = {name: os.environ[name] for name in _ENV if name in os.environ}
        try:
            await asyncio.to_thread(self._gateway.start_kernel, self._spec, self._kernel_id, env)
        except KernelsError:
            self._watcher.tell("up")  # one try to end it is enough
            raise
        self._watcher.tell("up")
        loop.add_signal_handler(signal.SIGINT, self._on_interrupt)

    async def _pump(self, channel: str) -> None:
        """Send on what the client says."""
        while True:
            try:
                header, parts = await self._local.receive(channel)
            except BadMessage as error:
                print(f"genai4eu: dropped {error}", file=sys.stderr)
                continue
            if header["msg_type"] == "shutdown_request":
                await self._finish()
                await self._local.reply(channel, header, {"status": "ok", **json.loads(parts[3])})
                self._stop.set()
            elif header["msg_type"] == "interrupt_request":
                await self._interrupt()
                await self._local.reply(channel, header, {"status": "ok"})
            else:
                await self._link.send(channel, parts)

    async def _receive(self, channel: str, parts: list[bytes]) -> None:
        """Send on what the kernel says, unless it is that it died."""
        topic = ""
        if channel == "iopub":
            kind = json.loads(parts[0])["msg_type"]
            topic = f"kernel.{self._kernel_id}.{kind}"
            if kind == "shutdown_reply":  # the client's own request does not go that way
                await self._died()
            if kind == "status" and json.loads(parts[3])["execution_state"] in ("restarting", "autorestarting", "dead"):
                await self._died()
        await self._local.send(channel, parts, topic)

    async def _died(self) -> NoReturn:
        """End with an error, because whatever the client counted on is lost; a kernel restarted meanwhile is ended."""
        if self._asked:
            await asyncio.Event().wait()  # whoever asked for the end finishes
        await self._finish()
        raise KernelDied(f"the kernel {self._spec} at the gateway {self._gateway.url} died")

    async def _finish(self) -> None:
        """End the remote kernel, once; where that fails, the watcher tries again."""
        if self._asked:
            return
        self._asked = True
        try:
            async with self._calls:
                await asyncio.to_thread(self._gateway.delete, self._kernel_id)
        except KernelGone:
            pass
        except KernelsError as error:
            print(f"genai4eu: {error}", file=sys.stderr)
            return
        self._watcher.tell("done")

    async def _serve_link(self) -> None:
        """Stay connected; that the kernel is gone is only news if nobody asked for it."""
        try:
            await self._link.run(self._receive)
        except KernelGone:
            await self._died()

    async def _serve_end(self) -> None:
        """Return when the kernel has been ended, by the client or by a signal."""
        await self._stop.wait()
        await self._finish()

    async def _watch_parent(self) -> None:
        """Return when the client is gone. Jupyter names it in ``JPY_PARENT_PID``."""
        parent = int(os.environ.get("JPY_PARENT_PID") or os.getppid())
        direct = os.getppid() == parent
        while (os.getppid() == parent) if direct else psutil.pid_exists(parent):
            await asyncio.sleep(0.5)
        await self._finish()

    def _on_interrupt(self) -> None:
        task = asyncio.get_running_loop().create_task(self._interrupt())
        self._interrupts.add(task)
        task.add_done_callback(self._interrupts.discard)

    async def _interrupt(self) -> None:
        async with self._calls:
            if self._asked:
                return
            try:
                await asyncio.to_thread(self._gateway.interrupt, self._kernel_id)
            except KernelsError as error:
                print(f"genai4eu: not interrupted: {error}", file=sys.stderr)
