"""What the computer has left, and what each seat's processes take of it. Asked by the board's watch.

Nothing is asked of the seats' own servers: what they answered would be the participant's, and so would the key be that
was sent along.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import psutil

#: What a warm kernel lets ``ps`` show.
KERNEL = "genai4eu-kernel"
#: What an ordinary kernel is started with.
_LAUNCHER = "ipykernel_launcher"


@dataclass(frozen=True)
class Use:
    """What a seat's processes take: kernels that run, bytes of memory."""

    kernels: int = 0
    memory: int = 0


@dataclass(frozen=True)
class Gpu:
    """A graphics processor: its name, how busy it is in percent, its memory in MiB."""

    name: str
    busy: int
    used: int
    total: int


@dataclass(frozen=True)
class Machine:
    """How the computer stands.

    Attributes
    ----------
    load : float
        Processes that want a processor, of the last minute.
    processors : int
        How many there are.
    memory, total, disk : int
        Bytes of memory in use and in all, bytes left on the room's disk.
    gpus : tuple of Gpu
        Empty where nothing tells of any.
    seats : dict of int to Use
        By the number of the seat's user of the system.
    """

    load: float
    processors: int
    memory: int
    total: int
    disk: int
    gpus: tuple[Gpu, ...] = ()
    seats: dict[int, Use] = field(default_factory=dict)


def look(folder: Path, users: Collection[int]) -> Machine:
    """Look at everything once; whose processes are looked at is named by the users' numbers."""
    memory = psutil.virtual_memory()
    return Machine(
        psutil.getloadavg()[0], psutil.cpu_count() or 1, memory.total - memory.available, memory.total,
        shutil.disk_usage(folder).free, tuple(_gpus()), _uses(users),
    )  # fmt: skip


def _uses(users: Collection[int]) -> dict[int, Use]:
    """Return what the processes of each user take; pages that processes share count for each its part."""
    found = dict.fromkeys(users, Use())
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            user = process.uids().real
            if user in found:
                before = found[user]
                kernel = process.name() == KERNEL or _LAUNCHER in process.cmdline()
                found[user] = Use(before.kernels + kernel, before.memory + _part(process.pid))
    return found


def _part(pid: int) -> int:
    """Return a process's part of the memory in bytes (PSS), which is 0 where we may not know it."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _gpus() -> list[Gpu]:
    """Return what ``nvidia-smi`` tells, nothing where it is not there or does not answer."""
    if shutil.which("nvidia-smi") is None:
        return []
    ask = ("nvidia-smi", "--query-gpu=name,utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run(ask, capture_output=True, text=True, timeout=5, check=False)
        return [gpu for line in done.stdout.splitlines() if (gpu := _gpu(line)) is not None]
    return []


def _gpu(line: str) -> Gpu | None:
    try:
        name, busy, used, total = (piece.strip() for piece in line.split(","))
        return Gpu(name, int(busy), int(used), int(total))
    except ValueError:  # "[N/A]", or a sentence on what is wrong
        return None
