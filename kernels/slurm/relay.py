"""Joins a local Jupyter client to a kernel in a Slurm job. Run by ``__main__``.

To the client the relay is the kernel: it lives as long, dies when it dies, and is interrupted and ended with it. It is
there at once, and holds what it is asked until the job runs. A restart stays in the job.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import psutil

from .. import handover
from ..errors import KernelsError
from .commands import SlurmRefused
from .front import CHANNELS, Front
from .job import SlurmJob
from .line import Line
from .options import Options
from .queued import Job
from .reminder import Reminder
from .snapshot import SELDOM, SOON, SharedQueue
from .watched import Watched

#: What a client may hand on to its kernel.
_ENV = ("JPY_SESSION_NAME", "GENAI4EU_KERNEL_FILES")
#: Seconds without word from the agent after which Slurm is asked more often.
SILENT = 5.0
#: Seconds for which Slurm may take to say why a job ended.
REASON = 8.0


class JobOver(KernelsError):
    """The job has ended, or the kernel in it."""


class Relay:
    """One Slurm job and the sockets that stand for its kernel here."""

    def __init__(self, options: Options, target: str, language: str, connection_file: Path) -> None:
        self._options = options
        self._target = target
        self._file = connection_file
        self._front = Front(connection_file, language, self)
        self._queue = SharedQueue()
        self._reminder = Reminder()
        self._watcher = Watched(connection_file)
        self._job: SlurmJob | None = None
        self._line: Line | None = None
        self._seen: Job | None = None  # what Slurm said last
        self._trouble = ""
        self._wanted, self._hurry, self._ended = (asyncio.Event() for _ in range(3))
        self._restarting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked = False  # whether the end was asked for
        self._terminated = float("inf")  # when Slurm began to end the job
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Submit the job, or adopt one, and serve its kernel until the client ends it.

        Raises
        ------
        KernelsError
            If the job or its kernel ends.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._front.stopped.set)
        loop.add_signal_handler(signal.SIGINT, lambda: self._soon(self.interrupt()))
        jobs = [asyncio.create_task(job) for job in self._jobs()]
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            if self._line is not None:
                self._line.close()
            self._front.close()

    def _jobs(self) -> list[Any]:
        return [*self._front.jobs(), self._live(), self._wait(), self._watch_parent(), self._serve_end()]

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What the client says

    def wanted(self) -> None:
        """Take note that there is code to run."""
        self._wanted.set()

    async def interrupt(self) -> None:
        """Interrupt the kernel; cells that wait for it end, and the job stays where it is."""
        if self._front.open and self._line is not None:
            await self._line.send("interrupt")
        else:
            number = self._job.number if self._job else ""
            stays = f"Slurm job {number} stays in the queue; shut the kernel down to cancel it"
            await self._front.refuse("KeyboardInterrupt", stays if number else "there is no Slurm job yet")

    async def shut_down(self, restart: bool) -> None:
        """End the job, or leave it to the relay that Jupyter starts next."""
        if restart and self._job is not None and self._job.number:
            await self._hand_over()
        else:
            await self._finish()

    async def _hand_over(self) -> None:
        """Leave the job to the relay that Jupyter starts next; the kernel in it is restarted meanwhile."""
        assert self._job is not None
        self._asked = True
        if self._line is not None and self._line.connected:
            await self._line.send("restart")
            with contextlib.suppress(TimeoutError):  # a job that does not answer may do so later
                await asyncio.wait_for(asyncio.shield(self._restarting), 3)
        handover.give(self._file, {"job": self._job.handed()})
        self._watcher.tell("handed")

    # The job

    async def _live(self) -> NoReturn:
        """Get a job, connect to its agent, hand on what it says."""
        given = handover.take(self._file)
        if given and "job" in given:
            self._job = SlurmJob.adopted(self._options, given["job"])
            self._watcher.start(self._job.name, self._job.folder)
            self._watcher.tell(f"id {self._job.number}")
        else:
            await self._submit(wanted=not given)
        assert self._job is not None
        follow = asyncio.create_task(self._follow(self._job))
        talk = asyncio.create_task(self._talk(self._job))
        done, _ = await asyncio.wait([follow, talk], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        raise AssertionError("neither ends without an error")

    async def _submit(self, wanted: bool) -> None:
        """Ask Slurm for a job. After a job that ended by itself the next one is only asked for when a cell is run.

        Jupyter starts a kernel that died again by itself: that must not burn an allocation that nobody asked for.
        """
        if wanted:
            self._wanted.set()
        while True:
            await self._wanted.wait()
            job = SlurmJob.fresh(self._options, self._target)
            self._watcher.start(job.name, job.folder)
            try:
                await job.submit({name: os.environ[name] for name in _ENV if name in os.environ}, self._note)
            except KernelsError as error:
                self._watcher.tell("done")
                job.clear()
                print(f"genai4eu: {error}", file=sys.stderr)
                self._trouble = str(error)
                self._wanted.clear()
                remedy = f": {error.remedy}, with genai4eu slurm add" if isinstance(error, SlurmRefused) else ""
                await self._front.refuse("SlurmError", f"no job: {error}{remedy}")
            else:
                self._watcher.tell(f"id {job.number}")
                self._job, self._trouble = job, ""
                return

    def _note(self, trouble: str) -> None:
        self._trouble = trouble

    async def _talk(self, job: SlurmJob) -> None:
        pause = 0.1
        while (about := job.agent()) is None:
            await asyncio.sleep(pause)
            pause = min(pause * 1.1, 1.0)
        self._line = Line(job.keys)
        await self._line.connect(about)
        beats = asyncio.create_task(self._line.beats())
        try:
            await self._line.serve(self._hear)
        finally:
            beats.cancel()

    async def _hear(self, kind: str, parts: list[bytes]) -> None:
        """Hand on what the kernel says; what the agent says is for us."""
        if kind in (*CHANNELS, "iopub"):
            await self._front.hand_on(kind, parts)
            return
        about = json.loads(parts[0])
        assert self._line is not None
        await self._line.beat()
        self._reminder.clock(about["clock"])
        if kind == "ready":
            await self._front.let_in(self._line, self._rows())
        elif kind == "restarting" and not self._restarting.done():
            self._restarting.set_result(None)
        elif kind == "dead" and not self._asked:
            await self._over(self._seen.state if self._seen else "", f"its kernel died ({_status(about['status'])})")
        elif kind == "ended":
            self._ended.set()
        if kind in ("time", "terminated"):
            if kind == "terminated":
                self._terminated = min(self._terminated, time.monotonic())
            self._hurry.set()

    async def _follow(self, job: SlurmJob) -> None:
        """Know the job's state. That Slurm does not answer, or does not list it for once, says nothing about it."""
        missing, made = 0, 0.0
        while True:
            snapshot = await self._queue.look(self._hurried())
            self._trouble = f"Slurm does not answer ({snapshot.error})" if snapshot.error else ""
            found = snapshot.jobs.get(job.number)
            if found is not None:
                self._seen, missing = found, 0
                # Whoever put it back into the queue, its kernel is gone.
                again = found.state == "PENDING" and snapshot.made > self._terminated
                if (found.over or again) and not self._asked:
                    await self._over(found.state)
            elif not snapshot.error and snapshot.made > made:
                missing += 1
                if missing > 3 and (self._line is None or self._line.silence > 3 * SILENT) and not self._asked:
                    await self._over("")
            made = snapshot.made
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._hurried() / 2):  # wait_for may lose who cancels it
                    await self._hurry.wait()
                self._hurry.clear()

    def _hurried(self) -> float:
        """Return how old news of the job may be, in seconds."""
        silent = self._line is not None and self._line.silence > SILENT
        known = self._seen is not None and self._seen.state == "RUNNING"  # else the last news is of the queue
        calm = self._front.open and known and not silent and self._terminated == float("inf")
        return SELDOM if calm or self._reminder.long_wait(self._front.open) else SOON

    async def _over(self, state: str, said: str = "") -> NoReturn:
        """End with an error that says why, in the running cell too."""
        assert self._job is not None
        self._asked = True
        if said:
            state = await self._final_state()
        why = await self._job.why(state, said)
        await self._front.end(why)
        handover.give(self._file, {"ended": why})
        self._watcher.tell("ended")
        with contextlib.suppress(KernelsError):
            await self._job.cancel()  # where only the kernel died
        self._job.clear()
        raise JobOver(why)

    async def _final_state(self) -> str:
        """Return the state in which the job ended, or nothing: the agent's word comes before Slurm's."""
        assert self._job is not None
        deadline = time.monotonic() + REASON
        while time.monotonic() < deadline:
            job = (await self._queue.look(1.0)).jobs.get(self._job.number)
            if job is not None and job.over:
                return job.state
            await asyncio.sleep(0.5)
        return ""

    # The end, and what a person sees

    async def _finish(self) -> None:
        """End the job, once; where that fails, the watcher tries again."""
        if self._asked:
            return
        self._asked = True
        if self._job is None or not self._job.number:
            return  # a submission may be under way: the watcher cancels by name
        if self._line is not None and self._line.connected:
            await self._line.send("end")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), 3)
        try:
            if not self._ended.is_set():
                await self._job.cancel()
        except KernelsError as error:
            print(f"genai4eu: {error}", file=sys.stderr)
            return
        self._watcher.tell("done")
        self._job.clear()

    async def _serve_end(self) -> None:
        await self._front.stopped.wait()
        await self._finish()

    async def _watch_parent(self) -> None:
        """Return when the client is gone. Jupyter names it in ``JPY_PARENT_PID``; a gateway's kernels outlive it."""
        named = os.environ.get("JPY_PARENT_PID", "")
        if not named.isdigit():
            await asyncio.Event().wait()
        parent = int(named)
        direct = os.getppid() == parent
        while (os.getppid() == parent) if direct else psutil.pid_exists(parent):
            await asyncio.sleep(0.5)
        await self._finish()

    async def _wait(self) -> None:
        """Answer and show while waiting; warn before the end."""
        while True:
            if not self._front.open:
                await self._front.entertain(self._rows())
            elif self._seen is not None and (warning := self._reminder.due(self._seen)):
                await self._front.tell(warning)
            await asyncio.sleep(0.5)

    def _rows(self) -> dict[str, str]:
        number = self._job.number if self._job else ""
        return self._reminder.rows(number, self._seen, self._trouble)


def _status(status: int) -> str:
    """Say an exit status in words."""
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
