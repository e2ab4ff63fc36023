"""Run a notebook: check all that can be checked, then one kernel, one record. For the command line and notebooks."""

from __future__ import annotations

import re
import shutil
import time
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import card
from ..errors import WorkbenchError
from .attempts import Attempt, put_away
from .carry import drop
from .clock import Clock
from .context import before_visitors
from .crate import seal
from .endings import sentence_of, status_of
from .files import cannot_write, write_json
from .home import complete, left_out
from .lock import locked
from .plan import Limits, Plan, plan
from .presence import here
from .project import project
from .record import Record, new_id, now
from .reserve import release, set_aside, with_reserve
from .session import Listener
from .settle import finish
from .status import RETRIED, Status
from .store import runs_root


def run(
    name: str | Path,
    *,
    on: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    cell_timeout: int | None = None,
    retries: int = 0,
    listener: Listener | None = None,
    **more: Any,
) -> Record:
    """Run a template or any notebook with a ``parameters`` cell, and keep the record.

    Parameters
    ----------
    name : str or Path
        Name of a template, or path of a notebook.
    on : str, optional
        Target, as ``genai4eu targets`` lists them; this computer by default.
    parameters : mapping, optional
        Parameter values by name; ``**more`` adds to them.
    timeout : float, optional
        Seconds that the run may take, from when its kernel is there.
    cell_timeout : int, optional
        Seconds that one cell may take.
    retries : int
        Further attempts where the kernel died or was preempted; a run that failed is not tried again.
    listener : callable, optional
        Called with ``("cell" | "progress" | "metric" | "stream" | "output" | "collect" | "attempt", data)``; a
        progress bar by default.

    Returns
    -------
    Record
        Sealed; its ``info["status"]`` says how the run ended.

    Raises
    ------
    WorkbenchError, KernelsError
        Before any kernel is asked for: an unknown template, parameter or target, a value that is not allowed, a
        gateway that does not answer; and where the kernel lacks the use case. No record is left then.
    KeyboardInterrupt
        After the record of a cancelled run is sealed.
    """
    limits = Limits(timeout, cell_timeout, retries)
    planned = plan(name, on=on, parameters={**(parameters or {}), **more}, limits=limits)
    record = create(planned)
    if listener is not None:
        return carry_out(planned, record, listener)
    from .progress import Bar

    with Bar(planned.source.name) as bar:
        return carry_out(planned, record, bar)


def create(planned: Plan, status: Status = "running") -> Record:
    """Make the record of a run that starts now, or, as ``pending``, is to be carried out by somebody else.

    Raises
    ------
    WorkbenchError
        If the folder of the records cannot be written, the use case's card is no such thing, or visitors of a
        dashboard would be the ones who start it.
    """
    if before_visitors():
        raise WorkbenchError("a published dashboard starts no run: run it in the workbench, then publish the run")
    said = card.declared(planned.source.usecase) if planned.source.usecase else None
    record = _fresh(planned.source.name)
    try:
        write_json(record.folder / "input.ipynb", planned.notebook, durable=False)
        record.write("parameters.json", planned.parameters)
        if said is not None:
            record.write(card.FILE, said.model_dump())
        record.write("project.json", project(planned.project))
        empty = dict.fromkeys(("error", "ended", "duration", "kernel_id", "kernel_host", "job"))
        stamp = {"id": record.id, "status": status, "started": now(), "cells": [], "attempts": [], **here()}
        record.write("run.json", {**planned.about(), **empty, **stamp})
    except OSError as error:
        shutil.rmtree(record.folder, ignore_errors=True)
        raise cannot_write(error, runs_root()) from None
    return record


def _fresh(name: str) -> Record:
    """Make the folder of a run, of a name that no other has, whatever the clock says."""
    while True:
        record = Record(runs_root() / new_id(_plain(Path(name).stem)))
        try:
            record.folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(error, runs_root()) from None
        return record


def _plain(stem: str) -> str:
    """Return a notebook's name in letters that every shell, file system and address takes."""
    letters = unicodedata.normalize("NFKD", stem.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:40].rstrip("-") or "run"


def carry_out(planned: Plan, record: Record, listener: Listener) -> Record:
    """Execute a run whose record was made, and seal the record. A process may do many, one after the other.

    Raises
    ------
    WorkbenchError
        If another process carries out the run, or has. If no kernel can be had: no record is left then, unless it
        was made earlier, as ``pending``.
    KeyboardInterrupt
        After the record of a cancelled run is sealed.
    """
    with locked(record.folder):
        info = record.read("run.json")
        if record.sealed:
            raise WorkbenchError(f"run {record.id} has ended as {info['status']} and is sealed: start another run")
        status: Status
        began = time.monotonic()
        record.write("run.json", {**info, "status": "running", "started": now(), **here()})
        set_aside(record.folder)
        try:
            last = _attempts(planned, record, listener)
        except (WorkbenchError, KeyboardInterrupt) as error:  # before any kernel had begun
            if info["status"] == "pending" or info["attempts"]:
                status = "failed" if isinstance(error, WorkbenchError) else status_of(error)
                _close(record, time.monotonic() - began, status, sentence_of(error), [])
            elif record.read("run.json")["kernel_id"]:  # stopped once more, while its end was written down
                finish(record, status_of(error), sentence_of(error))
            else:
                shutil.rmtree(record.folder)
            raise
        except Exception as error:
            _close(record, time.monotonic() - began, "failed", f"{type(error).__name__}: {error}", [])
            raise
        session = last.session
        status = "failed" if session.missing and session.status == "completed" else session.status
        said = "; ".join(filter(None, (session.error, left_out(record, session.missing)))) or None
        _close(record, time.monotonic() - began, status, said, session.cells)
        if status == "completed":
            drop(record.folder)
    if last.stopped:
        raise last.stopped
    return record


def _attempts(planned: Plan, record: Record, listener: Listener) -> Attempt:
    """Try as often as the limits allow, and return the last attempt.

    Raises
    ------
    WorkbenchError
        If the first one got no kernel.
    """
    clock = Clock(planned.limits.cell_timeout, planned.limits.timeout)
    first = number = len(record.read("run.json")["attempts"]) + 1  # a job that was started again had others before
    while True:
        attempt = Attempt(planned, record, listener, clock)
        try:
            attempt.execute()
        except WorkbenchError as error:
            if number == first:
                raise
            attempt.session.status, attempt.session.error = "died", str(error)  # the one before had a kernel
        else:
            if not attempt.began:
                _refuse(attempt, planned.target.name, number == first)
        _note(record, attempt)
        if attempt.session.status not in RETRIED or attempt.stopped or number > planned.limits.retries:
            return attempt
        put_away(record, number)
        listener("attempt", {"number": number + 1, "status": attempt.session.status, "error": attempt.session.error})
        number += 1


def _refuse(attempt: Attempt, target: str, first: bool) -> None:
    """Say why no kernel could be had: instead of a run, or as the end of a later attempt."""
    session = attempt.session
    if attempt.stopped and first:
        raise attempt.stopped
    said = f"target {target} gave no kernel: {attempt.last_words()}"
    if first:
        raise WorkbenchError(said)
    if not attempt.stopped:
        session.status, session.error = "died", said


def _note(record: Record, attempt: Attempt) -> None:
    """Write down how an attempt ended."""
    info = record.read("run.json")
    info["attempts"].append(attempt.about())
    about = (
        {**info["remote"], "ended": attempt.session.status, "error": attempt.session.error} if attempt.began else None
    )
    info["remote"] = about if attempt.session.missing else None
    with_reserve(record.folder, "end", lambda: record.write("run.json", info))


def _close(record: Record, seconds: float, status: Status, error: str | None, cells: list[dict[str, Any]]) -> None:
    """Write how it ended, then seal.

    Raises
    ------
    WorkbenchError
        If the disk is too full even for that: the record then reads as one whose runner was killed.
    """
    release(record.folder)
    about = {"status": status, "error": error, "ended": now(), "duration": round(seconds, 3), "cells": cells}
    try:
        record.write("run.json", {**record.read("run.json"), **about}, durable=True)
        if complete(record):
            seal(record)
    except OSError as fault:
        raise cannot_write(fault, record.folder) from None
