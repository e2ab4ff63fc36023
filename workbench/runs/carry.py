"""The checkpoints of a run, on this side: they outlive kernel and record, and are handed to the next attempt.

They lie in ``<run>.checkpoints`` beside the record. Called by the engine, the runner and ``runs resume``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .checkpoints import ENDING

#: Bytes sent at a time; as base64 it stays below the 10 MiB a jupyter server lets through in one message.
_CHUNK = 4 * 2**20


def place(record: Path) -> Path:
    """Return the folder of a run's checkpoints."""
    return record.with_name(f"{record.name}.checkpoints")


def kept(record: Path) -> list[Path]:
    """Return the checkpoints of a run, by name."""
    return sorted(place(record).glob(f"*{ENDING}"))


def lend(ask: Callable[..., str], record: Path) -> None:
    """Give a kernel what earlier attempts kept: the place itself, or, where it cannot be seen from there, copies."""
    if json.loads(ask("share", str(record))):
        return
    for path in kept(record):
        size = path.stat().st_size
        with path.open("rb") as stream:
            for offset in range(0, size, _CHUNK):
                ask("take", path.name, offset, base64.b64encode(stream.read(_CHUNK)).decode(), size)


def hand_on(record: Path, later: Path) -> list[Path]:
    """Give the checkpoints of a run to one that goes on with it, and return them; the first run keeps its own."""
    found = kept(record)
    for path in found:
        there = place(later) / path.name
        there.parent.mkdir(exist_ok=True)
        with contextlib.suppress(OSError):
            os.link(path, there)  # a file is replaced, never changed: both may share it
        if not there.exists():
            shutil.copyfile(path, there)
    return found


def drop(record: Path) -> None:
    """Remove the checkpoints of a run that has completed."""
    shutil.rmtree(place(record), ignore_errors=True)
