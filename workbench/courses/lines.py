"""Lines of JSON in a file that somebody may have made anything of. Called for what happened at a desk, and for news.

A pipe keeps nobody waiting, gigabytes fill no memory, and nonsense is no line.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

#: What is read of a file, from its end, in bytes: a day's events are a hundredth of it.
MOST = 8 << 20


def read(path: Path) -> list[dict[str, Any]]:
    """Return the objects in a file, the earliest first; of a file that is not there, none.

    A torn line is none. Of a file longer than ``MOST`` the earliest lines are left out.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return []
        content = os.pread(handle, MOST, max(0, about.st_size - MOST))
    finally:
        os.close(handle)
    whole = content if about.st_size <= MOST else content.partition(b"\n")[2]
    return [found for line in whole.splitlines() if (found := _object(line)) is not None]


def stamp(path: Path) -> str:
    """Return what changes when a file does."""
    try:
        about = path.stat()
    except OSError:
        return ""
    return f"{about.st_ino}-{about.st_size}-{about.st_mtime_ns}"


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("event"), str) else None
