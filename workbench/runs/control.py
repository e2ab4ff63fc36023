"""Wait for a run that somebody else carries out, follow what it prints, end it. Called by ``genai4eu runs``."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from genai4eu.kernels.slurm import batch

from ..errors import WorkbenchError
from .batch import number_of
from .cells import assemble
from .fate import job_of
from .presence import gone
from .record import Record
from .settle import end_of, settle

#: Seconds between two looks at a record.
EVERY = 0.5
#: Seconds that a run may take to write its end once it was asked to stop.
PATIENCE = 60.0
#: Seconds that a run which is known to have ended may still hold its record.
GRACE = 5.0


def wait(record: Record, timeout: float | None = None, look: Callable[[], None] = lambda: None) -> bool:
    """Return when the run has ended and its record is sealed, or cannot be; false where it took longer.

    Parameters
    ----------
    look : callable
        Called now and then meanwhile.
    """
    deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
    unsealed = 0.0  # since when the run is known to have ended
    while not (record.sealed or settle(record)):
        look()
        now = time.monotonic()
        if record.running or end_of(record) is None:
            unsealed = 0.0
        elif record.read("run.json")["status"] not in ("pending", "running"):
            break  # its files are not at home, which nobody waits for here
        else:  # it has just ended, or what is left of it still holds its record for a moment
            unsealed = unsealed or now
            if now - unsealed > GRACE:
                break
        if now > deadline:
            return False
        time.sleep(EVERY)
    look()
    return True


def cancel(record: Record) -> None:
    """End a run, or take it out of the queue, and wait until its record says so.

    Raises
    ------
    WorkbenchError, KernelsError
        If it has ended, is carried out on another computer, or does not stop.
    """
    settle(record)
    info = record.info
    if not record.running:
        raise WorkbenchError(f"run {record.id} has ended: {info['status']}")
    if info.get("sweep"):
        raise WorkbenchError(f"run {record.id} is a part of the sweep {info['sweep']}: stop that one")
    if info.get("job"):
        batch.cancel([_number(record)])
    else:
        _interrupt(record, info)
    if not wait(record, PATIENCE):
        raise WorkbenchError(f"run {record.id} was asked to stop and has not within {PATIENCE:.0f} s: look again soon")


def _number(record: Record) -> str:
    number = number_of(record) or batch.find(job_of(record.read("run.json"))["name"])
    if not number:
        raise WorkbenchError(f"run {record.id} is about to be submitted to Slurm: try again in a moment")
    return number


def _interrupt(record: Record, info: dict[str, Any]) -> None:
    """Press Ctrl-C for the process that carries out a run, if it is certainly that process."""
    here = os.uname().nodename
    if info.get("host") != here:
        raise WorkbenchError(f"run {record.id} is carried out on {info.get('host')}: cancel it there")
    if gone(info):
        raise WorkbenchError(f"run {record.id} has ended: nobody carries it out any more")
    os.kill(info["pid"], signal.SIGINT)


class Printed:
    """What the cells of a run have printed and shown, as far as it was not asked for yet."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._texts: dict[int, str] = {}

    def more(self) -> str:
        """Return what came since."""
        found = []
        for index, cell in enumerate(assemble(self._record.folder)["cells"]):
            text, before = printed(cell), self._texts.get(index, "")
            if text != before:
                # a text that was replaced (a progress line, a cleared output) is given anew
                found.append(text[len(before) :] if text.startswith(before) else text)
                self._texts[index] = text
        return "".join(found)


def printed(cell: dict[str, Any]) -> str:
    """Return what a cell printed and showed, as text."""
    return "".join(_output(output) for output in cell.get("outputs", []))


def _output(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return _joined(output["text"])
    if output["output_type"] == "error":
        return "\n".join(output["traceback"]) + "\n"
    return _joined(output.get("data", {}).get("text/plain", "")) + "\n"


def _joined(text: str | list[str]) -> str:
    """Return a text of a notebook, which may be a list of its lines."""
    return text if isinstance(text, str) else "".join(text)
