"""A room on disk: which course it holds, its seats, its codes. Made by ``genai4eu course start``, read by all of it.

``room.json`` and ``codes.json`` are the room owner's alone; below ``seats/`` each folder is its seat's alone.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genai4eu.kernels.local import lay

from ...errors import WorkbenchError
from .codes import digest, new_code
from .own import write_own
from .people import People

ABOUT, CODES, SOLUTIONS = "room.json", "codes.json", "solutions.json"
#: The course as participants get it; the trainer's own folder may change meanwhile.
COURSE = "course"
#: Jupyter's data for all seats: the kernel that lessons ask for, of this very interpreter.
JUPYTER = "jupyter"
#: Extensions of Jupyter's server that no participant needs: each costs every seat memory.
_WITHOUT = ("jupyter_lsp", "jupyter_server_terminals", "nbgrader", "notebook", "notebook_shim", "voila")


@dataclass(frozen=True)
class Room:
    """A folder that holds a room.

    Attributes
    ----------
    folder : Path
        Where it stands.
    """

    folder: Path

    @property
    def about(self) -> dict[str, Any]:
        """What the room is.

        Raises
        ------
        WorkbenchError
            If there is none in the folder.
        """
        try:
            content: dict[str, Any] = json.loads((self.folder / ABOUT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise WorkbenchError(f"{self.folder} holds no room: 'genai4eu course start' makes one") from None
        except (OSError, ValueError) as error:
            raise WorkbenchError(f"{self.folder / ABOUT} cannot be read: {error}") from None
        return content

    @property
    def seats(self) -> list[str]:
        """Names of the seats: ``seat-01`` and so on."""
        names: list[str] = self.about["seats"]
        return names

    def home(self, seat: str) -> Path:
        """Return a seat's folder."""
        return self.folder / "seats" / seat

    def news(self, seat: str) -> Path:
        """Return the file in which a seat reads what it is told."""
        return self.folder / "news" / f"{seat}.jsonl"

    @property
    def people(self) -> People:
        """The seats' users."""
        return People(self.about["prefix"])

    @property
    def address(self) -> str:
        """Where participants go."""
        about = self.about
        return f"http://{about['name']}:{about['port']}/"

    @property
    def board(self) -> str:
        """Where the trainer goes; the key in it opens the board."""
        return f"{self.address}services/board/?key={self.about['board_key']}"

    def give_code(self, seat: str) -> str:
        """Make a code that opens a seat once; earlier ones of that seat open nothing any more."""
        known: dict[str, Any] = json.loads((self.folder / CODES).read_text(encoding="utf-8"))
        code = new_code()
        left = {name: entry for name, entry in known.items() if entry["seat"] != seat or entry.get("used")}
        write_own(self.folder / CODES, {**left, digest(code): {"seat": seat}})
        return code


def make(
    folder: Path,
    lessons: Path,
    opens: str,
    participants: int,
    host: str,
    name: str,
    port: int,
    solutions: Mapping[str, str] | None = None,
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

    Raises
    ------
    WorkbenchError
        If the folder is in use, or the seats' users cannot be made.
    """
    folder = folder.absolute()
    if folder.exists():
        raise WorkbenchError(f"{folder} is there already: 'genai4eu course resume {folder.name}' opens it again")
    width = max(2, len(str(participants)))
    seats = [f"seat-{number:0{width}}" for number in range(1, participants + 1)]
    prefix = f"g{secrets.token_hex(2)}-" if People.possible() else ""
    room = Room(folder)
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        _folders(folder)
        ports = list(_free_ports(3))
        write_own(folder / CODES, {})
        write_own(folder / SOLUTIONS, dict(solutions or {}))
        shutil.copytree(lessons, folder / COURSE)
        lay(folder / JUPYTER)
        for path in (folder / COURSE, folder / JUPYTER):
            _readable(path)
        write_own(
            folder / ABOUT,
            {
                "course": lessons.name, "seats": seats, "prefix": prefix, "host": host, "name": name, "port": port,
                "hub_port": ports[0], "proxy_port": ports[1], "board_port": ports[2],
                "open": f"/lab/tree/{opens}", "without": _WITHOUT,
                "token": secrets.token_hex(32), "board_key": secrets.token_urlsafe(24), "began": time.time(),
            },
        )  # fmt: skip
        undo.callback(room.people.remove, seats)
        for seat in seats:
            room.people.seat(seat, lessons, room.home(seat))
            room.people.read_only(seat, room.news(seat))
        codes = {seat: room.give_code(seat) for seat in seats}
        undo.pop_all()
    return room, codes


def _folders(folder: Path) -> None:
    own, passed = ("run", "hub", "kept"), ("", "seats", "news")
    for name in (*passed, *own):
        path = folder / name
        try:
            path.mkdir(parents=True)
            path.chmod(0o700 if name in own else 0o711)
        except OSError as error:
            raise WorkbenchError(f"{path} cannot be made ({error.strerror}): name another folder with --room") from None


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
