"""What the processes of a room say: the last of it, where one has not come up, and no more than fits."""

from __future__ import annotations

import os
from pathlib import Path

#: Bytes of a log, and what is left of a longer one: whoever asks for long addresses would fill the disk.
_MOST, _LEFT = 64 << 20, 1 << 20


def last(log: Path) -> str:
    """Return the last line of a log, and where it lies."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return f"{lines[-1].strip() if lines else 'it said nothing'} ({log})"


def shorten(folder: Path) -> None:
    """Cut logs that have grown too long to their end; who writes in one, at its end, goes on there."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > _MOST:
            with log.open("r+b") as file:
                file.seek(-_LEFT, os.SEEK_END)
                end = file.read(_LEFT)
                file.truncate(0)
                file.seek(0)
                file.write(end)
