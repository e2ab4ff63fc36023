"""Make a room: its folders, users, disks, desks and codes, whole or not at all. Called by ``genai4eu course start``."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from genai4eu.kernels.local import lay

from ...errors import WorkbenchError
from ...lab import NBGRADER
from ...runs.files import write_json
from ..seat import WITHOUT
from . import disks
from .folder import ABOUT, CODES, COURSE, JUPYTER, SOLUTIONS, Room
from .limits import Limits, limits
from .own import write_own
from .people import People

__all__ = ["ABOUT", "CODES", "COURSE", "JUPYTER", "SOLUTIONS", "Room", "make"]

#: Extensions of Jupyter's server that no participant needs: each costs every seat memory.
_WITHOUT = (
    "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim", "voila.server_extension",
    *NBGRADER,
)  # fmt: skip


def make(
    folder: Path,
    lessons: Path,
    opens: str,
    participants: int,
    host: str,
    name: str,
    port: int,
    solutions: Mapping[str, str] | None = None,
    each: Limits | None = None,
    factory: Mapping[str, Any] | None = None,
    source: Path | None = None,
) -> tuple[Room, dict[str, str]]:
    """Make a room with lessons on every desk, whole or not at all, and return it with each seat's code.

    Parameters
    ----------
    lessons : Path
        The course in the participant's version.
    opens : str
        The lesson that a seat opens with.
    participants : int
        How many seats.
    solutions : mapping of str to str, optional
        Code that solves each exercise, which the trainer may give to everybody.
    each : Limits, optional
        What a seat may take; else what follows from this computer.
    factory : mapping, optional
        What the room offers of a factory's kernels, as ``factory.offer`` has looked at it.
    source : Path, optional
        The trainer's folder of the course, which seats do not see.

    Raises
    ------
    WorkbenchError
        If the folder is in use, this computer too small, or the seats' users cannot be made.
    """
    folder = folder.absolute()
    if folder.exists():
        raise WorkbenchError(f"{folder} is there already: 'genai4eu course resume {folder.name}' opens it again")
    each = each or limits(participants, place=folder)
    width = max(2, len(str(participants)))
    seats = [f"seat-{number:0{width}}" for number in range(1, participants + 1)]
    prefix = f"g{secrets.token_hex(2)}-" if People.possible() else ""
    room = Room(folder)
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        _folders(folder)
        without_disks = disks.possible(folder) if prefix else "only root can mount them"
        ports = list(_free_ports(4))
        write_own(folder / CODES, {})
        write_own(folder / SOLUTIONS, dict(solutions or {}))
        shutil.copytree(lessons, folder / COURSE)
        lay(folder / JUPYTER)
        _quiet(folder / JUPYTER)
        for path in (folder / COURSE, folder / JUPYTER):
            _readable(path)
        write_own(
            folder / ABOUT,
            {
                "course": lessons.name, "seats": seats, "prefix": prefix, "host": host, "name": name, "port": port,
                "hub_port": ports[0], "proxy_port": ports[1], "board_port": ports[2], "files_port": ports[3],
                "open": f"/lab/tree/{opens}", "without": _WITHOUT, "limits": asdict(each),
                "without_disks": without_disks, "token": secrets.token_hex(32),
                "board_key": secrets.token_urlsafe(24), "began": time.time(),
                **({"factory": dict(factory)} if factory else {}), **({"source": str(source)} if source else {}),
            },
        )  # fmt: skip
        undo.callback(room.people.remove, seats)
        for seat in seats:
            undo.callback(disks.unmount, room, seat)
            _seat(room, seat, each)
        codes = {seat: room.give_code(seat) for seat in seats}
        undo.pop_all()
    return room, codes


def _seat(room: Room, seat: str, each: Limits) -> None:
    """Make a seat's user, disk and desk."""
    room.people.make(seat, room.home(seat))
    if not room.about["without_disks"]:
        disks.make(room, seat, each.disk)
    for folder in (room.home(seat), room.temporary(seat)):
        folder.mkdir(exist_ok=True)
    room.people.fill(seat, room.folder / COURSE, room.home(seat))
    room.people.own(seat, room.temporary(seat))
    room.people.read_only(seat, room.news(seat))
    (room.folder / "kept" / seat).mkdir(mode=0o700)


def _folders(folder: Path) -> None:
    own, passed = ("run", "hub", "kept", disks.FOLDER), ("", "seats", "news", "tmp", "factory")
    for name in (*passed, *own):
        path = folder / name
        try:
            path.mkdir(parents=True)
            path.chmod(0o700 if name in own else 0o711)
        except OSError as error:
            raise WorkbenchError(f"{path} cannot be made ({error.strerror}): name another folder with --room") from None


def _quiet(folder: Path) -> None:
    """Leave out of seats' JupyterLab what no participant needs: some of it fails where its server's part is off."""
    (folder / "labconfig").mkdir()
    write_json(folder / "labconfig" / "page_config.json", {"disabledExtensions": dict.fromkeys(WITHOUT, True)})


def _readable(folder: Path) -> None:
    """Let seats read a folder: they are other users."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _free_ports(many: int) -> Iterator[int]:
    """Yield ports that nothing listens on, different ones."""
    with contextlib.ExitStack() as until:
        for _ in range(many):
            sock = until.enter_context(socket.socket())
            sock.bind(("127.0.0.1", 0))
            yield sock.getsockname()[1]
