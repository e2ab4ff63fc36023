"""Space set aside while a run executes, so that on a full disk its end can still be written. By runner and engine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

#: Bytes for the notebook, whose large outputs lie elsewhere, and for how the run ended and what seals it.
_PARTS = {"notebook": 1_500_000, "end": 300_000}


def set_aside(folder: Path) -> None:
    """Take the space; where there is none, the disk is full before the run begins, and its first write says so."""
    for name, size in _PARTS.items():
        with (folder / f".reserve-{name}").open("wb") as stream, contextlib.suppress(OSError):
            os.posix_fallocate(stream.fileno(), 0, size)


def release(folder: Path, name: str = "") -> None:
    """Give one part of the space free, or all of it."""
    for part in [name] if name else _PARTS:
        (folder / f".reserve-{part}").unlink(missing_ok=True)


def with_reserve(folder: Path, name: str, write: Callable[[], None]) -> None:
    """Write, where the disk is full into the space that was set aside for it."""
    try:
        write()
    except OSError:
        release(folder, name)
        write()
