"""Go on with a course at home: JupyterLab on one's own folder, with checks, hints, progress and the lesson's toolbar.

Needs the light base install alone, unless the lessons compute with more. Called by ``genai4eu course continue``.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from ... import lab
from ...errors import WorkbenchError
from ..desk import ABOUT, ASIDE, VARIABLE, Desk, states
from ..seat import STARTUP, options
from .unpacking import unpack

#: What a room tells its seats; at home there is none.
_OF_ROOMS = ("GENAI4EU_SEAT", "GENAI4EU_NEWS", "GENAI4EU_COURSE_SHARED", "GENAI4EU_FACTORY")


def desk_of(path: Path) -> Desk:
    """Return the desk in a folder, or in a bundle, which is unpacked into the present folder.

    Raises
    ------
    WorkbenchError
        If there is none in it.
    """
    if not path.exists():
        raise WorkbenchError(f"{path} is not there: name the folder of your lessons, or the zip that holds it")
    if path.suffix == ".ipynb":
        raise WorkbenchError(f"{path} is a lesson: name the folder that it lies in, {path.parent}")
    folder = path if path.is_dir() else unpack(path, Path.cwd())
    if not (folder / ASIDE / ABOUT).is_file():
        inside = sorted(p.parents[1] for p in folder.glob(f"*/{ASIDE}/{ABOUT}"))
        hint = f"did you mean {inside[0]}?" if inside else "name the folder that has HOME.html and your lessons"
        raise WorkbenchError(f"{folder} holds no course: {hint}")
    return Desk(folder.absolute())


def missing(extras: Iterable[str]) -> list[str]:
    """Return the packages of extras of genai4eu that are not installed here."""
    wanted = [Requirement(line) for line in importlib.metadata.requires("genai4eu") or []]
    of_extras = [w for extra in extras for w in wanted if w.marker and w.marker.evaluate({"extra": extra})]
    plain = {w.name for w in wanted if not w.marker or w.marker.evaluate({"extra": ""})}
    return sorted({w.name for w in of_extras if w.name not in plain and not _installed(w)})


def start(desk: Desk, port: int, browser: bool) -> None:
    """Become JupyterLab on a desk; Ctrl-C ends it and its kernels."""
    for name in _OF_ROOMS:
        os.environ.pop(name, None)
    os.environ[VARIABLE] = str(desk.folder)
    for name, value in STARTUP.items():
        os.environ.setdefault(name, value)
    os.chdir(desk.folder)
    lab.start(desk.folder, port, browser, desk.folder / _next(desk), more=options())


def _next(desk: Desk) -> str:
    """Return the first lesson that has something left to do, else the first."""
    lessons = desk.about["lessons"]
    found = states(desk)
    left = (x["file"] for x in lessons if any(found[e["name"]] != "passed" for e in x["exercises"]))
    return str(next(left, lessons[0]["file"]))


def _installed(wanted: Requirement) -> bool:
    try:
        return wanted.specifier.contains(importlib.metadata.version(wanted.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False
