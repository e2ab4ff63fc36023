"""Run a notebook: check all that can be checked, then one kernel, one record. For the command line and notebooks."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from ..errors import WorkbenchError
from .crate import seal
from .files import write_json
from .plan import Limits, Plan, plan
from .presence import here
from .record import Record, new_id, now
from .session import Listener, Session
from .status import FINAL, Status
from .store import runs_root

#: Seconds to wait for a kernel: a gateway may have to start one on a busy computer.
START_TIMEOUT = 300
#: Seconds that a gateway keeps the kernel of a run whose connection is gone, as long as kernels wait for a gateway.
LEASE = 600


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
        Seconds that the run may take.
    cell_timeout : int, optional
        Seconds that one cell may take.
    retries : int
        Further attempts where the kernel died or was preempted.
    listener : callable, optional
        Called with ``("cell" | "progress" | "metric" | "stream" | "collect", data)``; a progress bar by default.

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

    bar = Bar(planned.source.name)
    try:
        return carry_out(planned, record, bar)
    finally:
        bar.close()


def create(planned: Plan, status: Status = "running") -> Record:
    """Make the record of a run that starts now, or, as ``pending``, is to be carried out by somebody else."""
    stem = Path(planned.source.name).stem.lower().replace("_", "-").replace(" ", "-") or "run"
    record = Record(runs_root() / new_id(stem))
    record.folder.mkdir(parents=True)
    write_json(record.folder / "input.ipynb", planned.notebook)
    record.write("parameters.json", planned.parameters)
    empty: dict[str, Any] = {"ended": None, "duration": None, "kernel_id": None, "kernel_host": None}
    empty |= {"cells": [], "attempts": []}
    stamp = {"id": record.id, "status": status, "error": None, "started": now(), "job": None}
    record.write("run.json", {**planned.about(), **empty, **stamp, **here()})
    return record


def carry_out(planned: Plan, record: Record, listener: Listener) -> Record:
    """Execute a run whose record was made, and seal the record. A process may do many, one after the other.

    Raises
    ------
    WorkbenchError
        If the target gives no kernel, or its kernel lacks the use case. No record is left then.
    KeyboardInterrupt
        After the record of a cancelled run is sealed.
    """
    record.write("run.json", {**record.read("run.json"), "status": "running", "started": now(), **here()})
    with (record.folder / "log.txt").open("wb") as log:
        session = _session(planned, record, listener, log)
        stopped = _papermill(record, planned.given, planned.target.name, session)
    if not record.info["kernel_id"]:
        _refuse(record, session, planned.target.name)
    else:
        _close(record, session)
    if stopped:
        raise KeyboardInterrupt
    return record


def _session(planned: Plan, record: Record, listener: Listener, log: IO[bytes]) -> Session:
    """Return what the engine needs to know of the run."""
    usecase, in_place = planned.source.usecase, planned.in_place
    return Session(
        run_id=record.id,
        parameters=record.parameters,
        folder=record.folder,
        usecase=usecase.needs if usecase else None,
        change_folder=in_place is None,
        began=lambda environment: _began(record, environment),
        listener=_recorder(record, listener),
        kernel_options={"cwd": str(in_place)} if in_place else {"env": _away()},
        kernel_log=log,
        cell_timeout=planned.limits.cell_timeout,
    )


def _away() -> dict[str, str]:
    """Return the variables of a kernel elsewhere: a run survives a connection that is gone for a while."""
    return {"GENAI4EU_LEASE": str(LEASE), **os.environ}


def _papermill(record: Record, given: dict[str, Any], kernel: str, session: Session) -> bool:
    """Let papermill inject the parameters and our engine execute; return whether the user stopped it."""
    import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)  # it calls a parameter unknown whose type it cannot read
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)  # nbclient logs what we say in one line
    try:
        papermill.execute_notebook(
            str(record.folder / "input.ipynb"),
            None,
            given,
            engine_name="genai4eu",
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            session=session,
        )
    except KeyboardInterrupt:
        return True
    except WorkbenchError:
        if not record.info["kernel_id"]:
            shutil.rmtree(record.folder)
            raise
    except Exception:
        if session.status not in FINAL or session.unexpected:
            raise
    return False


def _began(record: Record, environment: dict[str, Any]) -> None:
    """Note where the run executes, as soon as its kernel said so."""
    record.write("environment.json", environment)
    info = {**record.info, "kernel_id": environment["kernel_id"], "kernel_host": environment["host"]}
    record.write("run.json", info)


def _recorder(record: Record, listener: Listener) -> Listener:
    """Return a listener that keeps metrics in the record and passes everything on."""
    metrics: dict[str, Any] = {}

    def listen(event: str, data: dict[str, Any]) -> None:
        if event == "metric":
            metrics[data["name"]] = {"value": data["value"], "unit": data["unit"]}
            record.write("metrics.json", metrics)
        listener(event, data)

    return listen


def _refuse(record: Record, session: Session, target: str) -> None:
    """Leave no record of a run whose kernel never began; say what the kernel's process said last."""
    lines = (record.folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    shutil.rmtree(record.folder)
    last = str(lines[-1] if lines else session.error)
    if session.status != "cancelled":
        raise WorkbenchError(f"target {target} gave no kernel: {last.removeprefix('genai4eu: ')}")


def _close(record: Record, session: Session) -> None:
    """Write how it ended, then seal."""
    info = record.info
    ended = now()
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(info["started"])).total_seconds()
    about = {
        "status": session.status,
        "error": session.error,
        "ended": ended,
        "duration": seconds,
        "cells": session.cells,
    }
    record.write("run.json", {**info, **about})
    if not (record.folder / "metrics.json").exists():
        record.write("metrics.json", {})
    seal(record)
