"""The relay's end of the pipe to its watcher. Used by ``relay``; the other end is ``watcher.py``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from ..handover import path_of
from .commands import environment, find


class Watched:
    """Tells the watcher what there would be to clean up."""

    def __init__(self, connection_file: Path) -> None:
        self._handover = path_of(connection_file.resolve())
        self._process: subprocess.Popen[str] | None = None

    def start(self, name: str, folder: Path) -> None:
        """Start the watcher in its own session, holding nothing of ours but the pipe whose end it waits for."""
        program = Path(__file__).with_name("watcher.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            text=True,
        )
        job = {"name": name, "folder": str(folder), "handover": str(self._handover)}
        self.tell(json.dumps({**job, "scancel": find("scancel"), "env": environment("scancel")}))

    def tell(self, line: str) -> None:
        """Say what ``watcher.py`` understands."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher; the relay can do without
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
