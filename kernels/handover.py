"""A kernel handed from a process that ends to the one that follows it. Called by the bridge and by Slurm's relay.

Jupyter restarts a kernel by ending its process and starting another one with the same connection file. What must live
on meanwhile (a kernel at a gateway, a job's allocation) is written beside that file, and the next process adopts it.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from .files import write_json


def path_of(connection_file: Path) -> Path:
    """Return where the hand-over for ``connection_file`` is written."""
    return connection_file.with_name(connection_file.name + ".handover")


def give(connection_file: Path, content: dict[str, Any]) -> None:
    """Leave ``content`` to the next process with this connection file. Readable by this user alone."""
    write_json(path_of(connection_file), {"given": time.time(), "content": content}, mode=0o600)


def take(connection_file: Path, within: float = 30) -> dict[str, Any] | None:
    """Return what was given, once: of several takers one gets it, the others ``None``.

    Parameters
    ----------
    connection_file : Path
        The connection file of the kernel.
    within : float
        Seconds for which a hand-over counts; an older one is removed and is nobody's.
    """
    mine = path_of(connection_file).with_suffix(f".taken-{os.getpid()}")
    try:
        path_of(connection_file).rename(mine)  # whoever renames it has it
        found = json.loads(mine.read_text(encoding="utf-8"))
        mine.unlink()
        fresh = 0 <= time.time() - found["given"] <= within
        return dict(found["content"]) if fresh else None
    except (OSError, ValueError, LookupError, TypeError):  # none there, or not written by ``give``
        mine.unlink(missing_ok=True)
        return None
