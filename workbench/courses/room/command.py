"""Hold a course: make the room, open it, fill its seats ahead, keep it open until told to stop. By the command line."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from ...errors import WorkbenchError
from ..build import build, solutions
from ..course import Course
from ..shipped import beside
from . import view
from .folder import ABOUT, Room
from .limits import Limits
from .listening import free, named
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
    sheets: Callable[[Room, Mapping[str, str]], Iterable[Path]],
    each: Limits | None = None,
    keep_days: int = 30,
    offered: Mapping[str, Any] | None = None,
) -> None:
    """Hold a course until Ctrl-C.

    Parameters
    ----------
    sheets : callable
        Writes what is printed of a room with these codes, and returns the files.
    offered : mapping, optional
        What the room offers of a factory's kernels.

    Raises
    ------
    WorkbenchError
        If the course contradicts itself, its address is in use, or the room cannot be made or opened.
    """
    proxy()
    named(name)
    free(host, port, "name another with --port")
    course = Course(folder)
    where = place or beside(course, "room")
    if People.possible():
        view.check()
    with interruptible(), tempfile.TemporaryDirectory(prefix="genai4eu-course-") as built:
        lessons = build(course, Path(built) / course.name)
        opens = course.about.lessons[0].file
        solved = solutions(course)
        room, codes = make(where, lessons, opens, participants, host, name, port, solved, each, offered, course.folder)
        register(room, keep_days)
        printed = sheets(room, codes)
    told(f"to print: {', '.join(str(path) for path in printed)}")
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
    if (room.folder / ABOUT).exists():
        told(f"closed; 'genai4eu course stop {room.folder}' collects everybody's work, 'resume' opens it as it was")
    else:
        told("closed, and deleted")


def fill(room: Room, told: Callable[[str], None]) -> list[str]:
    """Start every seat's server ahead, so that who comes finds it running, and return the seats whose does not start.

    A participant can break what starts their own: the others go on, and the trainer's board shows it.

    Raises
    ------
    WorkbenchError
        If no seat's server starts; the message says where the log lies.
    """
    about = room.about
    headers = {"Authorization": f"token {about['token']}"}
    api, log = f"http://127.0.0.1:{about['hub_port']}/hub/api/users", room.folder / "run" / "hub.log"
    with httpx.Client(headers=headers, timeout=120) as client:
        there = {user["name"] for user in client.get(api).raise_for_status().json()}
        if new := [seat for seat in room.seats if seat not in there]:
            client.post(api, json={"usernames": new}).raise_for_status()
        waiting, coming, failed = list(room.seats), list[str](), list[str]()
        while waiting or coming:
            while waiting and len(coming) < _AT_ONCE:
                seat = waiting.pop(0)
                client.post(f"{api}/{seat}/server")
                coming.append(seat)
            states = {seat: _ready(client, f"{api}/{seat}") for seat in coming}
            for seat in (seat for seat, state in states.items() if state is None):
                failed.append(seat)
                told(f"the server of {seat} did not start: see {log}; the others go on")
            coming = [seat for seat, state in states.items() if state is False]
            told(f"{len(room.seats) - len(waiting) - len(coming) - len(failed)} of {len(room.seats)} seats are ready")
            time.sleep(0.5)
    if len(failed) == len(room.seats):
        raise WorkbenchError(f"no seat's server has started: see {log}")
    return failed


def _ready(client: httpx.Client, user: str) -> bool | None:
    """Tell whether a seat's server is ready; None where it did not start."""
    server = client.get(user).raise_for_status().json()["servers"].get("")
    return None if server is None else bool(server["ready"])


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
