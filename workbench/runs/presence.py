"""Whether the process that writes a record still runs: asked here of this computer's processes only.

Called when a run begins, to note who writes it, and by whoever reads a record that is not finished.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil


def here(pid: int | None = None) -> dict[str, Any]:
    """Return what tells a process from all others: computer, start of the computer, process space, process, its start.

    Parameters
    ----------
    pid : int, optional
        This process by default.
    """
    pid = os.getpid() if pid is None else pid
    return {
        "host": os.uname().nodename,
        "boot": _line("/proc/sys/kernel/random/boot_id"),
        "machine": _line("/etc/machine-id"),
        "space": _space(),
        "pid": pid,
        "pid_started": _started(pid),
    }


def gone(info: dict[str, Any]) -> bool:
    """Tell whether the process that wrote ``info`` is certainly no more; where it cannot be asked, it may still run.

    Two computers, or two containers of one, may have the same name: a process number says something only on the
    same computer, since the same start, in the same process space.
    """
    now = here()
    if info.get("host") != now["host"] or "pid" not in info:
        return False
    if any(info.get(key) not in (None, now[key]) for key in ("machine", "space")):
        return False
    if info.get("boot") not in (None, now["boot"]):
        return info.get("machine") is not None  # the same computer, started anew
    return _started(info["pid"]) != info.get("pid_started")


def _started(pid: int) -> float | None:
    """Return when a process began, in ticks since the computer's start: a clock that is set does not change that."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
        try:  # no Linux
            return psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return None
    return None if fields[0] in "ZX" else int(fields[19])  # a zombie writes nothing any more


def _line(path: str) -> str | None:
    """Return the one line of a file, or None where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _space() -> int | None:
    """Return the number of the process space (Linux: PID namespace) that this process sees."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return None
