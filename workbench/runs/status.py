"""The words for how a run or a cell ended, and what decides between them. Called by the engine and the runner."""

from __future__ import annotations

from typing import Literal

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

Status = Literal["pending", "running", "completed", "failed", "died", "timeout", "cancelled", "preempted", "not run"]

#: A run whose status is one of these is over.
FINAL: frozenset[str] = frozenset({"completed", "failed", "died", "timeout", "cancelled", "preempted"})

#: What a bridge answers for a cell whose kernel or gateway is no more, so that every tool sees an error.
KERNEL_DIED = "KernelDied"
#: What it answers where no kernel can be had; its value says why, and what to do.
KERNEL_REFUSED = "KernelRefused"


def status_of(error: BaseException) -> Status:
    """Return the status that an exception of the client stands for.

    A kernel that vanishes is ``died``, whatever it did; a cell interrupted from outside is ``cancelled``.
    """
    if isinstance(error, CellTimeoutError):
        return "timeout"
    if isinstance(error, DeadKernelError):
        return "died"
    if isinstance(error, KeyboardInterrupt):
        return "cancelled"
    if isinstance(error, CellExecutionError):
        special: dict[str, Status] = {"KeyboardInterrupt": "cancelled", KERNEL_DIED: "died"}
        return special.get(error.ename, "failed")
    if isinstance(error, RuntimeError) and "Kernel died" in str(error):  # jupyter_client: before it was ready
        return "died"
    return "failed"


def sentence_of(error: BaseException) -> str:
    """Return what happened in one line."""
    if isinstance(error, CellExecutionError):
        first = (error.evalue or "").strip().splitlines()
        if first and error.ename == KERNEL_DIED:
            return str(first[0])
        return f"{error.ename}: {first[0]}" if first else str(error.ename)
    if isinstance(error, CellTimeoutError):
        return "a cell took longer than it was given"
    if isinstance(error, DeadKernelError) or status_of(error) == "died":
        return "the kernel died"
    if isinstance(error, KeyboardInterrupt):
        return "stopped by its user"
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
