"""Waits for what others bring about, and types what a user would. Called by tests of kernels, here and at Slurm."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def eventually(fact: Callable[[], object], seconds: float = 30) -> None:
    """Ask again and again until ``fact`` holds; the deadline only ends a test that has failed."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def genai4eu(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    command = [sys.executable, "-P", "-m", "genai4eu", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
