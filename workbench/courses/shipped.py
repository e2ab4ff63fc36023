"""The courses that ship with the workbench: found by name, listed, and copied to become one's own.

Called by the command line, which takes such a name wherever it takes a course's folder.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from ..errors import WorkbenchError
from .course import FILE, Course


def shipped() -> dict[str, Path]:
    """Return the folders of the courses that ship, by name."""
    place = Path(str(files("genai4eu.notebooks"))) / "courses"
    return {path.parent.name: path.parent for path in sorted(place.glob(f"*/{FILE}"))}


def named(name: str | Path) -> Path:
    """Return a course's folder: the one that is named, or else the course of that name that ships.

    Raises
    ------
    WorkbenchError
        If there is neither.
    """
    folder, known = Path(name), shipped()
    if (folder / FILE).is_file() or str(name) not in known:
        if not folder.exists():
            raise WorkbenchError(
                f"{name} is no folder, and no course of that name ships: "
                f"name a course's folder, or one of {', '.join(known)} ('genai4eu course list')"
            )
        return folder
    return known[str(name)]


def beside(course: Course, ending: str) -> Path:
    """Return where something is written that belongs to a course: beside it, or here where it came with the workbench.

    Parameters
    ----------
    ending : str
        What is added to the course's name, as ``room``.
    """
    place = Path.cwd() if course.folder in shipped().values() else course.folder.parent
    return place / f"{course.name}-{ending}"


def copy(name: str, folder: Path) -> Path:
    """Copy a course that ships into a new folder, to be changed there.

    Raises
    ------
    WorkbenchError
        If no course of that name ships, or something is in the way.
    """
    if name not in (known := shipped()):
        raise WorkbenchError(f"no course {name!r} ships: there are {', '.join(known)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WorkbenchError(f"{folder} is there already: name another folder")
    whole = folder.absolute()
    begun = whole.with_name(f".{whole.name}.part")
    try:
        shutil.rmtree(begun, ignore_errors=True)
        shutil.copytree(known[name], begun, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        if whole.exists():
            whole.rmdir()
        begun.rename(whole)
    except OSError as error:
        shutil.rmtree(begun, ignore_errors=True)
        raise WorkbenchError(f"{folder} cannot be written ({error.strerror}): name another folder") from None
    return whole
