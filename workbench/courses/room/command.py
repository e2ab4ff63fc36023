"""Hold a course: make the room, open it, fill its seats ahead, keep it open until told to stop. By the command line."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from ..build import build, solutions
from ..course import Course
from ..shipped import beside
from .room import Room, make
from .supervisor import opened, proxy

#: Seats whose servers are started at the same time, ahead of their participants.
_AT_ONCE = 4


def hold(
    folder: Path, participants: int, place: Path | None, host: str, name: str, port: int, told: Callable[[str], None]
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
    with tempfile.TemporaryDirectory(prefix="genai4eu-course-") as built:
        lessons = build(course, Path(built) / course.name)
        room, codes = make(
            where, lessons, course.about.lessons[0].file, participants, host, name, port, solutions(course)
        )
    if not room.about["prefix"]:
        told("seats are not isolated: users of the system can only be made as root")
    with opened(room, told) as look:
        fill(room, told)
        told(f"open at {room.address}")
        told(f"the trainer's board is at {room.board}")
        for seat, code in codes.items():
            print(f"{seat}  {code}", flush=True)
        while True:
            look()
            time.sleep(1)


def fill(room: Room, told: Callable[[str], None]) -> None:
    """Start every seat's server ahead, so that who comes finds it running."""
    about = room.about
    headers = {"Authorization": f"token {about['token']}"}
    api = f"http://127.0.0.1:{about['hub_port']}/hub/api/users"
    with httpx.Client(headers=headers, timeout=120) as client:
        client.post(api, json={"usernames": room.seats}).raise_for_status()
        waiting, coming = list(room.seats), list[str]()
        while waiting or coming:
            while waiting and len(coming) < _AT_ONCE:
                seat = waiting.pop(0)
                client.post(f"{api}/{seat}/server").raise_for_status()
                coming.append(seat)
            coming = [
                seat for seat in coming if not client.get(f"{api}/{seat}").json()["servers"].get("", {}).get("ready")
            ]
            told(f"{len(room.seats) - len(waiting) - len(coming)} of {len(room.seats)} seats are ready")
            time.sleep(0.5)
