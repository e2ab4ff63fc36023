"""Waits for what others bring about, and types what a user would. Called by tests of kernels, here and at Slurm."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .forks import shared

#: Stock papermill as a process, without what takes it two seconds to build: a checker that jsonschema imports where it
#: is installed, as it is with us and not with papermill alone, and that nothing asks for.
PAPERMILL = (
    sys.executable, "-P", "-c",
    "import runpy, sys; sys.modules['rfc3987_syntax'] = None\n"
    "runpy.run_module('papermill', run_name='__main__', alter_sys=True)",
)  # fmt: skip


def eventually(fact: Callable[[], object], seconds: float = 90) -> None:
    """Ask again and again until ``fact`` holds; the deadline only ends a test that has failed."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def genai4eu(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    return shared()(*map(str, arguments), cwd=Path.cwd(), timeout=120)
