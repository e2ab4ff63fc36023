"""Looks at what seats take where the system itself does not keep them to it. Called by the caretaker."""

from __future__ import annotations

import contextlib
import os

import psutil

from .folder import Room
from .processes import of

#: What the seat's server and its template call themselves: these are never ended for their size.
_SPARED = ("genai4eu-seats", "genai4eu-warm")


def largest(room: Room, seat: str, most: int) -> psutil.Process | None:
    """Return the largest kernel of a seat whose processes take more memory than that together, or None."""
    sizes: dict[psutil.Process, int] = {}
    for process in of(room, seat):
        with contextlib.suppress(psutil.Error):
            sizes[process] = process.memory_full_info().uss  # what was forked is shared, and counts for nobody
    if sum(sizes.values()) <= most:
        return None
    rest = [process for process in sizes if _name(process) not in _SPARED]
    return max(rest, key=lambda process: sizes[process], default=None)


def disk(room: Room, seat: str) -> int:
    """Return the bytes that a seat's folders take; what is deleted meanwhile counts for nothing."""
    found = 0
    for folder in (room.home(seat), room.temporary(seat)):
        for _, _, files, at in os.fwalk(folder, follow_symlinks=False):
            for name in files:
                with contextlib.suppress(OSError):
                    found += os.stat(name, dir_fd=at, follow_symlinks=False).st_blocks * 512
    return found


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""
