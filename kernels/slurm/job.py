"""One job of a relay: submitted, found, cancelled, and why it ended. The kernel inside is another object: ``agent``."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import zmq

from ..errors import KernelsError
from ..files import write_json
from .commands import SlurmDown, SlurmRefused, acall
from .options import Options
from .queued import PREFIX
from .script import arguments, script

#: Seconds between tries to submit while the controller does not answer.
_TRIES = (2, 4, 8, 16, 30)
#: Seconds for which sbatch may take before the user is told.
_SLOW = 3.0
_OLD = 14 * 86400
#: How a job's log ends whose interpreter, kernelspec or genai4eu is not on the node.
_NOT_THERE = re.compile(r"No such file|not found|annot execute|ermission denied|No such kernel|No module named")
_WORDS = {
    "TIMEOUT": "its time is up; ask for more with --time",
    "CANCELLED": "it was cancelled",
    "NODE_FAIL": "its node failed",
    "PREEMPTED": "a job of higher priority took its place",
    "OUT_OF_MEMORY": "it used more memory than it had; ask for more with --memory",
    "DEADLINE": "it could not end before its deadline",
    "BOOT_FAIL": "its node did not boot",
}
#: Why a job failed that left no word of its own, in plain words.
_REASONS = {
    "JobLaunchFailure": "its node could not begin it, or crashed: start the kernel again; where that happens again, "
    "tell the cluster's operators",
    "NodeDown": "its node went down: start the kernel again",
    "Prolog": "the cluster's own preparation of the node failed: tell the cluster's operators",
}
_SILENT = "it left no word: start the kernel again, or ask the cluster's operators about this job"


class SlurmJob:
    """A job with a name of its own, a folder that login node and compute nodes share, and the key to its agent."""

    def __init__(self, options: Options, name: str, folder: Path, keys: tuple[str, str], number: str = "") -> None:
        self.options = options
        self.name = name
        self.folder = folder
        self.keys = keys
        self.number = number

    @classmethod
    def fresh(cls, options: Options, target: str) -> SlurmJob:
        """Return a job that is not submitted yet, with its folder made."""
        base = Path(options.folder) if options.folder else platformdirs.user_state_path("genai4eu") / "slurm"
        if re.search(r"[%\\]", str(base)):
            raise KernelsError(f"{base} cannot hold a job's files, sbatch reads % and \\: name another --folder")
        tag = secrets.token_hex(4)
        folder = base / f"{target}-{tag}"
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise KernelsError(f"{base} cannot hold a job's files ({error.strerror}): name another --folder") from None
        _sweep(base)
        public, secret = zmq.curve_keypair()
        return cls(options, f"{PREFIX}{target}-{tag}", folder, (public.decode(), secret.decode()))

    def handed(self) -> dict[str, Any]:
        """Return what the next relay needs to go on with this job."""
        return {"name": self.name, "folder": str(self.folder), "keys": list(self.keys), "number": self.number}

    @classmethod
    def adopted(cls, options: Options, given: dict[str, Any]) -> SlurmJob:
        """Return the job that the relay before handed over."""
        return cls(options, given["name"], Path(given["folder"]), tuple(given["keys"]), given["number"])

    async def submit(self, env: dict[str, str], note: Callable[[str], None]) -> None:
        """Ask Slurm for the job, patiently while its controller is away, which ``note`` is told.

        Raises
        ------
        SlurmRefused, SlurmDown
            With sbatch's own words.
        """
        o = self.options
        wish = {"relay_key": self.keys[0], "kernel": o.kernel, "warm": o.warm, "lease": o.lease, "env": env}
        write_json(self.folder / "job.json", wish, 0o600)
        for pause in (*_TRIES, None):
            slow = asyncio.get_running_loop().call_later(_SLOW, note, "Slurm has not answered yet")
            try:
                asked = arguments(o, self.name, self.folder)
                said = await acall("sbatch", *asked, text=script(o, self.folder), timeout=120)
                self.number = said.strip().splitlines()[-1].split(";")[0]
                return
            except SlurmDown as error:
                note(f"Slurm does not answer ({error.reason})")
                if pause is None:
                    raise
                await asyncio.sleep(pause)
                if await self._is_known():  # it had arrived, only the answer was lost
                    return
            finally:
                slow.cancel()

    async def _is_known(self) -> bool:
        try:
            found = await acall("squeue", "--noheader", f"--name={self.name}", "--format=%i")
        except KernelsError:
            return False
        self.number = found.strip()
        return bool(self.number)

    async def cancel(self) -> None:
        """Take the job out of the queue, or end it."""
        if self.number:
            try:
                await acall("scancel", self.number)
            except SlurmRefused as error:
                if "nvalid job id" not in str(error):  # it is over and forgotten
                    raise

    def agent(self) -> dict[str, Any] | None:
        """Return what the agent wrote, once it has. Listing the folder makes a network file system look again."""
        if "agent.json" not in os.listdir(self.folder):  # noqa: PTH208  # Path.iterdir may be lazy
            return None
        file = self.folder / "agent.json"
        status = file.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
            raise KernelsError(f"{file} is not a file of yours alone: remove the folder and start again")
        about: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return about

    async def why(self, state: str, agent_said: str = "") -> str:
        """Return in one line why the job ended."""
        if state in _WORDS:
            return f"Slurm job {self.number} ended ({state}): {_WORDS[state]}"
        if agent_said:
            return f"Slurm job {self.number} ended: {agent_said}"
        reason, code = await self._ending()
        said = self.last_words() or _REASONS.get(reason, _SILENT)
        return f"Slurm job {self.number} ended ({', '.join(filter(None, (state or 'unknown', reason, code)))}): {said}"

    def _remedy(self) -> str:
        first = "--container, --python" if self.options.container else "--python"
        return f": check {first} and --kernel of the target: genai4eu slurm add replaces it"

    async def _ending(self) -> tuple[str, str]:
        """Return Slurm's reason and the exit code; of a job that Slurm has forgotten nothing, the state must do."""
        try:
            shown = await acall("scontrol", "show", "job", self.number)
        except KernelsError:
            return "", ""
        found = re.search(r"\bReason=(\S+)[\s\S]*?\bExitCode=(\d+):(\d+)", shown)
        if found is None:
            return "", ""
        reason, code, _ = found.groups()
        return reason, "" if code == "0" else f"exit code {code}"  # 0 is of a program that never ran

    def last_words(self) -> str:
        """Return what the job's log ends with, and what to do about it where that is known."""
        try:
            lines = (self.folder / "job.log").read_text("utf-8", "replace").strip().splitlines()
        except OSError:  # it never wrote any
            return ""
        last, before = (lines[-1][:300] if lines else ""), (lines[-2][:300] if len(lines) > 1 else "")
        last = last.removeprefix("genai4eu: ")
        if before and last.endswith((" fails", " does not load")):  # ours; the line before says why
            return f"{last} ({before}): correct it, or the target with genai4eu slurm add"
        return last + (self._remedy() if _NOT_THERE.search(last) else "")

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove what was left of jobs of long ago, when a login node went down."""
    for folder in base.iterdir():
        if folder.is_dir() and time.time() - folder.stat().st_mtime > _OLD:
            shutil.rmtree(folder, ignore_errors=True)
