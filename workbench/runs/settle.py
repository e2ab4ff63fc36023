"""Settle a run whose process is gone: its record says ``died`` and how far it came, and is sealed.

Called by every command that looks at records, before it looks. A run that may still be alive somewhere is left alone.
"""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime
from typing import Any

import psutil

from ..errors import WorkbenchError
from . import aside, cells
from .lock import LOCK, locked
from .presence import gone
from .record import GONE, Record
from .status import Status

#: Seconds within which a kernel notices that its runner is gone.
NOTICES = 5.0


def settle(record: Record) -> bool:
    """Seal the record of a run whose process or job is gone; tell whether this did it.

    A record that cannot be written here, or that is damaged, is left as it is: whoever reads it says so. So is one
    whose files are not at home yet and may still come (``genai4eu runs fetch``).
    """
    try:
        if record.sealed or end_of(record) is None:
            return False
        with locked(record.folder):
            end = None if record.sealed else end_of(record)
            if end is None:
                return False  # another command was quicker
            return finish(record, *end, late=True)
    except (OSError, WorkbenchError):
        return False


def end_of(record: Record) -> tuple[Status, str | None] | None:
    """Return how a run ended that nobody writes any more, though its record is not sealed."""
    info = record.read("run.json")
    if info.get("status") not in ("pending", "running") and info.get("remote"):
        return info["status"], info["error"]  # its files are not at home yet, which its runner does not wait for
    if info.get("job"):  # whose process may be on another computer, or not be there yet
        from .fate import fate

        found = fate(info, record.folder)
        return (found.status, found.sentence) if found and found.over else None
    waits = info.get("status") == "pending"  # whoever made it is free to go
    return None if waits or not gone(info) or _kernel_stays(record) else ("died", GONE)


def _kernel_stays(record: Record) -> bool:
    """Wait for the end of the kernel of a runner that is gone, which it soon notices; tell whether it goes on."""
    deadline = time.monotonic() + NOTICES
    while _kernel_lives(record):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.05)
    return False


def _kernel_lives(record: Record) -> bool:
    """Tell whether the kernel of a run is still there, on this computer: it may yet write what it keeps."""
    path = record.folder / "environment.json"
    if not path.exists():
        return False
    about = record.read("environment.json")
    if about.get("host") != os.uname().nodename or not isinstance(about.get("pid"), int):
        return False
    try:
        process = psutil.Process(about["pid"])
        # began before it told its number: else the number is another process's by now
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= path.stat().st_mtime)
    except psutil.Error:
        return False


def finish(record: Record, status: Status, error: str | None, late: bool = False) -> bool:
    """Write what is known of the end, unless the run itself wrote it, then seal; tell whether that could be.

    Parameters
    ----------
    late : bool
        Whether another command does this than the run's own, so that a seal that is missing is said to have been.
    """
    from .crate import seal  # the two take a tenth of a second, which a list need not pay for a run that goes on
    from .home import come_home

    for partial in record.folder.glob(".*"):
        if partial.is_file() and partial.name != LOCK:
            partial.unlink()  # half a file that a write left, or room kept for the end
    info = record.read("run.json")
    ended = info["status"] not in ("pending", "running")
    if not ended:
        _let_go_of_log(record)
        record.write("run.json", {**info, **_end(record, info, status, error)}, durable=True)
    if not come_home(record):
        return False
    seal(record, late=late and ended and not info.get("remote"))
    aside.clear(record.folder)
    return True


def _let_go_of_log(record: Record) -> None:
    """Give the record a log of its own: whoever still has the old one open writes nothing into what is sealed."""
    log = record.folder / "log.txt"
    if log.exists():
        copy = log.with_name(".log.txt")
        shutil.copyfile(log, copy)
        copy.replace(log)


def _end(record: Record, info: dict[str, Any], status: Status, error: str | None) -> dict[str, Any]:
    """Put together what the run had come to, and return what ``run.json`` says of it."""
    files = [p for p in record.folder.rglob("*") if p.is_file() and p.name not in (LOCK, "log.txt")]
    last = max(p.stat().st_mtime for p in files)  # a kernel that is left alone still writes that into the log
    ended = max(datetime.fromtimestamp(last, UTC).isoformat(timespec="seconds"), info["started"])
    about = {"status": status, "error": error, "ended": ended, "duration": _between(info["started"], ended)}
    if not record.notebook_path.exists():
        return about  # no kernel had begun
    return {**about, "cells": cells.finish(record.folder, status, error or status)}


def _between(started: str, ended: str) -> float:
    """Return the seconds between two stamps."""
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
