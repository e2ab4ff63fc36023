"""The job array of a sweep on Slurm: asks for it, follows it in queue and records, cancels it. Called by ``sweep``.

A task carries out its points on its node (``task``). The array needs nobody who watches: where the sweep's process is
killed it goes on, and the same command follows it again instead of asking twice.
"""

from __future__ import annotations

import re
import secrets
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm import batch
from genai4eu.kernels.slurm import targets as slurm
from genai4eu.kernels.slurm.queued import Job
from genai4eu.kernels.slurm.reminder import waits_for

from ..errors import WorkbenchError
from ..runs.batch import environment
from .folder import State, Sweep
from .pool import Follower

#: Seconds between two questions to Slurm, and between two looks at the records.
_ASK, _LOOK = 5.0, 1.0
#: Seconds for records to be sealed after their jobs were cancelled; on many clusters Slurm kills after 30.
_GRACE = 40.0
#: Seconds that a shared file system may take to show what a job that is over has written.
_LATE = 10.0
#: What Slurm's words for the end of a job mean for its run.
_STATUS = {"CANCELLED": "cancelled", "TIMEOUT": "timeout", "DEADLINE": "timeout", "PREEMPTED": "preempted"}


@dataclass(eq=False)
class Array:
    """Carries out the points of a sweep as tasks of a job array.

    Parameters
    ----------
    states : list of State
        All points.
    jobs : int or None
        Tasks that may run at the same time; as many as the cluster gives where it is ``None``.
    per_task : int
        Points that a task carries out, one after the other: a start of the workbench for several light runs.
    """

    sweep: Sweep
    states: list[State]
    jobs: int | None
    follow: Follower
    per_task: int = 1
    _tasks: dict[int, str] = field(default_factory=dict)  # the job of each point, as Slurm calls it
    _queue: dict[str, Job] = field(default_factory=dict)
    _asked: float = -_ASK
    _silent: str = ""
    _vanished: dict[int, float] = field(default_factory=dict)

    def run(self, todo: list[int]) -> None:
        """Carry out the points ``todo``; return when all are over.

        Raises
        ------
        KernelsError
            If Slurm refuses the array. Nothing has begun then.
        KeyboardInterrupt
            When the user stops it, after the array was cancelled and its records are sealed.
        """
        self._take_up(todo)
        if new := [index for index in todo if index not in self._tasks]:
            for index in new:
                self.states[index] = self.sweep.forget(self.states[index])
            self._submit(new)
        try:
            while not self._over():
                time.sleep(_LOOK)
        except KeyboardInterrupt:
            self._cancel()
            raise
        finally:
            self.sweep.save(self.states)

    def _take_up(self, todo: Iterable[int]) -> None:
        """Find the points whose tasks of an earlier call still wait or run."""
        arrays = self.sweep.info.get("arrays", {})
        self._queue = batch.look() if arrays else {}
        for array in arrays.values():
            job_of_all = array["job"] or batch.find(array["name"])  # its number may not have come back to us
            for task, points in array["tasks"].items():
                job = self._queue.get(number := f"{job_of_all}_{task}")
                if job is not None and not job.over:
                    self._tasks |= dict.fromkeys(set(points) & set(todo), number)
        if self._tasks:
            print(f"genai4eu: {len(self._tasks)} points are in Slurm's queue already and followed", file=sys.stderr)

    def _submit(self, todo: list[int]) -> None:
        """Ask for an array of all points in ``todo``; what each task has to do stands in sweep.json before."""
        chunks = [todo[i : i + self.per_task] for i in range(0, len(todo), self.per_task)]
        largest = batch.largest()
        if len(chunks) > largest + 1:
            least = -(-len(todo) // (largest + 1))
            raise WorkbenchError(
                f"this cluster takes arrays of {largest + 1} tasks, the sweep has {len(chunks)}: "
                f"let each carry out more points (--per-task {least})"
            )
        by_point = chunks[-1][0] <= largest  # then a task is called by its first point
        tasks = {str(chunk[0] if by_point else number): chunk for number, chunk in enumerate(chunks)}
        mark = secrets.token_hex(4)
        kept = self.sweep.info.get("arrays", {})
        options = slurm.all_of_them()[self.sweep.info["target"]]
        folder = self.sweep.folder / "jobs"
        folder.mkdir(exist_ok=True)
        name = "genai4eu." + re.sub(r"[^A-Za-z0-9._-]", "-", self.sweep.id)[:150] + "." + mark
        array = {"job": None, "name": name, "tasks": tasks}
        self.sweep.save(self.states, arrays={**kept, mark: array})
        words = ["-P", "-m", "genai4eu.sweeps.task", str(self.sweep.folder), options.kernel, mark]
        # No template of warm kernels: one that is forked once costs more than it saves, and must end with the job.
        env = {**environment(), "GENAI4EU_RUNS": str(self.sweep.folder.parent), "GENAI4EU_WARM": "off"}
        job = batch.submit(options, words, name, folder, map(int, tasks), self.jobs, env=env)
        self.sweep.save(self.states, arrays={**kept, mark: {**array, "job": job}})
        self._tasks |= {index: f"{job}_{task}" for task, chunk in tasks.items() for index in chunk}
        print(f"genai4eu: job array {job} of {len(tasks)} tasks; it goes on without this terminal", file=sys.stderr)

    def _over(self) -> bool:
        """Look at records and queue, draw, and tell whether all that was asked for is over."""
        if time.monotonic() - self._asked > _ASK:
            self._ask()
        waiting = [index for index in self._tasks if not self.states[index].over]
        for index in waiting:
            self.states[index] = self._state(self.sweep.current(self.states[index]))
        self.follow(self.states, {index: self._said(index) for index in waiting})
        return all(self.states[index].over for index in self._tasks)

    def _ask(self) -> None:
        """Ask Slurm how the jobs fare; while it does not answer, the records tell."""
        self._asked = time.monotonic()
        try:
            self._queue, self._silent = batch.look(places_too=True), ""
        except KernelsError as error:
            self._silent = str(error)
        self.sweep.save(self.states)

    def _state(self, state: State) -> State:
        """Say of a point whose run died, or whose job is over while nobody finished its run, what Slurm says of it."""
        if state.status == "died":  # Slurm ends kernel and engine at once, so that the record may not know why
            self._ask()
        if self._silent or (state.over and state.status != "died"):
            return state
        job = self._queue.get(self._tasks[state.index])
        if job is not None and (not job.over or state.status == "died"):
            self._vanished.pop(state.index, None)
            return replace(state, status=_STATUS.get(job.state, state.status))
        if state.over or time.monotonic() - self._vanished.setdefault(state.index, time.monotonic()) < _LATE:
            return state
        status = _STATUS.get(job.state, "died") if job is not None else "cancelled"
        words = f"its job {self._tasks[state.index]} ended: {job.state if job is not None else 'CANCELLED'}"
        return replace(state, status=status, error=words + self._last_words(state.index))

    def _last_words(self, index: int) -> str:
        """Return the last that a task wrote outside its runs."""
        log = self.sweep.folder / "jobs" / f"job-{self._tasks[index].rpartition('_')[2]}.log"
        try:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return f" ({lines[-1][:200]})" if lines else ""

    def _said(self, index: int) -> dict[str, Any]:
        """Return what the table shows of a point that is not over."""
        if self._silent:
            return {"queue": "Slurm does not answer"}
        job = self._queue.get(self._tasks[index])
        if job is None or job.state != "PENDING":
            return {"queue": f"on {job.nodes}" if job is not None and job.nodes else ""}
        if job.place:
            return {"queue": f"place {job.place} in the queue"}
        return {"queue": f"waits: {why}" if (why := waits_for(job.reason)) else "waits"}

    def _cancel(self) -> None:
        """Cancel what waits or runs, and wait until the records say so."""
        left = [i for i in self._tasks if not self.states[i].over]
        print("genai4eu: cancelling the job array ...", file=sys.stderr)
        batch.cancel(sorted({self._tasks[i] for i in left}))
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline and any(self._waits(batch.look(), i) for i in left):
            time.sleep(_LOOK)
        for state in [self.sweep.current(self.states[i]) for i in left]:
            # Slurm ends kernel and engine at once: a record may say that its kernel died, but not why.
            stopped = state.run and state.status != "completed"
            words = "the job array was cancelled"
            self.states[state.index] = replace(state, status="cancelled", error=words) if stopped else state

    def _waits(self, queue: dict[str, Job], index: int) -> bool:
        job = queue.get(self._tasks[index])
        return job is not None and not job.over
