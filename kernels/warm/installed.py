"""Whether what the template imported is still what is installed. Asked by the template before it serves."""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

_WATCHED = (".dist-info", ".egg-info", ".pth")


class Installed:
    """What was installed when this was made, and the files of code that is worked on.

    Costs a look at a few folders when nothing has changed.
    """

    def __init__(self) -> None:
        self._folders = [
            folder for folder in dict.fromkeys(sys.path) if os.access(folder, os.R_OK) and Path(folder).is_dir()
        ]
        self._times = self._folder_times()
        self._entries = self._listing()
        self._files = {path: _stamp(path) for path in (*_own_code(), os.path.realpath(sys.executable))}
        self._asked = time.monotonic()

    def changed(self) -> str | None:
        """Return what has changed since, or None. Looks at most four times a second."""
        if time.monotonic() - self._asked < 0.25:
            return None
        self._asked = time.monotonic()
        for path, stamp in self._files.items():
            if _stamp(path) != stamp:
                return Path(path).name
        times = self._folder_times()
        if times == self._times:
            return None
        entries = self._listing()
        different = entries.items() ^ self._entries.items()
        self._times = times
        return min(name for name, _ in different) if different else None

    def _folder_times(self) -> list[object]:
        return [_stamp(folder) for folder in self._folders]

    def _listing(self) -> dict[str, object]:
        """Return what marks each installed version: a folder ``name-version.dist-info`` and when it was made."""
        found: dict[str, object] = {}
        for folder in self._folders:
            if Path(folder).is_dir():
                with os.scandir(folder) as entries:
                    found |= {entry.name: _stamp(entry.path) for entry in entries if _marks(entry.name)}
        return found


def _marks(name: str) -> bool:
    return name.endswith(_WATCHED) or name.startswith("__editable__")


def _own_code() -> Iterator[str]:
    """Yield the files of loaded modules that are not installed but worked on: editable installs, ours among them."""
    shipped = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and path.endswith(".py") and not path.startswith(shipped):
            yield path


def _stamp(path: str) -> object:
    try:
        about = os.stat(path)  # noqa: PTH116  # hundreds of them for each start
    except OSError:  # gone: that is a change, too
        return None
    return about.st_mtime_ns, about.st_ino
