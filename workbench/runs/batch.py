"""Runs that a Slurm job carries out, so that nothing depends on the terminal that asked for them.

``submit`` makes the record and asks Slurm; the job runs ``genai4eu runs carry-out FOLDER``, which is ``in_job`` here:
it makes the plan again from the record and executes it in a kernel on its own node. A run whose node failed, or whose
place a job of higher priority took, is started again by Slurm itself, as often as ``--retries`` allows: by the same
number, from the queue, with nobody watching.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genai4eu.kernels import targets
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm import batch
from genai4eu.kernels.slurm.options import Options
from genai4eu.kernels.slurm.targets import all_of_them

from ..errors import Stopped, WorkbenchError
from . import aside
from .attempts import put_away
from .endings import status_of
from .fate import job_of
from .plan import Plan, plan_of
from .record import Record, now
from .runner import carry_out, create
from .settle import finish
from .signals import Signals

#: Folders and wishes of the caller that the job is to share. Nothing else of its environment goes along.
SHARED = (
    "GENAI4EU_RUNS", "GENAI4EU_SCRATCH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "XDG_CONFIG_HOME",
    "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
)  # fmt: skip


def options_of(target: targets.Target) -> Options:
    """Return what a Slurm target asks for.

    Raises
    ------
    WorkbenchError
        If it is no Slurm target of this computer.
    """
    known = all_of_them()
    if target.name not in known:
        use = f"use one of {', '.join(known)}" if known else "genai4eu slurm add makes one"
        raise WorkbenchError(f"{target.name} is no Slurm target, and only those take runs as batch jobs: {use}")
    return known[target.name]


def environment() -> dict[str, str]:
    """Return the variables that a job shares with who asks for it."""
    shared = {name: os.path.abspath(os.environ[name]) for name in SHARED if os.environ.get(name)}  # noqa: PTH100
    return {**shared, "PYTHONUNBUFFERED": "1"}


def submit(planned: Plan) -> Record:
    """Make the record of a run, as ``pending``, and ask Slurm for the job that carries it out.

    Raises
    ------
    WorkbenchError, KernelsError
        If it is no Slurm target, or Slurm refuses. No record is left then.
    """
    options = options_of(planned.target)
    record = create(planned, status="pending")
    name, again = name_of(record), planned.limits.retries > 0
    job = {"scheduler": "slurm", "name": name, "number": None, "kernel": options.kernel, "warm": options.warm}
    try:
        record.write("run.json", {**record.read("run.json"), "job": job})
        aside.write(record.folder)
        words = ["-P", "-m", "genai4eu", "runs", "carry-out", str(record.folder)]
        number = batch.submit(options, words, name, aside.of(record.folder), env=environment(), requeue=again)
    except BaseException as error:
        if isinstance(error, KernelsError) or not batch.find(name):
            aside.clear(record.folder)
            shutil.rmtree(record.folder, ignore_errors=True)
        raise
    if not record.sealed:  # in a hurry, it may be over
        aside.write(record.folder, number=number)
    return record


def name_of(record: Record) -> str:
    """Return what the job of a run is called; no two runs have the same."""
    return "genai4eu." + re.sub(r"[^A-Za-z0-9._-]", "_", record.id)[-150:]


def number_of(record: Record) -> str | None:
    """Return the number of a run's job, as far as anybody has written it down."""
    number = job_of(record.read("run.json")).get("number") or aside.read(record.folder).get("number")
    return str(number) if number else None


def number_here() -> str:
    """Return the number of the job (or the task of an array) that this process is."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID", "")


def in_job(folder: Path) -> Record:
    """Carry out a run inside its job. Called by ``genai4eu runs carry-out``.

    Raises
    ------
    WorkbenchError, KernelsError
        If no kernel can be had; the record says so too.
    """
    record, number = Record(folder), number_here()
    if record.sealed:
        return record
    info = record.read("run.json")
    job: dict[str, Any] = {**(info["job"] or {}), "number": number}
    record.write("run.json", {**info, "job": job})
    if info["status"] == "running" and not _again(record, number):
        return record
    try:
        with Signals(record, number, _may_try_again(record)), _kernels(job) as kernel:
            carry_out(plan_of(record, on=kernel), record, lambda event, data: None)
    except Stopped as stop:
        if not record.sealed:  # it came before there was a kernel
            finish(record, status_of(stop), stop.sentence)
        raise
    finally:
        if record.sealed:
            aside.clear(folder)
    return record


def _tries_left(info: dict[str, Any]) -> int:
    return int(info["limits"]["retries"]) - len(info["attempts"])


def _may_try_again(record: Record) -> bool:
    """Return whether Slurm is to start the job again if it loses its node; tell Slurm where it is not."""
    left = _tries_left(record.read("run.json"))
    if left <= 0 and int(os.environ.get("SLURM_RESTART_COUNT", "0")):
        with contextlib.suppress(KernelsError):  # then this is counted when it starts again
            batch.finally_requeued(os.environ["SLURM_JOB_ID"])
    return left > 0


def _again(record: Record, number: str) -> bool:
    """Note what became of the attempt before this one, and return whether there may be another."""
    info = record.read("run.json")
    said = aside.read(record.folder).get("lost") or {}
    lost = {"status": "died", "error": f"Slurm started job {number} again: its node had failed", "ended": now(), **said}
    about = {
        "started": info["started"],
        "duration": None,
        "kernel_id": info["kernel_id"],
        "kernel_host": info["kernel_host"],
    }
    attempts = [*info["attempts"], {**about, **lost}]
    record.write("run.json", {**info, "attempts": attempts, "status": "pending"})
    if len(attempts) > info["limits"]["retries"]:
        finish(record, lost["status"], lost["error"])
        return False
    put_away(record, len(attempts))
    aside.write(record.folder, lost=None)
    return True


@contextlib.contextmanager
def _kernels(job: dict[str, Any]) -> Iterator[str]:
    """Prepare for kernels in this job, and give the name of the kernelspec."""
    if not job.get("warm"):
        os.environ["GENAI4EU_WARM"] = "off"
        yield job.get("kernel") or "genai4eu"
        return
    from genai4eu.kernels.slurm.template import end_template, prepare_template, template_variables

    with tempfile.TemporaryDirectory(prefix="genai4eu-") as private:
        template_variables(Path(private))
        prepare_template()
        try:
            yield job["kernel"]
        finally:
            end_template()
