"""Rooms that were made here, and until when they are kept. Swept by every ``genai4eu course …`` command.

Participants' work is personal data: it is deleted after the days that the trainer said, thirty if nothing was said.
"""

from __future__ import annotations

import datetime
import json
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from . import processes
from .folder import ABOUT, Room
from .own import write_own

_DAY = 86_400.0


def register(room: Room, keep_days: int) -> None:
    """Remember a room, so that it is deleted when its time has come.

    Raises
    ------
    WorkbenchError
        If that cannot be written down.
    """
    write_own(room.folder / ABOUT, {**room.about, "keep_days": keep_days})
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        known = [entry for entry in _known() if Path(entry["room"]).exists()]
        write_own(folder / "rooms.json", [*known, {"room": str(room.folder), "began": room.about["began"]}])
    except OSError as error:
        raise WorkbenchError(
            f"{folder} cannot be written ({error.strerror}), so that nothing would delete {room.folder}: "
            "set XDG_STATE_HOME to a folder of your own"
        ) from None


def until(room: Room) -> float | None:
    """Return when a room is deleted, in seconds since 1970: days count from its last use. None if nothing was said.

    The day that the trainer chose on the board stands instead.
    """
    about = room.about
    if "delete_on" in about:
        return datetime.datetime.fromisoformat(about["delete_on"]).timestamp()
    if "keep_days" not in about:
        return None
    used = max([about["began"], *(path.stat().st_mtime for path in [room.folder / "run"] if path.exists())])
    return float(used + about["keep_days"] * _DAY)


def sweep(told: Callable[[str], None], meant: Collection[Path] = ()) -> None:
    """Delete the rooms whose time has come; one that is open stays, and so does what is no such room any more.

    Parameters
    ----------
    meant : collection of Path
        Rooms that somebody works with at this moment: whoever comes late to collect the work shall find it.
    """
    from .removing import remove

    for entry in _known():
        room = Room(Path(entry["room"]))
        if room.folder in meant:
            continue
        try:
            if _is_due(room, entry["began"]):
                remove(room)
                told(f"{room.folder} is deleted: its day has come")
        except Exception as error:  # noqa: BLE001  # told, whatever a participant left there: every command comes by
            told(f"{room.folder} cannot be deleted, though its day may have come: {error or type(error).__name__}")


def _is_due(room: Room, began: float) -> bool:
    """Tell whether a room is the one that was remembered, closed, and its time has come."""
    if not (room.folder / ABOUT).exists() or room.about["began"] != began:
        return False
    due = until(room)
    return due is not None and time.time() >= due and not processes.is_open(room)


def _known() -> list[dict[str, Any]]:
    try:
        found = json.loads((_folder() / "rooms.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [entry for entry in found if isinstance(entry, dict) and {"room", "began"} <= set(entry)]


def _folder() -> Path:
    """Return where rooms are remembered: root's not in the home that sudo may have left it, which is another's."""
    if state := os.environ.get("XDG_STATE_HOME"):
        return Path(state) / "genai4eu"
    return Path("/var/lib/genai4eu") if os.geteuid() == 0 else Path("~/.local/state/genai4eu").expanduser()
