"""Why a kernel on this computer ended: its exit status, and whether the system was out of memory. For the client.

Sources: Linux, ``Documentation/admin-guide/cgroup-v2.rst`` (``memory.events``), ``cgroup-v1/memory.rst``, ``proc(5)``.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_KILLED = re.compile(r"^oom_kill (\d+)$", re.M)


class Watch:
    """Remembers how often the system had ended a process for its memory when a kernel began.

    Parameters
    ----------
    pid : int
        The kernel's process.
    """

    def __init__(self, pid: int) -> None:
        self._counters = [*_cgroup_counters(pid), Path("/proc/vmstat")]
        self._before = self._count()

    def _count(self) -> int | None:
        """Return the kills counted nearest to the kernel: its own control group's, else the whole system's."""
        for path in self._counters:
            try:
                found = _KILLED.search(path.read_text(encoding="utf-8"))
            except OSError:  # no such controller, or of another namespace
                continue
            if found:
                return int(found[1])
        return None

    def why(self, code: int | None) -> str:
        """Say in one line why the kernel ended, from its exit status."""
        if code is None:
            return "the kernel died"
        if code == -signal.SIGKILL and (self._count() or 0) > (self._before or 0):
            return "the kernel died: out of memory, the system ended it"
        if code < 0:
            return f"the kernel died: killed by {_name(-code)}"
        return f"the kernel died: its process ended with exit code {code}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _cgroup_counters(pid: int) -> list[Path]:
    """Return the files that count kills in the control group of a process; in a container its root stands for it."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:  # it is gone already
        return []
    found: list[Path] = []
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number == "0":
            found += [_CGROUPS / where / "memory.events" for where in (group.lstrip("/"), "")]
        elif "memory" in controllers.split(","):
            found += [_CGROUPS / "memory" / where / "memory.oom_control" for where in (group.lstrip("/"), "")]
    return found
