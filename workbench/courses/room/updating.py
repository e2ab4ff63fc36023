"""Bring an edited course to the desks of a room, open or closed. Called by ``genai4eu course update``.

A lesson edited in the trainer's folder changes nothing in a room by itself. A lesson that a participant has not touched
is replaced; beside one that they have, or that is open before them, the new version is laid, and theirs stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ...runs.files import write_bytes
from ..build import build, solutions
from ..course import Course
from ..desk import ABOUT, ASIDE
from . import news
from .folder import COURSE, SOLUTIONS, Room
from .own import write_own
from .people import as_seat
from .reading import events, opened
from .removing import at_hand

#: In the room's folder: by seat, which version of each lesson it was brought last.
BROUGHT = "brought.json"
#: Bytes of a notebook that is looked at: what has more is none of ours any more.
_LARGEST = 20 << 20
#: Seconds since a lesson was in front within which something may have been typed that is not saved yet: JupyterLab
#: saves after two minutes, and which lesson is in front is told once a minute.
_OPEN = 240.0
#: Times that a seat's events are read on, a megabyte each: a seat that writes faster than is read has no end.
_READS = 64


@dataclass
class Updated:
    """What an update has changed.

    Attributes
    ----------
    lessons : list of str
        Lessons that are new or other than before.
    beside : dict of str to list of str
        By seat, the lessons that its participant had touched or has open: the new version lies beside.
    failed : dict of str to str
        By seat, why nothing was brought to it; updating again tries again.
    """

    lessons: list[str] = field(default_factory=list)
    beside: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def update(room: Room, course: Course) -> Updated:
    """Bring a course as it is now to a room that was opened with an earlier version of it.

    What each seat has been brought is noted seat by seat: a seat where it fails holds up none, and is not forgotten.

    Raises
    ------
    WorkbenchError
        If it is another course or contradicts itself; then nothing has changed.
    """
    if course.name != room.about["course"]:
        raise WorkbenchError(f"the room holds {room.about['course']}, not {course.name}: name that course's folder")
    with tempfile.TemporaryDirectory(prefix="genai4eu-course-") as folder, at_hand(room):
        made = build(course, Path(folder) / course.name)
        solved, now, has, done = solutions(course), _digests(made), _brought(room), Updated()
        files = {path.relative_to(made): path.read_bytes() for path in made.rglob("*") if path.is_file()}
        _replace(room.folder / COURSE, files)
        write_own(room.folder / SOLUTIONS, solved)
        for seat in room.seats:
            lessons = [file for file, digest in now.items() if has[seat].get(file) != digest]
            done.lessons += (file for file in lessons if file not in done.lessons)
            try:
                beside = _bring(room, seat, files, lessons, has[seat], now)
            except (WorkbenchError, OSError) as error:  # what a participant has made of their folder
                done.failed[seat] = str(error)
                continue
            if beside:
                done.beside[seat] = beside
            has[seat] = now
            write_own(room.folder / BROUGHT, has)
            for file in lessons:
                news.tell(room, seat, "lesson-changed", lesson=file)
    return done


def _brought(room: Room) -> dict[str, dict[str, str]]:
    """Return which version of each lesson every seat was brought last, and note it before anything changes."""
    path, first = room.folder / BROUGHT, _digests(room.folder / COURSE)
    if not path.exists():
        write_own(path, dict.fromkeys(room.seats, first))
    has: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return has


def _bring(
    room: Room,
    seat: str,
    files: Mapping[Path, bytes],
    lessons: list[str],
    before: Mapping[str, str],
    now: Mapping[str, str],
) -> list[str]:
    """Bring the course to one desk, and return the lessons that the participant had touched or has open."""
    ours, in_front = {file: (None, before.get(file), now[file]) for file in lessons}, _in_front(room, seat)
    touched = [
        file for file in lessons
        if (digest := _digest(room, seat, file)) not in ours[file] or (digest is not None and file in in_front)
    ]  # fmt: skip
    laid = {path: content for path, content in files.items() if path.parts[0] == ASIDE or str(path) in lessons}
    laid |= {path: content for path, content in files.items() if path.suffix != ".ipynb" and path.parts[0] != ASIDE}
    for file in touched:
        content = laid.pop(Path(file))
        laid[Path(_beside(file, content))] = content

    def work() -> None:
        for path, content in laid.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.unlink(missing_ok=True)
            with part.open("xb") as file:
                file.write(content)
            part.replace(path)

    as_seat(room.people.owner(seat), room.home(seat), work)
    return touched


def _in_front(room: Room, seat: str) -> set[str]:
    """Return the lessons that a participant had in front a moment ago."""
    found, position, since = set[str](), 0, time.time() - _OPEN
    for _ in range(_READS):
        told, after = events(room, seat, position)
        found |= {str(one.get("lesson")) for one in told if one["event"] == "opened" and one["at"] > since}
        if after == position:
            break
        position = after
    return found


def _beside(file: str, content: bytes) -> str:
    """Return a name for a new version beside a participant's own: the same version has the same name."""
    return f"{Path(file).stem} (new version {hashlib.sha256(content).hexdigest()[:6]}).ipynb"


def _digest(room: Room, seat: str, file: str) -> str | None:
    """Return what a seat's lesson hashes to, or None where it is not there."""
    if not os.path.lexists(room.home(seat) / file):
        return None
    with opened(room, seat, Path(file)) as handle:
        if handle < 0 or os.fstat(handle).st_size > _LARGEST:
            return ""  # something else has its name: that is the participant's
        with os.fdopen(os.dup(handle), "rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    about: dict[str, Any] = json.loads((folder / ASIDE / ABOUT).read_text(encoding="utf-8"))
    return {lesson["file"]: lesson["sha256"] for lesson in about["lessons"]}


def _replace(folder: Path, files: Mapping[Path, bytes]) -> None:
    """Replace the room's own copy file by file: seats see this very folder, another in its place they would not."""
    for path, content in files.items():
        for parent in reversed((folder / path).relative_to(folder).parents):
            (folder / parent).mkdir(mode=0o755, exist_ok=True)
        write_bytes(folder / path, content)
        (folder / path).chmod(0o644)
