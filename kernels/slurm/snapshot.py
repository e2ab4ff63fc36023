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
from .commands import SlurmDown, SlurmRefused, acall, call

#: Seconds between two questions to Slurm: while something is about to happen, and while a kernel runs or waits long.
SOON, SELDOM = 2.0, 10.0
PREFIX = "genai4eu-"
# --json differs between Slurm's versions and is ten times as long; this has been the same for many years. The name is
# last: it could hold the separator.
_FORMAT = "%i|%T|%r|%S|%e|%Q|%P|%N|%V|%j"
_PENDING = "%i|%Q|%P|%r"
_GONE = (
    "COMPLETED",
    "FAILED",
    "CANCELLED",
    "TIMEOUT",
    "NODE_FAIL",
    "PREEMPTED",
    "OUT_OF_MEMORY",
    "BOOT_FAIL",
    "DEADLINE",
)
_HELD = ("Dependency", "BeginTime", "JobHeldUser", "JobHeldAdmin")  # these wait for something else than their turn


@dataclass(frozen=True)
class Job:
    """A job as squeue knows it; times in seconds since 1970 by Slurm's clock, ``place`` in the queue from 1 on."""

    id: str
    state: str
    reason: str
    start: int | None
    end: int | None
    priority: int
    partition: str
    nodes: str
    submitted: int | None
    name: str
    place: int | None = None

    @property
    def over(self) -> bool:
        """Whether the job has ended, for whatever reason."""
        return self.state in _GONE


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


def parse(text: str) -> dict[str, Job]:
    """Return the jobs in squeue's output, by id."""
    found = {}
    for line in text.splitlines():
        parts = line.split("|", 9)
        if len(parts) == 10:
            number, state, reason, start, end, priority, partition, nodes, submitted, name = parts
            found[number] = Job(
                number, state, reason, _time(start), _time(end), int(priority) if priority.isdigit() else 0, partition,
                nodes, _time(submitted), name,
            )  # fmt: skip
    return found


def _time(text: str) -> int | None:
    return int(text) if text.isdigit() and int(text) > 0 else None


def places(jobs: dict[str, Job], pending: str) -> dict[str, Job]:
    """Return ``jobs`` with the places of our waiting ones among all that ``pending``, from squeue, lists."""
    queue = [line.split("|", 3) for line in pending.splitlines()]
    waiting = [
        (int(p[1]), p[0], set(p[2].split(","))) for p in queue if len(p) == 4 and p[1].isdigit() and p[3] not in _HELD
    ]
    placed = {}
    for job in jobs.values():
        where = set(job.partition.split(","))
        before = sum(
            bool(where & parts) and (-priority, _order(number)) < (-job.priority, _order(job.id))
            for priority, number, parts in waiting
        )
        mine = job.state == "PENDING" and any(number == job.id for _, number, _ in waiting)
        placed[job.id] = Job(**{**job.__dict__, "place": before + 1 if mine else None})
    return placed


def _order(number: str) -> tuple[int, str]:
    digits = number.split("_")[0]
    return (int(digits) if digits.isdigit() else 0, number)


def _questions() -> list[str]:
    return ["--noheader", "--states=all", f"--user={os.getuid()}", f"--format={_FORMAT}"]


def ours_now() -> list[Job]:
    """Return this user's kernel jobs as they are now, in the order of their ids. Called by the command line.

    Raises
    ------
    KernelsError
        If Slurm does not answer.
    """
    jobs = parse(call("squeue", *_questions()))
    if waits := _waiting(jobs):
        jobs = places(jobs, call("squeue", *_about_queue(waits)))
    return sorted((j for j in jobs.values() if j.name.startswith(PREFIX)), key=lambda j: _order(j.id))


def _waiting(jobs: dict[str, Job]) -> set[str]:
    ours = (j for j in jobs.values() if j.state == "PENDING" and j.name.startswith(PREFIX))
    return {partition for job in ours for partition in job.partition.split(",")}


def _about_queue(partitions: set[str]) -> list[str]:
    return ["--noheader", "--states=PENDING", f"--partition={','.join(sorted(partitions))}", f"--format={_PENDING}"]


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
            jobs = parse(await acall("squeue", *_questions(), timeout=30))
            if waits := _waiting(jobs):
                jobs = places(jobs, await acall("squeue", *_about_queue(waits), timeout=30))
            now = Snapshot(time.monotonic(), jobs)
        except (SlurmDown, SlurmRefused) as error:
            now = Snapshot(time.monotonic(), last.jobs if last else {}, str(error))
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
