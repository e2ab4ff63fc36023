"""The processes that hold a room open, by name: kept on disk, so that another terminal finds them. Called by the room.

A number alone names nobody: the system gives it to another process later. Beside it stands when that one began.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from .folder import Room
from .own import write_own

FILE = "processes.json"
#: <sys/prctl.h>: tell this process when the one that started it ends.
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def note(room: Room, running: dict[str, int]) -> None:
    """Keep which processes hold the room open; the first is the one that starts the others."""
    write_own(_file(room), {name: [pid, _born(pid)] for name, pid in {"room": os.getpid(), **running}.items()})


def living(room: Room) -> dict[str, psutil.Process]:
    """Return those of them that run."""
    try:
        kept: dict[str, Any] = json.loads(_file(room).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: process for name, (pid, born) in kept.items() if (process := _same(pid, born))}


def is_open(room: Room) -> bool:
    """Tell whether a process holds the room open."""
    return "room" in living(room)


def left(room: Room) -> Iterator[psutil.Process]:
    """Yield the processes of all seats."""
    for seat in room.seats:
        yield from of(room, seat)


def of(room: Room, seat: str) -> Iterator[psutil.Process]:
    """Yield a seat's processes: those of its user, or, where that is not its own, those that stand in its folder."""
    if not room.people.there(seat):
        return
    owner, home = room.people.owner(seat)[0], str(room.home(seat))
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == owner and (room.about["prefix"] or _stands(process.cwd(), home)):
                yield process


def end(processes: list[psutil.Process]) -> None:
    """End processes, at first politely."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=5)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)


def with_parent() -> None:
    """End when the process that started this one does, even if that was killed. Called between fork and exec."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _stands(where: str, home: str) -> bool:
    return where == home or where.startswith(f"{home}/")


def _same(pid: int, born: float) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.create_time() == born and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def _born(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def _file(room: Room) -> Path:
    return room.folder / "run" / FILE
