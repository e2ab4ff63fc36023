"""Jobs that run a program of ours to its end, with nobody connected. Called by the workbench for runs and sweeps.

``submit`` asks for one, or for a job array; ``look`` tells how many of them fare, in one question to Slurm; ``cancel``
ends them. A job gets as little of the caller's environment as a kernel's job does (``commands.environment``), and what
``env`` names. Inside the job the program sees ``SLURM_JOB_ID`` and, in an array, ``SLURM_ARRAY_JOB_ID`` and
``SLURM_ARRAY_TASK_ID``; it gets SIGUSR1 before the end of its time, and SIGTERM when Slurm ends it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import KernelsError
from .commands import SlurmDown, SlurmRefused, call
from .options import Options
from .queued import Job, about_queue, parse, places, questions
from .script import running, wishes

#: Seconds before the end of a job's time at which it is told.
NOTICE = 120
#: Seconds between tries to submit while the controller does not answer.
_TRIES = (1, 2, 4, 8)
_NAME = re.compile(r"genai4eu\.[A-Za-z0-9._-]{1,180}", re.ASCII)


def submit(
    options: Options,
    command: Sequence[str],
    name: str,
    folder: Path,
    array: Iterable[int] | None = None,
    throttle: int | None = None,
    *,
    env: Mapping[str, str] | None = None,
    requeue: bool = False,
) -> str:
    """Ask Slurm for a job, and return its number.

    Parameters
    ----------
    options : Options
        The target's wishes.
    command : sequence of str
        Words after the target's interpreter (in its container), such as ``["-P", "-m", "genai4eu", "runs", …]``.
    name : str
        ``genai4eu.`` and letters, digits, ``._-``; unlike that of any other job, because a job whose number was lost
        is found by it.
    folder : Path
        Folder that login node and compute nodes share; the job's own words go to ``job.log`` in it, those of the task
        ``N`` of an array to ``job-N.log``.
    array : iterable of int, optional
        Numbers of the tasks; a task is ``NUMBER_TASK`` to Slurm, ``look`` and ``cancel``. See ``largest``.
    throttle : int, optional
        Tasks that may run at the same time.
    env : mapping, optional
        Variables that the job gets beside its own. They stand in no script and no process list.
    requeue : bool
        Whether Slurm starts the job again (as the same number, with ``SLURM_RESTART_COUNT``) when its node failed or a
        job of higher priority took its place.

    Raises
    ------
    KernelsError
        In one line: what Slurm refuses and the remedy, or that it does not answer. There is no job then.
    """
    if not _NAME.fullmatch(name):
        raise KernelsError(f"{name[:80]!r} cannot name a job: use genai4eu. and letters, digits, dots, _ and -")
    tasks = None if array is None else spans(array)
    asked = _arguments(options, name, folder, tasks, throttle, requeue)
    for pause in (*_TRIES, None):
        try:
            said = call("sbatch", *asked, text=running(options, command), timeout=120, env=env)
            return said.strip().splitlines()[-1].split(";")[0]
        except SlurmRefused as error:
            raise KernelsError(f"Slurm would not take the job ({error}): {_remedy(error, tasks)}") from None
        except SlurmDown:
            if pause is None:
                raise
            time.sleep(pause)
            if number := find(name):  # it had arrived, only the answer was lost
                return number
    raise AssertionError("unreachable")


def _arguments(
    options: Options, name: str, folder: Path, tasks: str | None, throttle: int | None, requeue: bool
) -> list[str]:
    if "\\" in str(folder):
        raise KernelsError(f"{folder} cannot hold a job's files, sbatch reads \\: use another folder")
    log = str(folder).replace("%", "%%") + ("/job.log" if tasks is None else "/job-%a.log")
    ours = {
        "job-name": name, "output": log, "open-mode": "append", "signal": f"B:USR1@{NOTICE}", "export": "ALL",
        "array": tasks and tasks + (f"%{throttle}" if throttle else ""),
    }  # fmt: skip
    given = [f"--{key}={value}" for key, value in ours.items() if value]
    return ["--parsable", "--requeue" if requeue else "--no-requeue", *given, *wishes(options)]


def _remedy(error: SlurmRefused, tasks: str | None) -> str:
    if tasks is not None and "array" in str(error).lower():
        return f"this cluster takes tasks up to number {largest()}: use fewer at a time"
    return error.remedy


def spans(numbers: Iterable[int]) -> str:
    """Return numbers as Slurm writes them, ``0-4,7``."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if number < 0:
            raise KernelsError(f"{number} cannot be the number of a task: count from 0")
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    if not parts:
        raise KernelsError("a job array without tasks is none: name at least one")
    return ",".join("-".join(map(str, part)) for part in parts)


def largest() -> int:
    """Return the largest number that a task of an array can have here."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", call("scontrol", "show", "config"), re.MULTILINE)
    return int(found[1]) - 1 if found else 1000


def look(places_too: bool = False) -> dict[str, Job]:
    """Return all of this user's jobs that Slurm remembers, by number; a task of an array as ``NUMBER_TASK``.

    Slurm forgets a job some minutes after its end (``ended`` may know more), and at once the task of an array that was
    cancelled before it began.

    Parameters
    ----------
    places_too : bool
        Whether to ask a second time, for the places of our waiting jobs in their queues.

    Raises
    ------
    KernelsError
        If Slurm does not answer.
    """
    jobs = parse(call("squeue", "--array", *questions(), timeout=30))
    waiting = {part for job in jobs.values() if job.state == "PENDING" for part in job.partition.split(",")}
    if places_too and waiting:
        jobs = places(jobs, call("squeue", *about_queue(waiting), timeout=30))
    return jobs


def find(name: str) -> str:
    """Return the number of the job called ``name``, or nothing where Slurm knows none or does not answer."""
    try:
        found = call("squeue", "--noheader", "--states=all", f"--name={name}", "--format=%F").split()
    except KernelsError:
        return ""
    return found[0] if found else ""


def ended(numbers: Iterable[str]) -> dict[str, str]:
    """Return the final states of jobs that ``look`` knows no more, from Slurm's accounts where there are any."""
    wanted = ",".join(numbers)
    if not wanted:
        return {}
    try:
        said = call("sacct", "-X", "--noheader", "--parsable2", f"--jobs={wanted}", "--format=JobID,State", timeout=30)
    except KernelsError:  # no accounts are kept here
        return {}
    rows = (line.split("|") for line in said.splitlines())
    return {row[0]: row[1].split()[0] for row in rows if len(row) == 2 and row[1]}


def cancel(numbers: Iterable[str], patience: float = 60) -> None:
    """Take jobs (or tasks) out of the queue, or end them; those that are over already are left in peace.

    Raises
    ------
    KernelsError
        If Slurm does not answer, or they are somebody else's.
    """
    wanted = list(numbers)
    for first in range(0, len(wanted), 500):  # an argument list has an end
        try:
            call("scancel", "--quiet", *wanted[first : first + 500], timeout=patience)
        except SlurmRefused as error:
            if "nvalid job id" not in str(error):
                raise


def why(number: str) -> str:
    """Return what Slurm ends a running job for: ``TIMEOUT``, ``PREEMPTED``, ``REQUEUED``, ``CANCELLED``, or nothing.

    Asked by the program inside the job when it gets SIGTERM, while the state is only "completing". A job that is put
    back into the queue, for one of higher priority as a rule, is known by having one start more than the program knows.
    """
    try:
        shown = call("scontrol", "show", "job", number, timeout=5)
    except KernelsError:
        return ""
    about: dict[str, str] = dict(re.findall(r"\b(JobState|Reason|PreemptTime|Restarts)=(\S+)", shown))
    if about.get("JobState") in ("TIMEOUT", "PREEMPTED", "CANCELLED", "NODE_FAIL"):
        return about["JobState"]
    if int(about.get("Restarts", 0)) > int(os.environ.get("SLURM_RESTART_COUNT", "0")):
        return "REQUEUED"
    if about.get("Reason") == "TimeLimit":
        return "TIMEOUT"
    return "PREEMPTED" if about.get("PreemptTime", "None") != "None" else "CANCELLED"


def remaining(number: str) -> float | None:
    """Return the seconds that a running job has left, by the clock of the node that asks; ``None`` if unknown."""
    try:
        job = parse(call("squeue", "--array", f"--jobs={number}", *questions(), timeout=10)).get(number)
    except KernelsError:
        return None
    return None if job is None or job.end is None else job.end - time.time()


def finally_requeued(number: str) -> None:
    """Let Slurm start this job no more: its last attempt has begun.

    Raises
    ------
    KernelsError
        If Slurm does not answer; the program then counts its attempts itself.
    """
    call("scontrol", "update", f"JobId={number}", "Requeue=0", timeout=10)
