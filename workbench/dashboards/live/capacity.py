"""How many live views this computer can bear. Called by the server where nobody said."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

#: Bytes of a viewer's kernel that no other has; the five sectors' take 63 to 93 MB once a control was moved.
VIEWER = 110 << 20
#: Bytes of what all viewers share: the tier, and the template that kernels are forked from.
SHARED = 900 << 20
#: Viewers for whom one processor computes in time, each moving a control every five seconds.
_A_PROCESSOR = 32
MOST = 64


def viewers() -> int:
    """Return how many kernels there may be at once, from processors and free memory: 1 to 64."""
    by_memory = (free_memory() - SHARED) // VIEWER
    return int(max(1, min(MOST, len(os.sched_getaffinity(0)) * _A_PROCESSOR, by_memory)))


def free_memory() -> int:
    """Return the bytes that this computer can give, or this container, whose limit may be narrower."""
    free = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):  # no limit, or no such container
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        free = min(free, limit - used)
    return max(0, free)
