"""What a seat sees of this computer: what Python needs, the course, its own folder. Called as a room opens.

Seats are users of their own, so the system keeps them from each other's files already. A view keeps from them that
there are others at all, and lets them read an interpreter that lies in a home which is closed, as root's often is.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genai4eu.kernels.warm.seclusion import seclude

from ...errors import WorkbenchError
from ..shipped import shipped
from .factory import socket_of
from .folder import COURSE, JUPYTER, Room

#: Bytes of shared memory, and of /tmp where that cannot be a folder of the seat's.
_SHARED = 256 << 20
_PACKAGES = ("", ".kernels", ".templates", ".usecases", ".widgets", ".notebooks")
#: A user that is nobody's.
_NOBODY = 65534
#: Where people's folders are: no seat's business, also where they can be read by all.
_PEOPLES = ("/home", "/root", "/srv", "/media", "/mnt")
#: Where each seat has a folder of its own.
_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")


def plan(room: Room, seat: str) -> dict[str, Any]:
    """Return what ``genai4eu.kernels.warm.seclusion`` does for a seat."""
    about, folder = room.about, room.folder.resolve()
    own = [folder / "seats" / seat, folder / "tmp" / seat]
    shared = [folder / COURSE, folder / JUPYTER, folder / "news" / f"{seat}.jsonl"]
    if about.get("factory"):
        shared.append(socket_of(room).parent)
    made = _plan([*needed(), *shared], own, [folder, *_solved(room)])
    return {**made, "temporary": str(own[1])}


def _solved(room: Room) -> Iterator[Path]:
    """Yield folders with lessons in the trainer's version, where solutions and checks can be read."""
    yield from {folder.parent.resolve() for folder in shipped().values()}
    source = room.about.get("source")  # a room of an earlier version does not say
    if source and Path(source).is_dir():
        yield Path(source).resolve()
    root = Path(__file__).resolve().parents[3]
    if (root / "pyproject.toml").is_file():  # a checkout, whose history and tests know them too
        yield root


def needed() -> list[Path]:
    """Return the folders that Python and the workbench read from, as this process does."""
    found = {Path(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path) if path}
    for name in _PACKAGES:
        spec = importlib.util.find_spec(f"genai4eu{name}")
        found |= {Path(place) for place in (spec.submodule_search_locations or ())} if spec else set()
    found |= {path.resolve() for path in found} | {Path(sys.executable).resolve().parent}
    found -= {Path(path) for path in ("/", *_PEOPLES, *_TEMPORARY)}  # of who runs a script there; not shown whole
    there = sorted(path for path in found if path.exists())
    return [path for path in there if not any(other in path.parents for other in there)]


def check() -> str:
    """Return why seats can have no view of their own here; nothing where they can. Called before a room is made.

    Raises
    ------
    WorkbenchError
        If seats could not even read the interpreter then.
    """
    refused, unread = _tried(_plan(needed(), [], []))
    if refused:
        _, unread = _tried(None)
    if unread:
        shut = closed(needed())
        view = f", and this computer gives them no view of their own ({refused})" if refused else ""
        remedy = f"install the workbench elsewhere, or chmod o+x {shut[0]}" if shut else f"chmod o+rX {unread}"
        raise WorkbenchError(f"seats are users of their own and cannot read {unread}{view}: {remedy}")
    return refused


def closed(paths: list[Path]) -> list[Path]:
    """Return the outermost folders on the way to paths that others may not pass."""
    found = {next(_shut(path), None) for path in paths} - {None}
    return sorted(folder for folder in found if folder)


def _shut(path: Path) -> Iterator[Path]:
    yield from (parent for parent in reversed(path.parents) if not parent.stat().st_mode & 0o001)


def _plan(readable: list[Path], writable: list[Path], hidden: list[Path]) -> dict[str, Any]:
    peoples = [Path(path) for path in _PEOPLES if Path(path).is_dir() and not Path(path).is_symlink()]
    found = {*hidden, *peoples, *closed([*readable, *writable, *hidden])}
    hide = sorted(found, key=lambda path: -len(path.parts))  # an inner one before an outer one
    return {
        "hide": [str(path) for path in hide],
        "show": [[str(path), path in writable] for path in (*readable, *writable)],
        "shared": _SHARED,
    }


def _tried(made: dict[str, Any] | None) -> tuple[str, str]:
    """Try a view, or none, as nobody; return why that was refused, and what of the interpreter cannot be read in it."""
    mine, its = os.pipe()
    pid = os.fork()
    if pid == 0:
        told = ("", "")
        try:
            if made is not None:
                seclude(made)
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
            told = ("", _unreadable())
        except Exception as error:  # noqa: BLE001  # told to the parent, whatever it is
            told = (str(error), "")
        finally:
            os.write(its, json.dumps(told).encode())
            os._exit(0)
    os.close(its)
    with os.fdopen(mine, "rb") as said:
        refused, unread = json.loads(said.read())
    os.waitpid(pid, 0)
    return refused, unread


def _unreadable() -> str:
    """Return what of the interpreter this process cannot read: its program, the workbench, the standard library."""
    programs = [Path(sys.executable)]
    texts = [Path(module.__file__) for module in (os, importlib.util, sys.modules[__name__]) if module.__file__]
    for path, how in [*((path, os.X_OK) for path in programs), *((path, os.R_OK) for path in texts)]:
        if not os.access(path, how):
            return str(path)
    return ""
