"""Cancels a job whose relay was killed. Started by the relay, in a session of its own.

``shutdown_kernel(now=True)`` kills the relay's whole process group, so that nobody in it can clean up. This program
waits for its standard input to end, which the operating system sees to. It is run as a file, with the standard library
alone, so that it stays small. The first line is JSON with ``name, folder, handover, scancel, env``; then come ``id
NUMBER`` when Slurm has the job, ``handed`` when the next relay is to adopt it, ``ended`` when the job is over, and
``done`` when there is nothing to clean up.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

#: Seconds for which a job handed over waits for the relay that adopts it.
ADOPTION = 30
#: Seconds between tries: quick ones, as sbatch may be under way, then a quarter of an hour, for a controller that is
#: down.
PAUSES = (0, 1, 1, 2, 4, 8, *([15] * 60))


def cancel(job: dict[str, Any], number: str) -> bool:
    """Cancel the job; return whether that is settled."""
    which = [number] if number else [f"--name={job['name']}", f"--user={os.getuid()}"]
    try:
        done = subprocess.run(
            [job["scancel"], *which],
            env=job["env"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 or "nvalid job id" in done.stderr


def adopted(handover: Path) -> bool:
    """Wait for the next relay; return whether it took the job. Whoever removes the file has it."""
    deadline = time.monotonic() + ADOPTION
    while time.monotonic() < deadline and handover.exists():
        time.sleep(0.2)
    try:
        handover.unlink()
    except FileNotFoundError:
        return True
    return False


def main() -> None:
    """Wait for the end of the relay, then clean up if it did not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = json.loads(sys.stdin.readline() or "{}")
    said = sys.stdin.read().splitlines()
    if not job or "done" in said:
        return
    if ("handed" in said or "ended" in said) and (adopted(Path(job["handover"])) or "ended" in said):
        return
    number = next((line[3:] for line in said if line.startswith("id ")), "")
    for trial, pause in enumerate(PAUSES):
        time.sleep(pause)
        settled = cancel(job, number)
        if settled and (number or trial >= 4):  # without a number sbatch may still have been at work
            break
    shutil.rmtree(job["folder"], ignore_errors=True)


if __name__ == "__main__":
    main()
