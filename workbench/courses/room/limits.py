"""How much of this computer a seat may take, and how many seats it can hold. Called as a room is made and opened."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from ...errors import WorkbenchError

GB = 1 << 30
#: What a room takes before anybody sits in it, and a seat whose participant trains a small model, measured: processes
#: that have the science stack imported are forked from one, and share it.
ROOM, SEAT = int(1.5 * GB), int(0.35 * GB)
#: The disk of a seat, and the least of it: lessons, what they make, copies.
DISK, LEAST = 2 * GB, GB // 2
#: Processes and threads of a seat: a notebook server and kernels have some sixty.
PROCESSES = 512
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": GB}


@dataclass(frozen=True)
class Limits:
    """What one seat may take at most.

    Attributes
    ----------
    memory, disk : int
        Bytes.
    processors : float
        Their number; what others leave idle beyond it is not for this seat.
    """

    memory: int
    disk: int
    processors: float


def limits(
    participants: int, memory: str = "", disk: str = "", processors: float = 0, place: Path | None = None
) -> Limits:  # fmt: skip
    """Return what each seat may take; what is not said follows from this computer.

    Memory is given out more than once, for not everybody trains at the same moment: a seat may take three times its
    part, at least a gigabyte and at most four. Of the processors a seat may take half, at least one. Disk is given out
    once: a seat may not take what another was promised.

    Parameters
    ----------
    place : Path, optional
        Where the room is to be, for the disk that is left there.

    Raises
    ------
    WorkbenchError
        If a size is none, or this computer or its disk cannot hold that many seats.
    """
    there, cores = total(), os.cpu_count() or 1
    fit = max(0, (there - ROOM) // SEAT)
    if participants > fit:
        raise WorkbenchError(
            f"{participants} participants need {_gb(ROOM)} for the room and {participants} times {_gb(SEAT)}, "
            f"{_gb(ROOM + participants * SEAT)} in all; this computer has {_gb(there)} of memory: "
            f"hold it with --participants {fit}, or on a larger one"
        )
    part = min(4 * GB, max(GB, 3 * (there - ROOM) // participants), there - ROOM)
    made = Limits(
        _size("--seat-memory", memory) if memory else part,
        _disk(participants, disk, place),
        processors or max(1.0, cores / 2),
    )
    _possible(made, there, cores)
    return made


def _disk(participants: int, asked: str, place: Path | None) -> int:
    """Return the bytes of a seat's disk: what is asked for, or else what there is for each, at most two gigabytes."""
    size = _size("--seat-disk", asked) if asked else DISK
    if place is None:
        return size
    free = shutil.disk_usage(next(path for path in (place, *place.parents) if path.exists())).free
    if asked and participants * size > free:
        raise WorkbenchError(
            f"{participants} seats may fill {_gb(participants * size)}, and the disk of {place} has {_gb(free)} left: "
            f"give each at most --seat-disk {free // participants >> 20}M, or name another folder with --room"
        )
    if not asked and free // participants < LEAST:
        raise WorkbenchError(
            f"{participants} seats need {_gb(LEAST)} of disk each, and that of {place} has {_gb(free)} left: "
            "make room, name another folder with --room, or say with --seat-disk what is enough"
        )
    return min(size, free // participants)


def total() -> int:
    """Return the bytes of memory that this process may use: the computer's, or less in a container."""
    found = [psutil.virtual_memory().total]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = Path(path).read_text("ascii").strip() if Path(path).exists() else "max"
        found += [int(text)] if text.isdigit() else []
    return min(found)


def _possible(made: Limits, there: int, cores: int) -> None:
    if not SEAT <= made.memory <= there:
        raise WorkbenchError(f"--seat-memory {_gb(made.memory)}: give between {_gb(SEAT)} and {_gb(there)}")
    if made.disk < 64 << 20:
        raise WorkbenchError(f"--seat-disk {made.disk >> 20} MB: give at least 64M")
    if not 0.1 <= made.processors <= cores:
        raise WorkbenchError(f"--seat-processors {made.processors:g}: give between 0.1 and {cores}")


def _size(option: str, text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)I?B?", text.strip().upper())
    if not found:
        raise WorkbenchError(f"{option} {text!r} is no size: write it as 800M or 2G")
    return int(float(found[1]) * _UNITS[found[2]])


def _gb(size: int) -> str:
    return f"{size / GB:.3g} GB" if size >= GB // 10 else f"{size / (1 << 20):.3g} MB"
