"""Hold a course: make the room, open it, fill its seats ahead, keep it open until told to stop. By the command line."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from ...errors import WorkbenchError
from ..board.sheets import Sheets
from ..build import build, solutions
from ..course import Course
from ..factory.offer import Wish, offer
from ..shipped import beside
from . import view
from .folder import Room
from .limits import Limits
from .people import People
from .registry import register
from .room import make
from .supervisor import opened, proxy

#: Seats whose servers are started at the same time, ahead of their participants.
_AT_ONCE = 4


def hold(
    folder: Path,
    participants: int,
    place: Path | None,
    host: str,
    name: str,
    port: int,
    told: Callable[[str], None],
    each: Limits | None = None,
    keep_days: int = 30,
    factory: Wish | None = None,
) -> None:
    """Hold a course until Ctrl-C.

    Raises
    ------
    WorkbenchError
        If the course contradicts itself, or the room cannot be made or opened.
    """
    proxy()
    course = Course(folder)
    where = place or beside(course, "room")
    if People.possible():
        view.check()
    offered = offer(factory, People.possible(), told) if factory else None
    with interruptible(), tempfile.TemporaryDirectory(prefix="genai4eu-course-") as built:
        lessons = build(course, Path(built) / course.name)
        opens = course.about.lessons[0].file
        solved = solutions(course)
        room, codes = make(where, lessons, opens, participants, host, name, port, solved, each, offered)
        register(room, keep_days)
        sheets = Sheets(room).write(codes)
    told(f"to print: {', '.join(str(path) for path in sheets)}")
    keep_open(room, told, codes)


def keep_open(room: Room, told: Callable[[str], None], codes: dict[str, str] | None = None) -> None:
    """Open a room, and keep it so until Ctrl-C, or 'genai4eu course stop'. Called to begin, and to resume.

    Raises
    ------
    WorkbenchError
        If it cannot be opened.
    """
    with interruptible(), contextlib.suppress(KeyboardInterrupt), opened(room, told) as look:
        fill(room, told)
        told(f"open at {room.address}")
        told(f"the trainer's board is at {room.board}")
        for seat, code in (codes or {}).items():
            print(f"{seat}  {code}", flush=True)
        while True:
            look()
            time.sleep(1)
    told(f"closed; 'genai4eu course stop {room.folder}' collects everybody's work, 'resume' opens it again as it was")


def fill(room: Room, told: Callable[[str], None]) -> None:
    """Start every seat's server ahead, so that who comes finds it running.

    Raises
    ------
    WorkbenchError
        If a seat's server does not start; the message names it, and where its log lies.
    """
    about = room.about
    headers = {"Authorization": f"token {about['token']}"}
    api = f"http://127.0.0.1:{about['hub_port']}/hub/api/users"
    with httpx.Client(headers=headers, timeout=120) as client:
        there = {user["name"] for user in client.get(api).raise_for_status().json()}
        if new := [seat for seat in room.seats if seat not in there]:
            client.post(api, json={"usernames": new}).raise_for_status()
        waiting, coming = list(room.seats), list[str]()
        while waiting or coming:
            while waiting and len(coming) < _AT_ONCE:
                seat = waiting.pop(0)
                client.post(f"{api}/{seat}/server")
                coming.append(seat)
            coming = [seat for seat in coming if not _ready(client, f"{api}/{seat}", seat, room)]
            told(f"{len(room.seats) - len(waiting) - len(coming)} of {len(room.seats)} seats are ready")
            time.sleep(0.5)


def _ready(client: httpx.Client, user: str, seat: str, room: Room) -> bool:
    server = client.get(user).raise_for_status().json()["servers"].get("")
    if server is None:
        raise WorkbenchError(f"the server of {seat} did not start: see {room.folder / 'run' / 'hub.log'}")
    return bool(server["ready"])


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Take a request to end, as 'course stop' and a computer that shuts down send, for Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
