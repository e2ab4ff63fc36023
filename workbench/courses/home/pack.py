"""One participant's bundle: a zip with their notebooks, what checks them, and a page that says how to go on.

What checks lessons comes from the room's own course, so that it is whole even where a participant deleted theirs.
Called for each seat when everybody's work is collected.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..desk import ASIDE, HAPPENED, LANGUAGE, course_files
from ..room.folder import COURSE, Room
from . import evidence
from .pages import render
from .record import Record
from .tree import Budget, files, safe

#: In a bundle: how to go on, the record, and the room's own copies of notebooks.
HOME, RECORD, KEPT = "HOME.html", "completion-record", "kept"
_OURS = (HOME, KEPT, f"{RECORD}.json", f"{RECORD}.html")
_PIECE = 2**20
#: Seconds since 1970 that a zip can say of a file [1980 to 2107], a day within: its times are local.
_EARLIEST, _LATEST = calendar.timegm((1980, 1, 2, 0, 0, 0)), calendar.timegm((2107, 12, 30, 0, 0, 0))
_SHA256 = re.compile(r"[0-9a-f]{64}")


def pack(room: Room, seat: str, record: Record | None, target: Path) -> Budget:
    """Write a seat's bundle, and return what was left out of it.

    Parameters
    ----------
    record : Record or None
        The seat's completion record, if anybody sat there.
    target : Path
        The zip; written as it goes, so name one that nobody looks at yet.
    """
    budget = Budget()
    about = evidence.course(room)
    top = name_of(about, seat)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        language = record.achievement.inLanguage if record else about["course"]["languages"][0]
        _text(archive, f"{top}/{HOME}", page(about, top, language, record))
        if record:
            _text(archive, f"{top}/{RECORD}.json", record.model_dump_json(indent=2) + "\n")
            _text(archive, f"{top}/{RECORD}.html", render("record", language, records=[record]))
        absent = dict(course_files(room.folder / COURSE))
        for name, file in files(room.home(seat), budget, frozenset({ASIDE})):
            absent.pop(name, None)
            if name.partition("/")[0] in _OURS:
                budget.leave(name, "the bundle has something of its own by that name")
            else:
                _copy(archive, f"{top}/{name}", file)
        for name, path in absent.items():  # deleted, and lessons need it
            archive.write(path, f"{top}/{name}")
        _aside(archive, room, seat, top, language)
        for name, path in _kept(room, seat):
            with path.open("rb") as stream:
                if budget.takes(name, os.fstat(stream.fileno())):
                    _copy(archive, f"{top}/{KEPT}/{name}", stream.fileno())
    return budget


def name_of(about: dict[str, Any], seat: str) -> str:
    """Return what a bundle is called, and the folder in it: the course and the seat."""
    return f"{about['name']}-{seat}"


def page(about: dict[str, Any], top: str, language: str, record: Record | None) -> str:
    """Return the page that says how to go on at home."""
    course = about["course"]
    extras = course.get("requires", [])
    needs = f'"genai4eu[{",".join(extras)}]"' if extras else "genai4eu"
    shown = {"title": course["title"].get(language) or next(iter(course["title"].values())), "folder": top}
    lessons = [
        {"file": lesson["file"], "title": lesson["title"].get(language) or next(iter(lesson["title"].values()))}
        for lesson in course["lessons"]
    ]
    return render("home", language, **shown, needs=needs, extras=extras, lessons=lessons, record=record, named=RECORD)


def _aside(archive: zipfile.ZipFile, room: Room, seat: str, top: str, language: str) -> None:
    """Write what checks lessons, what happened, and the language."""
    course = room.folder / "course" / ASIDE
    for path in sorted(course.rglob("*")):
        if path.is_file():
            archive.write(path, f"{top}/{ASIDE}/{path.relative_to(course).as_posix()}")
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in evidence.events(room, seat))
    _text(archive, f"{top}/{ASIDE}/{HAPPENED}", lines)
    _text(archive, f"{top}/{ASIDE}/{LANGUAGE}", language)


def _kept(room: Room, seat: str) -> Iterator[tuple[str, Path]]:
    """Yield name and file of each of the room's own copies, each content once, the newest first."""
    seen: set[tuple[str, str]] = set()
    for copy in sorted(evidence.copies(room, seat), key=lambda copy: -float(copy["at"])):
        stem, digest = Path(str(copy["file"])).stem, str(copy["sha256"])
        path = room.folder / evidence.KEPT / seat / f"{digest}.ipynb"
        if (stem, digest) not in seen and _SHA256.fullmatch(digest) and path.is_file():
            seen.add((stem, digest))
            when = time.strftime("%Y-%m-%d %H.%M.%S", time.localtime(float(copy["at"])))
            yield safe(f"{stem} ({when}) {digest[:6]}.ipynb"), path


def _copy(archive: zipfile.ZipFile, name: str, file: int) -> None:
    """Write a file as long as it is now, and not a byte of what is added meanwhile."""
    about = os.fstat(file)
    entry = zipfile.ZipInfo(name, time.localtime(min(max(about.st_mtime, _EARLIEST), _LATEST))[:6])
    entry.compress_type, entry.external_attr, entry.file_size = zipfile.ZIP_DEFLATED, 0o100644 << 16, about.st_size
    left = about.st_size
    with archive.open(entry, "w") as out:
        while left and (piece := os.read(file, min(_PIECE, left))):
            out.write(piece)
            left -= len(piece)


def _text(archive: zipfile.ZipFile, name: str, content: str) -> None:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
    archive.writestr(entry, content.encode(errors="backslashreplace"))


def digest(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
