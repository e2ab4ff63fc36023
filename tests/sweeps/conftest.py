"""Sweeps over light notebooks, started as a user would, and watched from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from genai4eu.sweeps.folder import State, Sweep


class Command:
    """A sweep as a process of its own session, and all that it started."""

    def __init__(self, house: Path, *arguments: str | Path) -> None:
        command = [sys.executable, "-P", "-m", "genai4eu", "sweep", *map(str, arguments)]
        self.runs = house / "runs"
        self.process = subprocess.Popen(
            command, cwd=house, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    @property
    def folder(self) -> Path:
        """The sweep's folder, as soon as it is there."""
        eventually(lambda: list(self.runs.glob("sweep-*/sweep.json")))
        return next(self.runs.glob("sweep-*"))

    def points(self) -> list[State]:
        """Return how far the points have come."""
        return Sweep(self.folder).states()

    def running(self) -> list[str]:
        """Return the ids of runs that have a kernel."""
        found = []
        for path in self.runs.glob("*/run.json"):
            info = json.loads(path.read_text())
            if info["status"] == "running" and info["kernel_id"]:
                found.append(info["id"])
        return found

    def family(self) -> list[psutil.Process]:
        """Return every process of the sweep: it, the nursery, workers and kernels, which all inherit one variable."""
        return [p for p in psutil.process_iter() if _variable(p) == str(self.runs)]

    def ended(self, timeout: float = 90) -> tuple[int, str, str]:
        """Wait for the end; return exit code and what it printed."""
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, err

    def nobody_left(self) -> None:
        """Hold that no process of the sweep is left over."""
        eventually(lambda: not [p for p in self.family() if p.pid != os.getpid()], 60)


def _variable(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("GENAI4EU_RUNS") if process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:  # it has just ended
        return None


def eventually(fact: Callable[[], object], seconds: float = 60) -> None:
    """Ask again and again until ``fact`` holds; the deadline only ends a test that has failed."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.fixture
def sweep(house: Path) -> Iterator[Callable[..., Command]]:
    """Start a sweep; what is left of it after the test is ended."""
    begun: list[Command] = []

    def start(*arguments: str | Path) -> Command:
        begun.append(Command(house, *arguments))
        return begun[-1]

    yield start
    for command in begun:
        for process in command.family():
            if process.pid != os.getpid():
                process.send_signal(signal.SIGKILL)
        command.process.wait()
