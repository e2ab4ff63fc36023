"""What the trainer's board shows of a room's factory: what the broker wrote down last. Called by the board."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from ..room.folder import Room

#: Seconds after which a broker that has written nothing does not answer; it writes every ten.
_SILENT = 25.0


@dataclass(frozen=True)
class Seen:
    """How the factory of a room stands.

    Attributes
    ----------
    answers : bool
        Whether the broker is alive.
    kernels, budget : int
        Kernels at once, and seconds that a seat has in all.
    running, queue : list of str
        Seats whose cells run, and those that wait, the next one first.
    used : dict of str to float
        Seconds that each seat has used.
    why : str
        What the factory said where it refused the last cell.
    """

    answers: bool
    kernels: int
    budget: int
    running: list[str]
    queue: list[str]
    used: dict[str, float]
    why: str


def seen(room: Room) -> Seen | None:
    """Return what there is to show; None where the room has no factory."""
    offered = room.about.get("factory")
    if not offered:
        return None
    told = _told(room)
    running = [one["seat"] for one in told.get("running", [])]
    used, queue, why = told.get("used", {}), told.get("queue", []), told.get("why", "")
    answers = time.time() - told.get("at", 0) < _SILENT
    return Seen(answers, offered["kernels"], offered["budget"], running, queue, used, why)


def _told(room: Room) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((room.folder / "run" / "factory.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not yet written; it is whole otherwise
        return {}
    return told
