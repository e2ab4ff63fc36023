"""A room for the time of a rehearsal, made as ``genai4eu course start`` makes one, and removed whole afterwards.

Called by the rehearsal. Whatever ends it, Ctrl-C too, no user, process or file of it stays.
"""

from __future__ import annotations

import contextlib
import pwd
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from ...stop import unhurried
from ..build import build, solutions
from ..course import Course
from ..room import view
from ..room.folder import Room
from ..room.people import People
from ..room.removing import remove
from ..room.room import make


@contextlib.contextmanager
def desks(course: Course) -> Iterator[Path]:
    """Build the course as participants get it."""
    with tempfile.TemporaryDirectory(prefix="genai4eu-course-") as built:
        yield build(course, Path(built) / course.name)


@contextlib.contextmanager
def aside(place: Path, name: str) -> Iterator[Path]:
    """Make a folder that other users may pass through, and remove it at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-rehearsal-", dir=place))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        with unhurried():
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def made(
    course: Course, lesson: int, participants: int, place: Path, host: str, name: str, port: int
) -> Iterator[tuple[Room, dict[str, str]]]:
    """Make a room whose seats open with a lesson, and yield it with each seat's code."""
    with aside(place, course.name) as folder, desks(course) as lessons:
        opens = course.about.lessons[lesson - 1].file
        if People.possible():
            view.check()
        room, codes = make(folder / "room", lessons, opens, participants, host, name, port, solutions(course),
                           source=course.folder)  # fmt: skip
        try:
            yield room, codes
        finally:
            with unhurried():
                remove(room)


def users(prefix: str, seats: Iterable[str]) -> list[int]:
    """Return the numbers of seats' own users; none where seats are the room owner's."""
    found = []
    for seat in seats if prefix else ():
        with contextlib.suppress(KeyError):
            found.append(pwd.getpwnam(f"{prefix}{seat}").pw_uid)
    return found


def end(numbers: Iterable[int]) -> None:
    """End every process of some users: they are a seat's, and so the room's."""
    wanted = set(numbers)
    for _ in range(3):  # one that was just forking has a child now
        finish([process for process in psutil.process_iter() if wanted and _of(process, wanted)])


def finish(processes: Iterable[psutil.Process]) -> None:
    """End processes that are still there."""
    left = list(processes)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()  # psutil looks whether the number still means the same process
    psutil.wait_procs(left, timeout=5)


def _of(process: psutil.Process, wanted: set[int]) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.uids().real in wanted and process.status() != psutil.STATUS_ZOMBIE
    return False
