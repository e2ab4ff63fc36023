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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ...runs.files import write_json
from .codes import digest, new_code
from .people import People

ABOUT, CODES = "room.json", "codes.json"
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

    @property
    def people(self) -> People:
        """The seats' users."""
        return People(self.about["prefix"])

    @property
    def address(self) -> str:
        """Where participants go."""
        about = self.about
        return f"http://{about['name']}:{about['port']}/"

    def give_code(self, seat: str) -> str:
        """Make a code that opens a seat once; earlier ones of that seat open nothing any more."""
        known: dict[str, Any] = json.loads((self.folder / CODES).read_text(encoding="utf-8"))
        code = new_code()
        left = {name: entry for name, entry in known.items() if entry["seat"] != seat or entry.get("used")}
        write_json(self.folder / CODES, {**left, digest(code): {"seat": seat}})
        return code


def make(
    folder: Path, lessons: Path, opens: str, participants: int, host: str, name: str, port: int
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
        ports = list(_free_ports(2))
        write_json(folder / CODES, {})
        write_json(
            folder / ABOUT,
            {
                "course": lessons.name, "seats": seats, "prefix": prefix, "host": host, "name": name, "port": port,
                "hub_port": ports[0], "proxy_port": ports[1], "open": f"/lab/tree/{opens}", "without": _WITHOUT,
                "token": secrets.token_hex(32), "began": time.time(),
            },
        )  # fmt: skip
        for path in (folder / ABOUT, folder / CODES):
            path.chmod(0o600)
        undo.callback(room.people.remove, seats)
        for seat in seats:
            room.people.seat(seat, lessons, room.home(seat))
        codes = {seat: room.give_code(seat) for seat in seats}
        (folder / CODES).chmod(0o600)
        undo.pop_all()
    return room, codes


def _folders(folder: Path) -> None:
    for path, mode in ((folder, 0o711), (folder / "seats", 0o711), (folder / "run", 0o700), (folder / "hub", 0o700)):
        try:
            path.mkdir(parents=True)
            path.chmod(mode)
        except OSError as error:
            raise WorkbenchError(f"{path} cannot be made ({error.strerror}): name another folder with --room") from None


def _free_ports(many: int) -> Iterator[int]:
    """Yield ports that nothing listens on, different ones."""
    with contextlib.ExitStack() as until:
        for _ in range(many):
            sock = until.enter_context(socket.socket())
            sock.bind(("127.0.0.1", 0))
            yield sock.getsockname()[1]
