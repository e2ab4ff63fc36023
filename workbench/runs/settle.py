"""Settle a run whose process is gone: its record says ``died`` and how far it came, and is sealed.

Called by every command that looks at records, before it looks. A run that may still be alive somewhere is left alone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from .presence import gone
from .record import GONE, Record


def settle(record: Record) -> bool:
    """Seal the record of a run whose process is gone; tell whether this did it.

    A record that cannot be written here, or that is damaged, is left as it is: whoever reads it says so.
    """
    try:
        if record.sealed or not _over(record.read("run.json")):
            return False
        with _alone(record.folder):
            info = record.read("run.json")
            if record.sealed or not _over(info):
                return False  # another command was quicker
            _finish(record, info)
    except (OSError, WorkbenchError):
        return False
    return True


def _over(info: dict[str, Any]) -> bool:
    """Tell whether nobody writes this record any more, though it is not sealed."""
    waits = info.get("status") == "pending"  # whoever made it is free to go
    return not waits and gone(info)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one command at a time settle a record; the lock goes with its process, whatever ends that."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _finish(record: Record, info: dict[str, Any]) -> None:
    """Write what is known of the end, then seal."""
    from .crate import seal

    for partial in record.folder.rglob(".*"):
        if partial.is_file():
            partial.unlink()  # half a file that a write left
    if info["status"] == "running":
        last = max(p.stat().st_mtime for p in record.folder.rglob("*") if p.is_file())
        ended = datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds")
        ended = max(ended, info["started"])
        info = {**info, "status": "died", "error": GONE, "ended": ended, "duration": _between(info["started"], ended)}
    record.write("run.json", info)
    if not (record.folder / "metrics.json").exists():
        record.write("metrics.json", {})
    seal(record)


def _between(started: str, ended: str) -> float:
    """Return the seconds between two stamps."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
