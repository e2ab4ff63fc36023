"""Run a notebook: check all that can be checked, then one kernel, one record. For the command line and notebooks."""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from genai4eu.kernels import local, targets

from .. import catalogue
from ..errors import WorkbenchError
from .crate import seal
from .files import write_json
from .record import Record, new_id, now
from .session import Listener, Session
from .status import FINAL
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
    cell_timeout: int | None = None,
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
    cell_timeout : int, optional
        Seconds that one cell may take.
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
    source = catalogue.source(name)
    given = source.schema.validate({**(parameters or {}), **more})
    notebook = _valid(source)
    target = _target(on)
    record = _create(source, notebook, given, target.name)
    if listener is not None:
        return _execute(source, given, target, record, listener, cell_timeout)
    from .progress import Bar

    bar = Bar(source.name)
    try:
        return _execute(source, given, target, record, bar, cell_timeout)
    finally:
        bar.close()


def _valid(source: catalogue.Source) -> dict[str, Any]:
    """Return the notebook, with ids where cells lack them; refuse what papermill could not read."""
    import nbformat
    from nbformat.validator import MissingIDFieldWarning, normalize

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MissingIDFieldWarning)  # giving the ids is what this does
            _, notebook = normalize(nbformat.from_dict(source.notebook))
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        fault = str(error).splitlines()[0]
        raise WorkbenchError(
            f"{source.name} is not a valid notebook ({fault}): open and save it once in JupyterLab"
        ) from None
    valid: dict[str, Any] = notebook
    return valid


def _target(on: str | None) -> targets.Target:
    """Return the target, after asking whether it can be reached."""
    local.ensure()
    target = targets.find(on or local.NAME)
    targets.check(target)
    return target


def _create(source: catalogue.Source, notebook: dict[str, Any], given: dict[str, Any], target: str) -> Record:
    """Make the record of a run that is about to start."""
    usecase = source.usecase
    stem = Path(source.name).stem.lower().replace("_", "-").replace(" ", "-") or "run"
    record = Record(runs_root() / new_id(stem))
    record.folder.mkdir(parents=True)
    write_json(record.folder / "input.ipynb", notebook)
    record.write("parameters.json", source.schema.resolved(given))
    process = psutil.Process()
    record.write(
        "run.json",
        {
            "id": record.id,
            "template": source.name,
            "title": source.title,
            "usecase": usecase.name if usecase else None,
            "usecase_version": usecase.version if usecase else None,
            "sector": usecase.sector if usecase else None,
            "status": "running",
            "started": now(),
            "ended": None,
            "duration": None,
            "target": target,
            "kernel_id": None,
            "host": os.uname().nodename,
            "cells": [],
            "error": None,
            "pid": process.pid,
            "pid_started": process.create_time(),
        },
    )
    return record


def _execute(
    source: catalogue.Source,
    given: dict[str, Any],
    target: targets.Target,
    record: Record,
    listener: Listener,
    cell_timeout: int | None,
) -> Record:
    """Execute, and seal the record whatever happens once the kernel has begun."""
    here = target.gateway is None and target.slurm is None
    in_place = source.path is not None and here  # as JupyterLab would: beside the notebook's own files
    with (record.folder / "log.txt").open("wb") as log:
        session = Session(
            run_id=record.id,
            parameters=record.parameters,
            folder=record.folder,
            usecase=source.usecase.needs if source.usecase else None,
            change_folder=not in_place,
            began=lambda environment: _began(record, environment),
            listener=_recorder(record, listener),
            kernel_options={"cwd": str(source.path.parent)} if in_place and source.path else {"env": _away()},
            kernel_log=log,
            cell_timeout=cell_timeout,
        )
        stopped = _papermill(record, given, target.name, session)
    if not record.info["kernel_id"]:
        _refuse(record, session, target.name)
    else:
        _close(record, session)
    if stopped:
        raise KeyboardInterrupt
    return record


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
