"""What keeps a seat to itself: its user, its view, its limits. Said to the forges by the hub's spawner.

What this computer does not let us do is found out as the room opens, told to the trainer with what it means, and kept
in ``run/means.json``, for the hub asks again for each seat that starts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...runs.files import write_json
from . import view
from .folder import Room
from .groups import Groups, found
from .limits import PROCESSES, ROOM, Limits, total

FILE = "means.json"
#: How willingly the system ends a process where memory is short: a seat's kernels before its server.
_SERVER, _KERNELS = 0, 300


@dataclass(frozen=True)
class Means:
    """What keeps seats apart here.

    Attributes
    ----------
    view : bool
        Whether each seat has a view of its own.
    groups : list of str
        Folders in which control groups are made; none where the room itself has to watch.
    """

    view: bool
    groups: list[str]


def limits_of(room: Room) -> Limits:
    """Return what each seat of a room may take."""
    return Limits(**room.about["limits"])


def groups_of(room: Room) -> Groups | None:
    """Return the room's control groups, or None where there can be none."""
    prefix = room.about["prefix"]
    return found(f"genai4eu-{prefix.rstrip('-')}") if prefix else None


def prepare(room: Room, told: Callable[[str], None]) -> Means:
    """Make what keeps seats apart, and tell what cannot be, and what that means. Called as a room opens."""
    users = bool(room.about["prefix"])
    if not users:
        told("seats are not isolated: as root each gets a user of its own; participants can read each other's work now")
    refused = view.check() if users else "only root can"
    if users and refused:
        told(f"seats share /tmp and see that there are others, not their files ({refused})")
    groups = groups_of(room)
    if groups:
        groups.make(room.seats, limits_of(room), total() - ROOM)
    else:
        told("no control groups here: the room itself ends the largest kernel of a seat that takes too much memory")
    if why := room.about["without_disks"]:
        told(f"seats have no disks of their own ({why}): the room tells who takes more than their part")
    means = Means(not refused, [str(root) for root in groups.roots] if groups else [])
    write_json(room.folder / "run" / FILE, vars(means))
    return means


def means_of(room: Room) -> Means:
    """Return what was found out as the room opened."""
    return Means(**json.loads((room.folder / "run" / FILE).read_text("utf-8")))


def request(room: Room, seat: str, kernels: bool) -> dict[str, Any]:
    """Return what a forge is asked for to make a seat's process that seat's.

    Parameters
    ----------
    kernels : bool
        Whether that process is where the seat's kernels come from, or its notebook server.
    """
    prefix, means, each = room.about["prefix"], means_of(room), limits_of(room)
    uid, gid = room.people.owner(seat)
    most = {"CORE": 0} if not room.about["without_disks"] else {"CORE": 0, "FSIZE": each.disk}
    asked: dict[str, Any] = {"seat": seat, "uid": uid, "gid": gid, "limits": most}
    if not prefix:
        return {**asked, "groups": os.getgroups(), "shared": True}
    asked |= {"groups": [gid], "oom": _KERNELS if kernels else _SERVER}
    if means.view:
        asked["view"] = view.plan(room, seat)
    if groups := groups_of(room) if means.groups else None:
        asked["control"] = groups.of(seat)
    else:
        most["NPROC"] = PROCESSES
    return asked
