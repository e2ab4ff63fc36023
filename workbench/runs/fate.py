"""What became of a run that a Slurm job carries out, or is to: asked of Slurm, and said in the words of a record.

Called by whoever reads or settles a record that is not sealed. Unknown is not dead: where Slurm does not answer, or is
not on this computer, nothing is said.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm import batch
from genai4eu.kernels.slurm.queued import Job
from genai4eu.kernels.slurm.reminder import waits_for

from . import aside
from .presence import gone
from .status import Status

#: Seconds for which an answer of Slurm's is good enough for the next question.
FRESH = 2.0
#: Seconds after a job's end in which its record may still become whole, as seen through a network file system.
LATE = 15.0
#: Seconds by which the clocks of a file system and of this computer may differ.
CLOCKS = 5.0
#: Why a run whose submission was cut short is over.
NEVER = "it was never submitted: the process that would have done it ended before"
_ENDS: dict[str, tuple[Status, str]] = {
    "TIMEOUT": ("timeout", "its time in Slurm was up: give the target more with --time"),
    "DEADLINE": ("timeout", "it could not end before its deadline in Slurm"),
    "CANCELLED": ("cancelled", "its Slurm job was cancelled"),
    "PREEMPTED": ("preempted", "a Slurm job of higher priority took its place"),
    "NODE_FAIL": ("died", "its node failed"),
    "BOOT_FAIL": ("died", "its node did not boot"),
    "OUT_OF_MEMORY": ("died", "out of memory: give the target more with --memory"),
}


@dataclass(frozen=True)
class Fate:
    """How a run stands.

    Attributes
    ----------
    status : str
        ``pending``, ``running``, or how it ended.
    sentence : str or None
        Why it waits, or how it came to its end.
    """

    status: Status
    sentence: str | None = None

    @property
    def over(self) -> bool:
        """Whether nobody carries the run out any more."""
        return self.status not in ("pending", "running")


def fate(info: dict[str, Any], folder: Path) -> Fate | None:
    """Return how a run stands that has to do with a Slurm job; ``None`` for other runs, and where it is unknown.

    Parameters
    ----------
    info : dict
        What ``run.json`` says.
    folder : Path
        The record's.
    """
    about = job_of(info)
    if not about:
        return None
    number = about.get("number") or aside.read(folder).get("number")
    try:
        job = _find(_jobs(), number, about["name"])
        if job is None and _asked <= _noted(folder):  # it may have been submitted since
            job = _find(_jobs(anew=True), number, about["name"])
    except KernelsError:
        return None
    if job is not None:
        return _of(job, info, folder)
    return _forgotten(number, info, folder)


def _find(jobs: dict[str, Job], number: str | None, name: str | None) -> Job | None:
    """Return a job by its number or, where that is not known yet, by its name."""
    return jobs.get(number) if number else next((job for job in jobs.values() if job.name == name), None)


def _noted(folder: Path) -> float:
    """Return when the record was last written to, which is when its job was noted, or later."""
    try:
        return (folder / "run.json").stat().st_mtime + CLOCKS
    except OSError:
        return 0.0


def job_of(info: dict[str, Any]) -> dict[str, Any]:
    """Return name and number of a run's job, if it has one; those of a sweep's array note their number alone."""
    about = info.get("job") or {}
    return about if isinstance(about, dict) else {"name": None, "number": str(about)}


def _of(job: Job, info: dict[str, Any], folder: Path) -> Fate | None:
    if job.state == "PENDING":
        why = ", ".join(filter(None, (waits_for(job.reason), f"place {job.place}" if job.place else "")))
        again = " to be started again" if info["status"] == "running" else ""
        return Fate("pending", f"Slurm job {job.id} waits{again}" + (f" ({why})" if why else ""))
    if not job.over:
        return Fate("running")
    if job.end and time.time() - job.end < LATE and job.state in ("COMPLETED", "FAILED"):
        return None  # it may have written its end already
    return _ended(job.state, job.id, folder)


def _forgotten(number: str | None, info: dict[str, Any], folder: Path) -> Fate | None:
    """Return what became of a job that Slurm lists no more, or that never was."""
    if number is None:
        never = info["status"] == "pending" and gone(info)
        return (
            Fate("died", "it was never submitted: the process that would have done it ended before") if never else None
        )
    state = batch.ended([number]).get(number, "")
    return _ended(state, number, folder)


def _ended(state: str, number: str, folder: Path) -> Fate:
    status, why = _ENDS.get(state, ("died", ""))
    if not why:
        said = aside.last_words(folder)
        ended = f"ended ({state})" if state else "is over, and Slurm has forgotten how"
        return Fate("died", f"Slurm job {number} {ended}" + (f": {said}" if said else ", and left no word"))
    return Fate(status, f"{why} (Slurm job {number}, {state})")


_seen: tuple[float, dict[str, Job]] = (0.0, {})
_failed: tuple[float, str] = (0.0, "")
#: When Slurm was asked for what was seen last [s since the epoch].
_asked = 0.0


def _jobs(anew: bool = False) -> dict[str, Job]:
    """Return all jobs of this user, from an answer that is not too old; Slurm in trouble is left in peace longer."""
    global _seen, _failed, _asked
    now = time.monotonic()
    if not anew and _seen[0] and now - _seen[0] < FRESH:
        return _seen[1]
    if _failed[0] and now - _failed[0] < 5 * FRESH:
        raise KernelsError(_failed[1])
    asked = time.time()
    try:
        jobs = batch.look(places_too=True)
    except KernelsError as error:
        _failed = (time.monotonic(), str(error))
        raise
    _seen, _asked = (time.monotonic(), jobs), asked
    return jobs
