"""The request to Slurm: sbatch's arguments and the job's script. Used for kernels, batch jobs, ``genai4eu slurm add``.

Values stand in arguments of their own, which no shell reads; the few that must be in the script are quoted there.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from .options import Options

#: Seconds before the end of the job's time at which the agent is told.
NOTICE = 120
#: What to do about a setup script that is not there.
SETUP = "correct --setup of the target, genai4eu slurm add replaces it"


def wishes(options: Options) -> list[str]:
    """Return the target's own arguments of sbatch."""
    given = {
        "partition": options.partition, "account": options.account, "qos": options.qos, "time": options.time,
        "nodes": options.nodes, "ntasks-per-node": 1 if options.nodes else None, "cpus-per-task": options.cpus,
        "mem": options.memory, "gres": f"gpu:{options.gpus}" if options.gpus else "",
    }  # fmt: skip
    return [*(f"--{name}={value}" for name, value in given.items() if value), *options.extra]


def arguments(options: Options, name: str, folder: Path) -> list[str]:
    """Return all arguments of sbatch for a job called ``name`` that has ``folder`` for its files.

    All of sbatch's environment goes to the job, because there is next to nothing in it (``commands.environment``);
    ``--export=NIL`` and the like would make Slurm run the user's profile under a time limit before the job starts.
    A job that lost its node is not requeued: what was in its kernel is gone, and the user has to know.
    """
    ours = {
        "job-name": name, "output": folder / "job.log", "open-mode": "append", "signal": f"B:USR1@{NOTICE}",
        "export": "ALL",
    }  # fmt: skip
    return ["--parsable", "--no-requeue", *(f"--{key}={value}" for key, value in ours.items()), *wishes(options)]


def script(options: Options, folder: Path) -> str:
    """Return the script of a job that holds a kernel."""
    return running(options, ["-P", "-m", "genai4eu.kernels.slurm.agent", str(folder)])


def running(options: Options, words: Sequence[str]) -> str:
    """Return the script of a job that runs the target's interpreter with ``words``.

    The login shell knows ``module``; ``exec`` lets Slurm's signals reach the program.
    """
    # An early warning of the end must not kill the shell or a Python that is not listening yet.
    lines = ["#!/bin/bash -l", "trap '' USR1", "unset TMOUT"]
    for module in options.modules:
        lines.append(_or_fail(f"module load {shlex.quote(module)}", f"the module {module} does not load"))
    if options.setup:
        file, what = shlex.quote(options.setup), f"the setup script {options.setup}"
        lines.append(_or_fail(f"test -r {file}", f"{what} is not on this node, or cannot be read: {SETUP}"))
        lines.append(_or_fail(f". {file}", f"{what} fails"))
    lines.append("exec " + shlex.join([*options.container, options.python, *words]))
    return "\n".join(lines) + "\n"


def _or_fail(command: str, complaint: str) -> str:
    return f"{command} || {{ echo {shlex.quote('genai4eu: ' + complaint)} >&2; exit 97; }}"
