"""What Slurm says about this user's jobs: one squeue for all relays on this computer. Used by relay and command line.

Each relay wants to know about one job. They share a file: whoever finds it too old asks for all, the others read. A
file says when it was made in monotonic time, which all processes of a computer share and no clock setting moves.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import KernelsError
from ..files import write_json
from .commands import SlurmDown, SlurmRefused, acall
from .queued import Job, about_queue, parse, places, questions, waiting_in

#: Seconds between two questions to Slurm: while something is about to happen, and while a kernel runs or waits long.
SOON, SELDOM = 2.0, 10.0


@dataclass(frozen=True)
class Snapshot:
    """All jobs of this user at one moment. ``error`` says why they are unknown, when they are."""

    made: float
    jobs: dict[str, Job]
    error: str = ""

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.made


class SharedQueue:
    """The file that all relays of this user on this computer share."""

    def __init__(self, folder: Path | None = None) -> None:
        which = hashlib.sha256(os.environ.get("SLURM_CONF", "").encode()).hexdigest()[:8]
        self._file = (folder or private_folder()) / f"squeue-{which}.json"

    async def look(self, age: float) -> Snapshot:
        """Return a snapshot that is at most ``age`` seconds old where Slurm answers; else the one there is."""
        last = self._read()
        if last is not None and last.age < self._patience(last, age):
            return last
        with self._turn() as mine:
            if mine:
                last = self._read()  # somebody may have asked while we came here
                if last is None or last.age >= self._patience(last, age):
                    last = await self._ask(last)
        while last is None:  # the first one of all is on its way
            await asyncio.sleep(0.2)
            last = self._read()
            if last is None and self._free():
                return Snapshot(time.monotonic(), {}, "squeue has not answered yet")
        return last

    @staticmethod
    def _patience(last: Snapshot, age: float) -> float:
        return max(age, SELDOM) if last.error else age  # a controller in trouble is left in peace

    def _free(self) -> bool:
        with self._turn() as mine:
            return mine

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(handle)

    async def _ask(self, last: Snapshot | None) -> Snapshot:
        try:
            jobs = parse(await acall("squeue", *questions(), timeout=30))
            if waits := waiting_in(jobs):
                jobs = places(jobs, await acall("squeue", *about_queue(waits), timeout=30))
            now = Snapshot(time.monotonic(), jobs)
        except (SlurmDown, SlurmRefused) as error:
            now = Snapshot(
                time.monotonic(),
                last.jobs if last else {},
                error.reason if isinstance(error, SlurmDown) else str(error),
            )
        made = {"made": now.made, "error": now.error, "jobs": [job.__dict__ for job in now.jobs.values()]}
        write_json(self._file, made, 0o600)
        return now

    def _read(self) -> Snapshot | None:
        try:
            content: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
            jobs = {job["id"]: Job(**job) for job in content["jobs"]}
            return (
                Snapshot(float(content["made"]), jobs, str(content["error"]))
                if content["made"] < time.monotonic()
                else None
            )
        except (OSError, ValueError, LookupError, TypeError):  # absent, or of another version: it will be written
            return None


def private_folder() -> Path:
    """Return a folder on this computer that is this user's alone; locks on shared storage may not work.

    Raises
    ------
    KernelsError
        If somebody else has put something in its place.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime and os.access(runtime, os.W_OK) else Path(tempfile.gettempdir())
    folder = base / f"genai4eu-slurm-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise KernelsError(f"{folder} is not a folder of yours alone: remove it, or set XDG_RUNTIME_DIR")
    return folder
