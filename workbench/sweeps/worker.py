"""A worker of a sweep: carries out one run after the other in one process, each in a kernel of its own.

Importing the workbench costs as much as several light runs; here it is paid once. Forked by ``nursery``.
"""

from __future__ import annotations

import importlib
import os
import queue
import signal
import threading
import time
from dataclasses import replace
from typing import Any

from genai4eu.kernels.errors import KernelsError

from ..errors import Stopped, WorkbenchError
from ..runs.plan import Plan
from ..runs.record import Record
from .folder import State, Sweep, end, seen
from .line import Line

#: Seconds between two messages on how far a run has come.
_EVERY = 0.1


def prepare() -> None:
    """Import what a run needs, so that no worker has to."""
    for name in ("papermill", "genai4eu.runs.runner", "genai4eu.runs.engine", "jupyter_client.asynchronous"):
        importlib.import_module(name)


def work(line: Line, sweep: Sweep, plan: Plan) -> int:
    """Carry out the points that the line names; return the exit status.

    The end of the line, or the word ``stop``, interrupts a run as Ctrl-C would: its record says that it was cancelled.
    """
    signal.signal(signal.SIGINT, _stopped)
    signal.signal(signal.SIGTERM, _stopped)
    points: queue.Queue[State | None] = queue.Queue()
    threading.Thread(target=_listen, args=(line, points), daemon=True).start()
    line.send(pid=os.getpid())
    try:
        while (state := points.get()) is not None:
            line.send(**carry_out(sweep, plan, state, line))
    except KeyboardInterrupt:
        return 130
    return 0


def _stopped(number: int, frame: object) -> None:
    """Let the record of the run that is stopped say by whom."""
    raise Stopped("cancelled", "stopped with its sweep" if number == signal.SIGINT else "its worker was ended")


def _listen(line: Line, points: queue.Queue[State | None]) -> None:
    """Take points from the line; at its end interrupt what the main thread does, once."""
    for message in line.each():
        if "stop" in message:
            break
        points.put(State(**message["point"]))
    points.put(None)
    os.kill(os.getpid(), signal.SIGINT)


def carry_out(sweep: Sweep, plan: Plan, state: State, line: Line) -> dict[str, Any]:
    """Carry out one point; return the message that tells how it ended.

    Raises
    ------
    KeyboardInterrupt
        After the record of a run that was stopped is sealed, and the line was told.
    """
    from ..runs import runner

    planned = replace(plan, given=state.parameters)
    record = runner.create(planned)
    state = sweep.begin(state, record.id)
    line.send(index=state.index, run=record.id)
    try:
        runner.carry_out(planned, record, _Voice(line, state.index))
    except (WorkbenchError, KernelsError) as error:  # no kernel, and no record
        sweep.refuse(state, str(error))
        return {"index": state.index, "refused": str(error)}
    except KeyboardInterrupt as stop:
        end(record, stop)
        if record.folder.is_dir():
            line.send(**_ended(state, record))
        raise
    return _ended(state, record)


def _ended(state: State, record: Record) -> dict[str, Any]:
    last = seen(state, record)
    kept = ("index", "run", "status", "duration", "error", "metrics")
    return {"ended": True, **{name: getattr(last, name) for name in kept}}


class _Voice:
    """Tells the sweep of a run's cells and progress, seldom enough to cost nothing."""

    def __init__(self, line: Line, index: int) -> None:
        self._line, self._index, self._told = line, index, 0.0

    def __call__(self, event: str, data: dict[str, Any]) -> None:
        """Follow one event of the run."""
        if event not in ("cell", "progress") or time.monotonic() - self._told < _EVERY:
            return
        self._told = time.monotonic()
        self._line.send(index=self._index, event=event, data=data)
