"""Looks at what seats take where the system itself does not keep them to it. Called by the caretaker."""

from __future__ import annotations

import contextlib

import psutil

from .folder import Room
from .processes import of
from .walking import Walk

#: What the seat's server and its template call themselves: these are never ended for their size.
_SPARED = ("genai4eu-seats", "genai4eu-warm")
#: Files and folders of a seat that are counted, and how deep they may lie.
_ENTRIES, _DEEP = 100_000, 50


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


def disk(room: Room, seat: str) -> int | None:
    """Return the bytes that a seat's folders take, or None where these are too many or too deep to be counted."""
    found, known = 0, set[tuple[int, int]]()
    for folder in (room.home(seat), room.temporary(seat)):
        walk = Walk(folder, _ENTRIES, _DEEP)
        for _, entry in walk:
            with contextlib.suppress(OSError):  # deleted meanwhile
                about = entry.stat(follow_symlinks=False)
                one = (about.st_dev, about.st_ino)
                found += 0 if one in known else about.st_blocks * 512  # a file of several names takes its place once
                known.add(one)
        if not walk.whole:
            return None
    return found


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""
