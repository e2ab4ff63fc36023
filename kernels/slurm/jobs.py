"""The jobs of this user that hold kernels. Called by ``genai4eu slurm jobs|cancel``."""

from __future__ import annotations

from typing import Any

from ..errors import KernelsError
from .commands import call
from .queued import PREFIX, Job, ours_now
from .reminder import Reminder, span


def ours() -> list[dict[str, Any]]:
    """Return what Slurm knows of our jobs, the running ones with the time they have left.

    Raises
    ------
    KernelsError
        If Slurm does not answer.
    """
    return [_row(job) for job in ours_now()]


def _row(job: Job) -> dict[str, Any]:
    left = Reminder().remaining(job)
    target = job.name.removeprefix(PREFIX).rpartition("-")[0]
    return {
        "job": job.id, "target": target, "state": job.state, "reason": job.reason, "partition": job.partition,
        "place": job.place, "node": job.nodes or None, "start": job.start, "end": job.end,
        "left": None if left is None else span(left), "left_seconds": None if left is None else round(left),
    }  # fmt: skip


def cancel(number: str | None) -> list[str]:
    """Cancel one of our jobs, or all that are not over, and return their numbers.

    Raises
    ------
    KernelsError
        If there is no such job of a kernel.
    """
    alive = [job.id for job in ours_now() if not job.over]
    if number is not None and number not in alive:
        known = f"use one of {', '.join(alive)}" if alive else "there is none"
        raise KernelsError(f"no job {number!r} of a kernel of yours is waiting or running: {known}")
    wanted = alive if number is None else [number]
    if wanted:
        call("scancel", *wanted)
    return wanted
