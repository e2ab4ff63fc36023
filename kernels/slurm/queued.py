"""Jobs as squeue lists them, and the places of the waiting ones. Used by ``snapshot``, and by ``jobs`` for the user."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from .commands import call

PREFIX = "genai4eu-"
#: A user may well call a job of their own genai4eu-train.
_OURS = re.compile(r"genai4eu-[a-z0-9][a-z0-9_-]*-[0-9a-f]{8}")
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
    def ours(self) -> bool:
        """Whether it is the job of a kernel."""
        return _OURS.fullmatch(self.name) is not None

    @property
    def over(self) -> bool:
        """Whether the job has ended, for whatever reason."""
        return self.state in _GONE


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


def questions() -> list[str]:
    """Return squeue's arguments for all jobs of this user."""
    return ["--noheader", "--states=all", f"--user={os.getuid()}", f"--format={_FORMAT}"]


def ours_now() -> list[Job]:
    """Return this user's kernel jobs as they are now, in the order of their ids. Called by the command line.

    Raises
    ------
    KernelsError
        If Slurm does not answer.
    """
    jobs = parse(call("squeue", *questions()))
    if waits := waiting_in(jobs):
        jobs = places(jobs, call("squeue", *about_queue(waits)))
    return sorted((j for j in jobs.values() if j.ours), key=lambda j: _order(j.id))


def waiting_in(jobs: dict[str, Job]) -> set[str]:
    """Return the partitions in which kernels of ours wait."""
    ours = (j for j in jobs.values() if j.state == "PENDING" and j.ours)
    return {partition for job in ours for partition in job.partition.split(",")}


def about_queue(partitions: set[str]) -> list[str]:
    """Return squeue's arguments for all that waits in some partitions, whoever's it is."""
    return ["--noheader", "--states=PENDING", f"--partition={','.join(sorted(partitions))}", f"--format={_PENDING}"]
