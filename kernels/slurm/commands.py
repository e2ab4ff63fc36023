"""Runs Slurm's own programs, without what the caller's environment could change in them. Used by all here."""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Mapping

from ..errors import KernelsError

#: What sbatch sees, and hands on to the job. Everything else stays here: SBATCH_* and SLURM_* would change the request
#: (a gateway may itself run inside a job), and the rest may hold secrets that are none of the job's business.
_KEPT = ("SLURM_CONF", "LD_LIBRARY_PATH", "LANG", "TZ")
_DOWN = (
    "contact slurm control", "connection refused", "timed out", "connection failure", "zero bytes", "cannot stat",
    "configuration source", "configuration file",
)  # fmt: skip
#: What Slurm names when one wish is wrong; where it names none of them, the whole was too much.
_NAMED = (
    "partition", "account", "qos", "time", "gres", "constraint", "feature", "option", "argument", "invalid",
    "unrecognized", "permission",
)  # fmt: skip


class SlurmDown(KernelsError):
    """The controller does not answer, or nobody knows where it is; what it knows of a job is unknown, not lost."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Slurm does not answer ({reason}): check SLURM_CONF, or ask the operator of the cluster")
        self.reason = reason


class SlurmRefused(KernelsError):
    """Slurm answered, and said no."""

    @property
    def remedy(self) -> str:
        """What to do about a job that was refused, by what Slurm says of it."""
        if any(word in str(self).lower() for word in _NAMED):
            return "change the option that it names"
        return "ask for less (cpus, memory, gpus, nodes), or another partition"


def environment(program: str) -> dict[str, str]:
    """Return the few variables that a program of Slurm's needs. A job starts with sbatch's, then reads its profile."""
    me = pwd.getpwuid(os.getuid())
    basics = {"HOME": me.pw_dir, "USER": me.pw_name, "LOGNAME": me.pw_name, "SHELL": me.pw_shell or "/bin/sh"}
    kept = {name: os.environ[name] for name in _KEPT if os.environ.get(name)}  # an empty SLURM_CONF costs a minute
    shown = {} if program == "sbatch" else {"LC_ALL": "C", "SLURM_TIME_FORMAT": "%s"}  # for what we read, not for jobs
    return {**basics, "PATH": "/usr/local/bin:/usr/bin:/bin", **kept, **shown}


def find(program: str) -> str:
    """Return the path of one of Slurm's programs.

    Raises
    ------
    KernelsError
        If it is not on the PATH.
    """
    path = shutil.which(program)
    if path is None:
        raise KernelsError(f"{program} is not on this computer: use a login node, or put Slurm's programs on the PATH")
    return path


def call(
    program: str,
    *arguments: str,
    text: str | None = None,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program of Slurm's, with ``env`` more in its environment; return what it printed. For the command line.

    Raises
    ------
    SlurmDown, SlurmRefused
        With Slurm's own words.
    """
    given = text.encode() if text is not None else b""
    try:
        done = subprocess.run(
            [find(program), *arguments],
            input=given,
            capture_output=True,
            env={**environment(program), **(env or {})},
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SlurmDown(f"{program} took longer than {timeout:.0f} s") from None
    return _answer(program, done.returncode, done.stdout, done.stderr)


async def acall(program: str, *arguments: str, text: str | None = None, timeout: float = 60) -> str:
    """Do as ``call`` without blocking. Called by the relay; the program ends with the task that waits for it."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        find(program),
        *arguments,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment(program),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout):
            out, err = await process.communicate((text or "").encode())
    except TimeoutError:
        raise SlurmDown(f"{program} took longer than {timeout:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _answer(program, process.returncode or 0, out, err)


def _answer(program: str, status: int, out: bytes, err: bytes) -> str:
    """Return the output, or raise what the program complained of, in one line without its prefixes."""
    if status == 0:
        return out.decode("utf-8", "replace")
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    said = [re.split(r"\b(?:error|fatal):", line, maxsplit=1)[-1].strip() for line in lines] or [f"exit code {status}"]
    if any(word in " ".join(said).lower() for word in _DOWN):
        raise SlurmDown(f"{program}: {said[-1][:200]}")
    raise SlurmRefused(f"{program}: {' '.join(said[:3])[:400]}")
