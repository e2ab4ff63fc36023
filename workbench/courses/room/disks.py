"""A disk of a fixed size for each seat: a file with a file system, mounted where the seat's folder is. As root.

A seat whose disk is full is the only one to notice. Called as a room is made, opened, closed and removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ...errors import WorkbenchError
from .folder import Room

FOLDER = "disks"
_DESK, _TEMPORARY = "desk", "tmp"


def possible(folder: Path) -> str:
    """Return why seats can have no disks of their own below a folder; nothing where they can. Tries one."""
    if os.geteuid():
        return "only root can mount them"
    if absent := [name for name in ("mkfs.ext4", "mount", "umount") if not shutil.which(name)]:
        return f"{absent[0]} is not installed"
    image, point = folder / ".try.ext4", folder / ".try"
    try:
        point.mkdir()
        _make(image, 16 << 20)
        _mount(image, point)
        _run("umount", str(point))
    except (OSError, WorkbenchError) as error:
        return str(error)
    finally:
        image.unlink(missing_ok=True)
        if point.is_dir():
            point.rmdir()
    return ""


def make(room: Room, seat: str, size: int) -> None:
    """Make a seat's disk, and mount it.

    Raises
    ------
    WorkbenchError
        If it cannot be made.
    """
    _make(_image(room, seat), size)
    mount(room, seat)


def mount(room: Room, seat: str) -> None:
    """Mount a seat's disk where its folders are, unless it is. Called as a room opens.

    Raises
    ------
    WorkbenchError
        If it cannot be mounted; the message says what the system said.
    """
    point = _point(room, seat)
    point.mkdir(parents=True, exist_ok=True)
    point.chmod(0o700)
    if not point.is_mount():
        _mount(_image(room, seat), point)
    for name, target in ((_DESK, room.home(seat)), (_TEMPORARY, room.temporary(seat))):
        target.mkdir(parents=True, exist_ok=True)
        (point / name).mkdir(exist_ok=True)
        if not target.is_mount():
            _run("mount", "--bind", str(point / name), str(target))


def unmount(room: Room, seat: str) -> None:
    """Take a seat's disk from its place; what is not mounted is left alone."""
    for target in (room.home(seat), room.temporary(seat), _point(room, seat)):
        if target.is_mount():
            _run("umount", "--lazy", str(target))  # lazily: a process may be at its end


def _image(room: Room, seat: str) -> Path:
    return room.folder / FOLDER / f"{seat}.ext4"


def _point(room: Room, seat: str) -> Path:
    return room.folder / FOLDER / seat


def _make(image: Path, size: int) -> None:
    """Write an empty file system; its file takes no more of the disk than what is written to it."""
    with image.open("xb") as file:
        file.truncate(size)
    image.chmod(0o600)
    _run("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4", "-E", "nodiscard,lazy_itable_init=1", str(image))


def _mount(image: Path, point: Path) -> None:
    _run("mount", "-o", "loop,nosuid,nodev", str(image), str(point))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise WorkbenchError(f"{command[0]}: {said[-1]}")
