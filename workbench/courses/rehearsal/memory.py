"""Memory of a room: what its processes have, and what the whole computer has less. Called by the rehearsal.

A page that several processes share counts for each in part (PSS), so that the parts add up to what is there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil

#: What tells what a process is, in its command line, the first that fits.
_KINDS = (
    ("kernels", ("genai4eu.kernels.warm", "ipykernel")),
    ("servers", ("room.servers", "singleuser")),
)


@dataclass
class Memory:
    """Bytes of a room's processes.

    Attributes
    ----------
    own, shared : dict of str to int
        By kind of a seat's processes (``servers``, ``kernels``): pages of its own, and its part of shared ones.
    rest : int
        Hub, proxy, and what seats are forked from.
    available : int
        What the whole computer has left.
    """

    own: dict[str, int] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)
    rest: int = 0
    available: int = 0

    @property
    def whole(self) -> int:
        """All of it."""
        return sum(self.own.values()) + sum(self.shared.values()) + self.rest


def family(users: Iterable[int] = ()) -> list[psutil.Process]:
    """Return this process's descendants, and all processes of some users."""
    found = {process.pid: process for process in psutil.Process().children(recursive=True)}
    wanted = set(users)
    for process in psutil.process_iter() if wanted else ():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.uids().real in wanted:
                found[process.pid] = process
    return list(found.values())


def measured(processes: Iterable[psutil.Process], mothers: Iterable[int] = ()) -> Memory:
    """Measure processes.

    Parameters
    ----------
    mothers : iterable of int
        Processes that seats are forked from: they look like a seat's, and are nobody's.
    """
    memory, rest = Memory(available=psutil.virtual_memory().available), set(mothers)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            kind = "" if process.pid in rest else _kind(" ".join(process.cmdline()))
            full = process.memory_full_info()
            if not kind:
                memory.rest += full.pss
                continue
            memory.own[kind] = memory.own.get(kind, 0) + full.uss
            memory.shared[kind] = memory.shared.get(kind, 0) + full.pss - full.uss
    return memory


def _kind(command: str) -> str:
    return next((kind for kind, marks in _KINDS if any(mark in command for mark in marks)), "")


def processor_seconds(process: int | None = None) -> float:
    """Return the processor's seconds that a process took so far."""
    times = psutil.Process(process or os.getpid()).cpu_times()
    return float(times.user + times.system)
