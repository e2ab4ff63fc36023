"""Close a room from another terminal, and remove one with all that it made. Called by the command line."""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ...errors import WorkbenchError
from . import disks, processes
from .confining import groups_of
from .folder import ABOUT, Room
from .keeping import restore

#: Seconds in which a room has ended its seats' processes.
_PATIENCE = 120


def close(room: Room) -> None:
    """End a room that is open, wherever that was done; where its own process was killed, end what that left.

    Raises
    ------
    WorkbenchError
        If its process does not end.
    """
    if keeper := processes.living(room).get("room"):
        keeper.send_signal(signal.SIGTERM)
        until = time.monotonic() + _PATIENCE
        while processes.is_open(room):  # one that nobody has waited for yet has ended all the same
            if time.monotonic() > until:
                raise WorkbenchError(
                    f"the room's process {keeper.pid} does not end: kill -9 {keeper.pid}, then try again"
                )
            time.sleep(0.1)
    processes.end([*processes.living(room).values(), *processes.left(room)])
    if groups := groups_of(room):
        groups.end(room.seats)
    for seat in room.seats:
        disks.unmount(room, seat)


@contextlib.contextmanager
def at_hand(room: Room) -> Iterator[None]:
    """Have the desks of a closed room where they are read: their disks are mounted meanwhile."""
    if not room.about["without_disks"]:
        for seat in room.seats:
            disks.mount(room, seat)
    try:
        yield
    finally:
        if not processes.is_open(room):
            for seat in room.seats:
                disks.unmount(room, seat)


def give_back(room: Room, seat: str) -> list[str]:
    """Give a seat back the notebooks that its participant deleted, open or closed, and return their names.

    Raises
    ------
    WorkbenchError
        If there is no such seat, or they cannot be written.
    """
    if seat not in room.seats:
        raise WorkbenchError(f"this room has no {seat!r}: it has {room.seats[0]} to {room.seats[-1]}")
    with at_hand(room):
        return restore(room, seat)


def taken(room: Room) -> list[Path]:
    """Return what lies beside a room by the names under which its work is collected and its records are written."""
    beside, name = room.folder.parent, glob.escape(room.folder.name)
    return sorted(path for kind in ("work-*.zip", "records", "report") for path in beside.glob(f"{name}-{kind}"))


def remove(room: Room) -> None:
    """Delete a closed room: what it left running, its disks, users and folder.

    Raises
    ------
    WorkbenchError
        If it is open, cannot be closed, or not all of it is deleted.
    """
    if processes.is_open(room):
        remedy = f"'genai4eu course stop {room.folder}' closes it, and collects the work"
        raise WorkbenchError(f"{room.folder} is open: {remedy}")
    close(room)
    people, seats = room.people, room.seats
    if mounted := [seat for seat in seats if room.home(seat).is_mount()]:
        raise WorkbenchError(f"the disk of {mounted[0]} cannot be unmounted: end what uses {room.home(mounted[0])}")
    _delete(*(path for path in room.folder.iterdir() if path.name != ABOUT))  # last what says that this is a room
    _delete(room.folder)
    people.remove(seats)


def _delete(*paths: Path) -> None:
    """Delete folders however deep a participant has nested them: what recurses, as ``shutil`` does, ends before.

    ``rm`` follows no link, also of who exchanges a folder for one meanwhile, and stays on the file system.
    """
    command = ("rm", "-rf", "--one-file-system", "--", *map(str, paths))
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False,
                          env={**os.environ, "LC_ALL": "C"})  # fmt: skip
    if done.returncode:
        raise WorkbenchError(f"not all is deleted: {done.stderr.strip().splitlines()[-1][:300]}")
