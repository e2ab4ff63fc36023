"""Joins a local Jupyter client to a kernel at a gateway. Run by ``__main__``.

To the client the bridge is the kernel: it lives as long, dies when it dies, and is interrupted and ended with it. Where
there can be no kernel (the quota is used up, the token refused, the gateway down) the bridge stays, says so in every
cell, and tries again with each; so a person reads why in the notebook, and a batch run fails at its first cell.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from .. import handover
from ..errors import KernelsError
from ..rest import Gateway, GatewayDown, KernelGone
from .interrupts import Interrupts
from .link import Link
from .local import LocalSide
from .parent import Parent
from .remote import Remote
from .requests import Requests
from .voice import Voice
from .wire import BadMessage

#: Seconds without a connection after which the cell that waits says so.
NOTICE = 10.0
_DEAD = ("restarting", "autorestarting", "dead")


class KernelDied(KernelsError):
    """The remote kernel is no more, or is another one than before."""


class Bridge:
    """One remote kernel and the sockets that stand for it here."""

    def __init__(self, remote: Remote, connection_file: Path, language: str) -> None:
        self._remote = remote
        self._gateway: Gateway = remote.gateway
        self._connection_file = connection_file
        self._local = LocalSide(connection_file)
        self._voice = Voice(self._local, language)
        self._requests = Requests()
        self._link = Link(remote.gateway, remote.kernel_id, remote.lease + 10)
        self._stop = asyncio.Event()
        self._wanted = asyncio.Event()  # somebody executes something although there is no kernel
        self._refusal = ""
        self._info: dict[str, Any] = {}  # what the kernel answered when it was asked what it is
        self._asked = False  # whether the kernel's end was asked for
        self._interrupts = Interrupts(remote, self._link, self._requests, self._voice)
        self._tasks: set[asyncio.Task[None]] = set()
        self._notice: asyncio.TimerHandle | None = None
        self._incomplete: set[str] = set()  # cells that saw a stock gateway's connection break

    async def run(self) -> None:
        """Start the remote kernel and serve it until the client ends it.

        Raises
        ------
        KernelsError
            If it dies, or is out of reach for too long.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_signal_handler(signal.SIGINT, lambda: self._spawn(self._interrupts.interrupt()))
        pumps = [self._pump(channel) for channel in ("shell", "control", "stdin")]
        works = [self._local.heartbeat(), self._serve_kernel(), self._watch_parent(), self._serve_end(), *pumps]
        jobs = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            self._local.close()

    async def _serve_kernel(self) -> None:
        """Have a kernel and stay connected to it; without one, wait until somebody wants one again."""
        while True:
            try:
                await self._start()
                self._refusal = ""
                await self._link.run(self)
            except KernelDied:
                raise
            except KernelGone:
                self._remote.lost()
                await self._died()
            except KernelsError as error:
                if isinstance(error, GatewayDown) and self._remote.up:
                    await self._died(str(error))
                await self._refuse(str(error))

    async def _start(self) -> None:
        """Wait for the kernel; where a gateway does not answer to a restart, say in the cell that it is tried again."""
        starting, told = asyncio.create_task(self._remote.start()), ""
        while not (await asyncio.wait({starting}, timeout=1))[0]:
            cell = self._requests.current if self._requests.cells else {}
            if self._remote.trying and cell and cell["msg_id"] != told:
                told = cell["msg_id"]
                await self._voice.line(cell, "no connection to the gateway that has the kernel; connecting again …")
        starting.result()

    async def _refuse(self, line: str) -> None:
        """Say why there is no kernel, to whoever has asked for something, and wait for the next cell."""
        print(f"genai4eu: {line}", file=sys.stderr, flush=True)
        self._refusal = line
        self._wanted.clear()
        if not self._remote.up:
            self._link.forget()
        for request in self._requests.end():
            await self._voice.answer(request, line)
        await self._wanted.wait()

    async def _pump(self, channel: str) -> None:
        """Send on what the client says."""
        while True:
            try:
                header, parts = await self._local.receive(channel)
            except BadMessage as error:
                print(f"genai4eu: dropped {error}", file=sys.stderr)
                continue
            if header["msg_type"] == "shutdown_request":
                await self._shut_down(channel, header, json.loads(parts[3]))
            elif header["msg_type"] == "interrupt_request":
                await self._interrupts.interrupt()
                await self._local.reply(channel, header, {"status": "ok"})
            else:
                await self._hand_on(channel, header, parts)

    async def _hand_on(self, channel: str, header: dict[str, Any], parts: list[bytes]) -> None:
        request = self._requests.ask(channel, header)
        if self._refusal and not self._wanted.is_set():
            if not request.is_cell:
                self._requests.forget(request)
                await self._voice.answer(request, self._refusal)
                return
            self._wanted.set()
        if self._info and self._requests.left and header["msg_type"] == "kernel_info_request":
            self._requests.forget(request)  # a client that gives up still asks this, and would wait for that cell
            await self._voice.repeat(request, self._info)
            return
        await self._link.send(channel, parts)

    async def _shut_down(self, channel: str, header: dict[str, Any], content: dict[str, Any]) -> None:
        """End the remote kernel; for a restart, leave it to the process that follows this one."""
        if content.get("restart") and self._remote.held and not self._asked:
            self._remote.leave()
            self._asked = self._interrupts.over = True
            handover.give(self._connection_file, self._remote.bequest())
            self._remote.watched.tell(f"handed {self._connection_file}")
            await self._link.leave()
        else:
            await self._finish()
        await self._local.reply(channel, header, {"status": "ok", **content})
        self._stop.set()

    # What the link tells

    async def hear(self, channel: str, parts: list[bytes]) -> None:
        """Send on what the kernel says, unless it is that it died, or meant for a cell that is over."""
        if channel == "gateway":
            await self._hear_gateway(json.loads(parts[0]))
            return
        kind: str = json.loads(parts[0])["msg_type"]
        parent: str = json.loads(parts[1]).get("msg_id", "")
        state = json.loads(parts[3])["execution_state"] if channel == "iopub" and kind == "status" else ""
        if (channel == "iopub" and kind == "shutdown_reply") or state in _DEAD:
            await self._died()  # the client's own request does not go that way
        if kind == "kernel_info_reply" and channel == "shell":
            self._info = json.loads(parts[3])
        if self._requests.is_over(parent):
            self._requests.hear(channel, parent, state == "idle")
            return
        if parent in self._incomplete:
            parts = [*parts[:2], _marked(parts[2]), *parts[3:]]
        self._requests.hear(channel, parent, state == "idle")
        await self._local.send(channel, parts, f"kernel.{self._remote.kernel_id}.{kind}")

    async def _hear_gateway(self, said: dict[str, Any]) -> None:
        if said["event"] == "dead":
            self._remote.lost()
            await self._died(f"the kernel died: {said['reason']}")
        elif said["event"] == "say":
            await self._voice.line(self._requests.current, said["text"])

    async def forgotten(self, unsent: frozenset[str]) -> None:
        """The gateway was restarted: what ran ends, with the outputs it has; the kernel itself lives on."""
        more = "The gateway that forgot this cell may still let it run to its end: interrupt the kernel, or restart it."
        for request in self._requests.end(unsent):
            await self._voice.fail(request, "KernelDied", "died: gateway restarted", more)

    def broken(self) -> None:
        """Say so in the cell that waits, if it takes long."""
        print("genai4eu: the connection to the gateway broke; connecting again", file=sys.stderr, flush=True)
        text = f"no connection to the gateway; the kernel is kept for {self._remote.lease:.0f} s, connecting again …"
        loop = asyncio.get_running_loop()
        self._notice = self._notice or loop.call_later(NOTICE, lambda: self._spawn(self._say_if_running(text)))

    def back(self, sure: bool) -> None:
        """Say in the cell that waited that all is well, or that it may not be."""
        notice, self._notice = self._notice, None
        if notice is not None and notice.when() < asyncio.get_running_loop().time():
            self._spawn(self._say_if_running("connected again" + (", nothing was lost" if sure else "")))
        if notice is not None:
            notice.cancel()
        if not sure:
            self._spawn(self._doubt())

    async def _say_if_running(self, text: str) -> None:
        if self._requests.cells:
            await self._voice.line(self._requests.current, text)

    async def _doubt(self) -> None:
        """Mark the cells whose connection to a stock gateway broke, and end those that it has done with."""
        for request in self._requests.cells:
            self._incomplete.add(request.header["msg_id"])
            text = "the connection broke and this gateway cannot repeat what it said: output may be incomplete"
            await self._voice.line(request.header, text, {"genai4eu": {"incomplete": True}})
        while cells := [c for c in self._requests.cells if c.header["msg_id"] in self._incomplete]:
            await asyncio.sleep(2)
            idle = False
            with contextlib.suppress(KernelsError):  # the connection itself tells when it is gone
                about = await asyncio.to_thread(self._gateway.kernel, self._remote.kernel_id)
                idle = about.get("execution_state") == "idle"
            await asyncio.sleep(1)  # for a reply that is on its way
            for request in [cell for cell in cells if idle and cell in self._requests.cells]:
                self._requests.close(request)
                await self._voice.fail(request, "OutputIncomplete", "the cell ended, but its reply was lost")

    # Ends

    async def _died(self, line: str = "") -> NoReturn:
        """End with an error, because whatever the client counted on is lost; a kernel restarted meanwhile is ended."""
        if self._asked:
            await asyncio.Event().wait()  # whoever asked for the end finishes
        line = line or f"the kernel {self._remote.spec} at the gateway {self._gateway.url} died"
        for cell in [request for request in self._requests.end() if request.is_cell]:
            await self._voice.fail(cell, "KernelDied", line)
        with contextlib.suppress(TimeoutError):  # the watcher, or at the latest the lease, sees to it
            await asyncio.wait_for(self._finish(), 3)
        raise KernelDied(line)

    async def _finish(self) -> None:
        """End the remote kernel, once; where that fails, the watcher tries again."""
        if self._asked:
            return
        self._asked = self._interrupts.over = True
        if not self._remote.perhaps:
            return
        try:
            async with self._interrupts.calls:
                await self._remote.delete()
        except KernelsError as error:
            print(f"genai4eu: {error}", file=sys.stderr)

    async def _serve_end(self) -> None:
        """Return when the kernel has been ended, by the client or by a signal."""
        await self._stop.wait()
        await self._finish()

    async def _watch_parent(self) -> None:
        """Return when the client is gone."""
        await Parent().gone()
        await self._finish()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _marked(metadata: bytes) -> bytes:
    return json.dumps({**json.loads(metadata), "genai4eu": {"incomplete": True}}).encode()
