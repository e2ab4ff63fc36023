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
#: The same of what is no seat's.
_OWN = (("proxy", "http-proxy"), ("hub", "hub -f"), ("files", "room.files"), ("board", "courses.board"))


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


def family(users: Iterable[int] = (), others: Iterable[psutil.Process] = ()) -> list[psutil.Process]:
    """Return this process's descendants but those of some children, and all processes of some users."""
    found: dict[int, psutil.Process] = {}
    wanted = set(users)
    for child in set(psutil.Process().children()) - set(others):
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {process.pid: process for process in [child, *child.children(recursive=True)]}
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


def busy(processes: Iterable[psutil.Process], mothers: Iterable[int] = ()) -> dict[str, float]:
    """Return the processor's seconds that processes took so far, by kind: the same on a busy and a quiet computer."""
    found: dict[str, float] = {}
    rest = set(mothers)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = " ".join(process.cmdline())
            own = next((name for name, mark in _OWN if mark in command), "rest")
            kind = "" if process.pid in rest else _kind(command)
            times = process.cpu_times()
            found[kind or own] = found.get(kind or own, 0.0) + times.user + times.system
    return found


def _kind(command: str) -> str:
    return next((kind for kind, marks in _KINDS if any(mark in command for mark in marks)), "")


@dataclass(frozen=True)
class Measured:
    """What a crowd cost.

    Attributes
    ----------
    before, after : Memory
        Before the room was opened, and at the end.
    busy : dict of str to float
        Seconds of a processor, by kind, from the first who came to the last one's first cell.
    """

    before: Memory
    after: Memory
    busy: dict[str, float]


class Watch:
    """Measures a room at the moments that a crowd tells.

    Parameters
    ----------
    users : iterable of int
        The seats' own users.
    mothers : iterable of int
        What seats are forked from.
    others : iterable of psutil.Process
        Children of this process that are not the room's.
    """

    def __init__(self, users: Iterable[int], mothers: Iterable[int], others: Iterable[psutil.Process]) -> None:
        self._users, self._mothers, self._others = list(users), list(mothers), list(others)
        self._began = busy(family(self._users, self._others), self._mothers)
        self.busy: dict[str, float] = {}
        self.memory = Memory()

    def __call__(self, moment: str) -> None:
        """Measure; called with ``in`` and ``out``."""
        there = family(self._users, self._others)
        if moment == "in":
            now = busy(there, self._mothers)
            self.busy = {kind: round(now[kind] - self._began.get(kind, 0.0), 2) for kind in now}
        else:
            self.memory = measured(there, self._mothers)


def processor_seconds(process: int | None = None) -> float:
    """Return the processor's seconds that a process took so far."""
    times = psutil.Process(process or os.getpid()).cpu_times()
    return float(times.user + times.system)
