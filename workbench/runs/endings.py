"""Which status an exception stands for, and what is said of it. Called by the engine and the runner."""

from __future__ import annotations

import re

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from ..errors import Stopped
from .status import Status

#: What a bridge answers for a cell whose kernel or gateway is no more, so that every tool sees an error.
KERNEL_DIED = "KernelDied"
#: What it answers where no kernel can be had; its value says why, and what to do.
KERNEL_REFUSED = "KernelRefused"
#: How the relay of a Slurm job says in which state the job ended.
_JOB = re.compile(r"Slurm job \S+ ended \(([A-Z_]+)")
_JOBS: dict[str, Status] = {"TIMEOUT": "timeout", "DEADLINE": "timeout", "PREEMPTED": "preempted", "CANCELLED": "cancelled"}  # fmt: skip  # noqa: E501
_STOPPED: dict[str, Status] = {"timeout": "timeout", "preempted": "preempted", "died": "died", "failed": "failed"}


class KernelEnded(DeadKernelError):  # type: ignore[misc]
    """The kernel is gone, and the text says why as far as it can be known."""


class TimeUp(CellTimeoutError):  # type: ignore[misc]
    """A cell or the run took longer than it was given; the text says which."""


def status_of(error: BaseException) -> Status:
    """Return the status that an exception of the client stands for.

    A kernel that vanishes is ``died``, whatever it did, unless Slurm says better; a cell interrupted from outside is
    ``cancelled``.
    """
    if isinstance(error, CellTimeoutError):
        return "timeout"
    if isinstance(error, DeadKernelError):
        return _of_job(str(error))
    if isinstance(error, KeyboardInterrupt):
        return _STOPPED.get(error.status, "cancelled") if isinstance(error, Stopped) else "cancelled"
    if isinstance(error, CellExecutionError):
        if error.ename == KERNEL_DIED:
            return _of_job(error.evalue or "")
        return "cancelled" if error.ename == "KeyboardInterrupt" else "failed"
    if isinstance(error, RuntimeError) and "Kernel died" in str(error):  # jupyter_client: before it was ready
        return "died"
    return "failed"


def _of_job(said: str) -> Status:
    """Return how a run ended whose kernel is gone: in a Slurm job as the job did."""
    found = _JOB.search(said)
    return _JOBS.get(found[1], "died") if found else "died"


def sentence_of(error: BaseException) -> str:
    """Return what happened in one line."""
    if isinstance(error, CellExecutionError):
        first = (error.evalue or "").strip().splitlines()
        if first and error.ename == KERNEL_DIED:
            return _about_memory(str(first[0]))
        return f"{error.ename}: {first[0][:500]}" if first else str(error.ename)
    if isinstance(error, CellTimeoutError):
        return str(error) if isinstance(error, TimeUp) else "a cell ended, but not all that it said came"
    if isinstance(error, KernelEnded):
        return _about_memory(str(error))
    if isinstance(error, DeadKernelError) or status_of(error) == "died":
        return "the kernel died"
    if isinstance(error, KeyboardInterrupt):
        return error.sentence if isinstance(error, Stopped) else "stopped by its user"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _about_memory(said: str) -> str:
    """Begin with what matters where Slurm ended a job for its memory."""
    return f"out of memory: {said}" if "(OUT_OF_MEMORY" in said else said
