"""The pool of workers of a sweep on this computer, or at a gateway: gives each its next point, hears how it went.

One run's failure, or a worker's death, takes nothing from the others. Called by ``sweep``.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..errors import WorkbenchError
from .busy import Busy
from .folder import State, Sweep, seen
from .line import Line

#: Seconds between two looks at the clock, and two drawings of the table.
_TICK = 0.25
#: Seconds between two writings of sweep.json; the points' own files are always current.
_SAVE = 2.0
#: Seconds for a stopped worker to seal its record before it is killed: longer than the engine gives a cell.
_GRACE = 30.0
#: So many refusals in the same words, and nothing that went well, are everybody's.
_ALIKE = 3

#: Called with all states, and with what the running ones last said of themselves, by point.
Follower = Callable[[list[State], dict[int, dict[str, Any]]], None]


@dataclass(eq=False)
class _Worker:
    """A worker as the pool sees it; without a point it is idle."""

    line: Line
    state: State | None = None
    pid: int | None = None
    pidfd: int | None = None


@dataclass(eq=False)
class Pool:
    """Carries out the points of a sweep, so many at a time.

    Parameters
    ----------
    states : list of State
        All points; those in ``todo`` are carried out.
    """

    sweep: Sweep
    states: list[State]
    jobs: int
    follow: Follower
    todo: deque[int] = field(default_factory=deque)
    said: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._saved = time.monotonic()
        self._busy = Busy()
        self._refusals: list[str] = []
        self._lost = 0

    def run(self, todo: list[int]) -> None:
        """Carry out the points ``todo``; return when all are over.

        Raises
        ------
        KeyboardInterrupt
            When the user stops it, after every worker has ended and its record is sealed.
        WorkbenchError
            If no worker can be had, or the target refuses every run alike.
        """
        self.todo = deque(todo)
        for index in todo:
            self.states[index] = self.sweep.forget(self.states[index])
        with self._nursery() as self._control:
            try:
                while self.todo or self._working():
                    self._employ()
                    self._turn()
            finally:
                self._end()

    @contextmanager
    def _nursery(self) -> Iterator[socket.socket]:
        """Start the process that forks workers; it ends when its socket is closed, or we die."""
        ours, its = socket.socketpair()
        root = {"GENAI4EU_RUNS": str(self.sweep.folder.parent)}
        with its, ours, (self.sweep.folder / "workers.log").open("wb") as log:
            command = [sys.executable, "-P", "-m", "genai4eu.sweeps.nursery", str(its.fileno()), str(self.sweep.folder)]
            process = subprocess.Popen(
                command, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **root}, start_new_session=True,
            )  # fmt: skip
            its.close()
            try:
                yield ours
            finally:
                ours.close()
                process.wait()

    def _working(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.state is not None]

    def _employ(self) -> None:
        """Give every idle worker a point; have more of them forked while there is work for them."""
        most = self._busy.most(self.jobs)
        idle = [worker for worker in self._workers if worker.state is None]
        while self.todo and len(self._working()) < most:
            worker = idle.pop() if idle else self._hire()
            worker.state = self.states[self.todo.popleft()]
            worker.line.send(point=asdict(worker.state))

    def _hire(self) -> _Worker:
        ours, its = socket.socketpair()
        with its:
            try:
                socket.send_fds(self._control, [b"w"], [its.fileno()])
            except OSError:
                raise self._broken() from None
        worker = _Worker(Line(ours))
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        return worker

    def _broken(self) -> WorkbenchError:
        log = self.sweep.folder / "workers.log"
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = lines[-1] if lines else "they said nothing"
        return WorkbenchError(f"the sweep's workers cannot start ({said}): see {log}")

    def _turn(self, patience: float = _TICK) -> None:
        """Hear what workers say for a while; draw and save."""
        for key, _ in self._selector.select(patience):
            worker = key.data
            messages = worker.line.read()
            for message in messages or []:
                self._hear(worker, message)
            if messages is None:
                self._gone(worker)
        if time.monotonic() - self._saved > _SAVE:
            self.sweep.save(self.states)
            self._saved = time.monotonic()
        self.follow(self.states, self.said)

    def _hear(self, worker: _Worker, message: dict[str, Any]) -> None:
        if "pid" in message:
            worker.pid = message["pid"]
            with suppress(ProcessLookupError):
                worker.pidfd = os.pidfd_open(message["pid"])
            return
        assert worker.state is not None
        index = message.pop("index")
        if message.pop("ended", False):
            self._over(worker, replace(worker.state, **message))
        elif "refused" in message:
            self._refused(worker, message["refused"])
        elif "run" in message:
            worker.state = self.states[index] = worker.state.began(message["run"])
            self.said[index] = {"since": time.monotonic()}
        else:
            self.said[index] |= {message["event"]: message["data"]}

    def _over(self, worker: _Worker, state: State) -> None:
        """Take down how a point went."""
        self.states[state.index] = state
        self.said.pop(state.index, None)
        worker.state = None
        if state.status == "completed":
            self._busy.free()
            self._refusals.clear()

    def _refused(self, worker: _Worker, why: str) -> None:
        """Try again later where a quota is used up; else the point is refused, and its run never was."""
        assert worker.state is not None
        state = State(worker.state.index, worker.state.parameters, earlier=worker.state.earlier)
        if self._busy.full(why, len(self._working()) - 1):
            self._over(worker, state)
            self.todo.appendleft(state.index)
            return
        self._over(worker, replace(state, status="refused", error=why))
        self._refusals.append(why)
        if self._refusals[-_ALIKE:].count(why) >= _ALIKE:
            raise WorkbenchError(why)

    def _gone(self, worker: _Worker) -> None:
        """A worker died: so did its run, which its record tells; another takes over."""
        self._selector.unregister(worker.line.sock)
        worker.line.close()
        if worker.pidfd is not None:
            os.close(worker.pidfd)
        self._workers.remove(worker)
        if (state := worker.state) is None:
            return
        if state.run is None:  # it had not even begun
            self._lost += 1
            if self._lost > self.jobs + 2:
                raise self._broken()
            self.todo.appendleft(state.index)
            return
        record = self.sweep.record(state.run)
        if not record.folder.is_dir():  # it was stopped before it had a kernel
            self._over(worker, State(state.index, state.parameters, earlier=state.earlier))
            return
        last = seen(state, record)
        killed = "the worker that carried it out was killed"
        self._over(worker, last if last.over else replace(last, status="died", error=killed))

    def _end(self) -> None:
        """Stop what still runs, and wait until it has; no worker is left."""
        for worker in self._workers:
            worker.line.send(stop=True)
        deadline = time.monotonic() + _GRACE
        try:
            while self._workers and time.monotonic() < deadline:
                self._turn()
        finally:  # also where the user presses Ctrl-C once more
            for worker in list(self._workers):
                if worker.pidfd is not None:
                    with suppress(ProcessLookupError):
                        signal.pidfd_send_signal(worker.pidfd, signal.SIGKILL)
                self._gone(worker)
            self.sweep.save(self.states)
            self._selector.close()
