"""Settle a run whose process is gone: its record says ``died`` and how far it came, and is sealed.

Called by every command that looks at records, before it looks. A run that may still be alive somewhere is left alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..errors import WorkbenchError
from . import cells
from .lock import LOCK, locked
from .presence import gone
from .record import GONE, Record


def settle(record: Record) -> bool:
    """Seal the record of a run whose process is gone; tell whether this did it.

    A record that cannot be written here, or that is damaged, is left as it is: whoever reads it says so.
    """
    try:
        if record.sealed or not _over(record.read("run.json")):
            return False
        with locked(record.folder):
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


def _finish(record: Record, info: dict[str, Any]) -> None:
    """Write what is known of the end, then seal."""
    from .crate import seal

    for partial in record.folder.glob(".*"):
        if partial.is_file() and partial.name != LOCK:
            partial.unlink()  # half a file that a write left, or room kept for the end
    if info["status"] == "running":
        info = {**info, **_end(record, info)}
    record.write("run.json", info, durable=True)
    seal(record)


def _end(record: Record, info: dict[str, Any]) -> dict[str, Any]:
    """Put together what the run had come to, and return what ``run.json`` says of it."""
    last = max(p.stat().st_mtime for p in record.folder.rglob("*") if p.is_file() and p.name != LOCK)
    ended = max(datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds"), info["started"])
    about = {"status": "died", "error": GONE, "ended": ended, "duration": _between(info["started"], ended)}
    if not record.notebook_path.exists():
        return about  # no kernel had begun
    return {**about, "cells": cells.finish(record.folder, "died", GONE)}


def _between(started: str, ended: str) -> float:
    """Return the seconds between two stamps."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
