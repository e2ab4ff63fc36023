"""``python -P -m genai4eu.kernels.slurm.agent FOLDER``: what a job runs. It keeps the kernel and talks to the relay.

It listens on a port that the system chose and writes how to reach it into the job's folder, which login node and
compute nodes share. It ends, and the job with it, when the relay says so, when its kernel dies, when Slurm ends the
job, and when no relay has been heard for the lease, so that nothing is left when the login node went down.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from .door import open_door
from .incoming import CHANNELS, JobKernel
from .lane import BEAT, Lane
from .template import end_template, prepare_template, template_variables


class Agent:
    """The job's kernel, and its line to the relay."""

    def __init__(self, folder: Path, private: Path) -> None:
        self._folder = folder
        wish: dict[str, Any] = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        self._relay_key = wish["relay_key"].encode()
        self._lease = float(wish["lease"])
        env = {**os.environ, **wish["env"]}
        self._warm = bool(wish["warm"])
        env |= template_variables(private) if self._warm else {"GENAI4EU_WARM": "off"}
        self._kernel = JobKernel(wish["kernel"], private, env, self._warm)
        self._context = zmq.asyncio.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._relay: bytes | None = None
        self._former: set[bytes] = set()
        self._lane = Lane(self._push)
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._ready = False
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listeners: list[asyncio.Task[None]] = []

    async def run(self) -> int:
        """Serve until something ends the job; return its exit code."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._soon, "time")
        loop.add_signal_handler(signal.SIGTERM, self._terminated)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # interrupts come as messages
        authenticator = open_door(self._context, self._socket, self._relay_key, self._folder)
        work: list[asyncio.Future[Any]] = []
        for job in (self._serve(), self._beats(), self._keep_kernel()):
            work.append(asyncio.create_task(job))
        try:
            await asyncio.wait([self._over, *work], return_when=asyncio.FIRST_COMPLETED)
            for task in work:
                if task.done():
                    task.result()  # raises what went wrong
            return self._over.result()
        finally:
            await self._close(work)
            authenticator.stop()
            self._context.destroy(linger=500)

    async def _push(self, frames: list[bytes]) -> None:
        if self._relay is not None:
            await self._socket.send_multipart([self._relay, *frames])

    def _soon(self, kind: str, **about: Any) -> None:
        self._soon_do(self._tell(kind, **about))

    def _soon_do(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, kind: str, **about: Any) -> None:
        await self._lane.send(kind, [json.dumps({**about, "clock": time.time()}).encode()])

    def _terminated(self) -> None:
        """Slurm ends the job: the relay finds out why."""
        self._soon("terminated")
        self._finish(0)

    def _finish(self, status: int) -> None:
        if not self._over.done():
            self._over.set_result(status)

    async def _keep_kernel(self) -> None:
        """Start the kernel, and see whether it lives. One that died is not started again: its work is lost."""
        if self._warm:
            await asyncio.to_thread(prepare_template)
        await self._start(self._kernel.start)
        while True:
            await asyncio.sleep(0.2)
            if not self._changing.locked() and (status := await self._kernel.status()) is not None:
                await asyncio.sleep(0.3)  # output on its way, or the signal that Slurm sends to all at once
                if not self._over.done():
                    await self._tell("dead", status=status)
                    self._finish(1)

    async def _start(self, how: Any) -> None:
        async with self._changing:
            for listener in self._listeners:
                listener.cancel()
            starting, gone = asyncio.ensure_future(how()), 0
            while not starting.done():
                await asyncio.wait([starting], timeout=0.2)
                gone = gone + 1 if await self._kernel.status() is not None else 0
                if gone >= 5:  # not the old one that is being replaced: the new one died before it answered
                    starting.cancel()
                    return
            starting.result()
            self._listeners = [asyncio.create_task(self._kernel.listen(c, self._lane_send)) for c in CHANNELS]
            self._ready = True
        await self._tell("ready")

    async def _restart(self) -> None:
        try:
            await self._start(self._kernel.restart)
        except Exception as error:  # noqa: BLE001  # whatever it is, there is no kernel
            print(f"genai4eu: the kernel did not start again: {error!r}", file=sys.stderr)
            self._finish(1)

    async def _lane_send(self, channel: str, parts: list[bytes]) -> None:
        await self._lane.send(channel, parts)

    async def _serve(self) -> None:
        while True:
            identity, *frames = await self._socket.recv_multipart()
            if identity in self._former:
                continue
            if identity != self._relay:
                await self._meet(identity)
            due = await self._lane.take(frames)
            if due is not None:
                await self._do(*due)

    async def _meet(self, identity: bytes) -> None:
        """Talk to a new relay from now on; the one before it handed over."""
        former, self._relay = self._relay, identity
        if former is not None:
            self._former.add(former)
            self._lane = Lane(self._push)
            if self._ready:
                await self._tell("ready")

    async def _do(self, kind: str, parts: list[bytes]) -> None:
        if kind in CHANNELS:
            await self._kernel.send(kind, parts)
        elif kind == "interrupt":
            with contextlib.suppress(RuntimeError):  # there is none just now, so there is nothing to interrupt
                await self._kernel.interrupt()
        elif kind == "restart":
            self._ready = False
            await self._tell("restarting")
            self._soon_do(self._restart())
        elif kind == "end":
            self._finish(0)

    async def _beats(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT)
            await self._lane.beat()
            if time.monotonic() - before > 10 * BEAT:  # the job was suspended: it could not hear
                self._lane.heard = time.monotonic()
            if time.monotonic() - self._lane.heard > self._lease:
                print(f"genai4eu: no word from the relay for {self._lease:.0f} s: the job ends", file=sys.stderr)
                self._finish(1)

    async def _close(self, work: list[asyncio.Future[Any]]) -> None:
        """End the kernel, then say the last word; Slurm kills what takes too long."""
        work[2].cancel()
        for listener in self._listeners:
            listener.cancel()
        try:
            await asyncio.wait_for(self._kernel.end(), 10)
        except Exception as error:  # noqa: BLE001  # the job ends anyway, and everything in it
            print(f"genai4eu: the kernel did not end in order: {error!r}", file=sys.stderr)
        if self._warm:
            await asyncio.to_thread(end_template)
        await self._tell("ended")
        listens = self._relay is not None and time.monotonic() - self._lane.heard < 3 * BEAT
        deadline = time.monotonic() + (2.0 if listens else 0.0)
        while not self._lane.delivered() and time.monotonic() < deadline:
            await self._lane.beat()
            await asyncio.sleep(0.05)
        for task in (*work, *self._tasks):
            task.cancel()


def main() -> int:
    """Run the job."""
    if len(sys.argv) != 2:
        print("genai4eu: the agent is started by the script of a Slurm job", file=sys.stderr)
        return 2

    if (Path(sys.argv[1]) / "agent.json").exists():
        print("genai4eu: Slurm started the job again, but what was in its kernel is lost", file=sys.stderr)
        return 1

    os.umask(0o077)
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a debugger's warning would stand in the first cell
    private = Path(tempfile.mkdtemp(prefix="genai4eu-"))  # short, on the node: sockets live in it

    async def serve() -> int:
        return await Agent(Path(sys.argv[1]), private).run()

    try:
        return asyncio.run(serve())
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(private)


if __name__ == "__main__":
    sys.exit(main())
