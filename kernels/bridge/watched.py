"""The bridge's end of the pipe to its watcher. Used by ``bridge``; the other end is ``watcher.py``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

from ..rest import Gateway


class Watched:
    """Tells the watcher what there would be to clean up."""

    def __init__(self, gateway: Gateway, kernel_id: str) -> None:
        self._kernel = {"url": gateway.url, "token_file": str(gateway.token_file), "kernel_id": kernel_id}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
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
        self.tell(json.dumps(self._kernel))

    def tell(self, line: str) -> None:
        """Say ``up`` when the kernel runs, ``done`` when there is nothing left to clean up."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher; the bridge can do without
                self._process.stdin.write(line + "\n")
                self._process.stdin.flush()
