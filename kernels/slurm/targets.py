"""Slurm targets: kernelspecs that start a relay. Called by ``genai4eu slurm add|list|remove``."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.paths import jupyter_data_dir

from .. import local
from ..errors import KernelsError
from ..files import write_json
from .commands import SlurmRefused, call, find
from .options import Options
from .script import script, wishes


def add(name: str, options: Options, display_name: str = "", check: bool = True) -> str:
    """Write the kernelspec ``name``; one of ours with that name is replaced. Returns what the kernel is called.

    Parameters
    ----------
    name : str
        Small letters, digits, ``-`` and ``_``.
    options : Options
        What each job asks for.
    display_name : str
        How notebooks list it.
    check : bool
        Whether to ask Slurm first if it would take such a job.

    Raises
    ------
    KernelsError
        If a name is wrong or taken, or Slurm refuses; nothing has been written then.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name):
        raise KernelsError(f"{name!r} cannot name a target: use up to 40 small letters, digits, - and _")
    if not display_name.isprintable():
        raise KernelsError(f"the display name {display_name!r} is not one line of plain text: write it plainly")
    folder = _root() / name
    there = KernelSpecManager().find_kernel_specs().get(name)
    others = [Path(place) for place in (there, folder) if place and Path(place).exists()]
    if name == local.NAME or any(_options_of(place) is None for place in others):
        raise KernelsError(f"there is a kernelspec {name} of something else already: use another name")
    if options.time and seconds(options.time) <= 0:
        raise KernelsError("a job with --time 0 could never start: ask for some minutes")
    if check:
        ask(options)
    words = ("Slurm", options.partition, f"GPU {options.gpus}" if options.gpus else "", options.time)
    title = display_name or f"GenAI4EU ({' · '.join(filter(None, words))})"
    argv = [sys.executable, "-P", "-m", "genai4eu.kernels.slurm", "--spec", "{resource_dir}/kernel.json"]
    spec = {
        "argv": [*argv, "-f", "{connection_file}"],
        "display_name": title,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"genai4eu": {"slurm": options.kept()}, "debugger": True},
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "kernel.json", spec)
    return str(spec["display_name"])


def ask(options: Options) -> None:
    """Ask Slurm if it would take such a job.

    Raises
    ------
    KernelsError
        Says which of the programs, the partition and the rest is wrong.
    """
    for program in ("sbatch", "squeue", "scancel", "scontrol", "sinfo"):
        find(program)
    look_for_setup(options)
    _ask_partitions(options)
    try:
        call("sbatch", "--test-only", *wishes(options), text=script(options, Path("/")))
    except SlurmRefused as error:
        raise KernelsError(f"Slurm would not take such a job ({error}): {error.remedy}") from None


def look_for_setup(options: Options) -> None:
    """Refuse a setup script that is missing from a folder that can be seen from here; only nodes may see others."""
    file = Path(options.setup)
    if options.setup and file.parent.is_dir() and not (file.is_file() and os.access(file, os.R_OK)):
        raise KernelsError(f"the setup script {file} is not there, or cannot be read: name one that the nodes have")


def _ask_partitions(options: Options) -> None:
    """Refuse what sbatch often takes and then keeps waiting for ever."""
    known = dict(line.split("|", 1) for line in call("sinfo", "--noheader", "--format=%R|%l").split())
    for partition in filter(None, options.partition.split(",")):
        if partition not in known:
            raise KernelsError(f"there is no partition {partition}: use one of {', '.join(sorted(known))}")
        if options.time and seconds(options.time) > seconds(known[partition]):
            raise KernelsError(f"the partition {partition} allows {known[partition]} at most: ask for a shorter --time")


def seconds(text: str) -> float:
    """Return a time as Slurm writes it in seconds: minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S, else no limit."""
    days, dash, rest = text.rpartition("-")
    parts = rest.split(":")
    if not all(part.isdigit() for part in parts):
        return float("inf")
    numbers = [int(part) for part in parts]
    if dash:
        hours, minutes, secs = [*numbers, 0, 0][:3]
    else:
        hours, minutes, secs = {1: [0, *numbers, 0], 2: [0, *numbers]}.get(len(numbers), numbers)[:3]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + secs


def all_of_them() -> dict[str, Options]:
    """Return the options of all Slurm targets, by name."""
    folders = sorted(_root().iterdir()) if _root().is_dir() else []
    return {folder.name: options for folder in folders if (options := _options_of(folder)) is not None}


def remove(name: str) -> None:
    """Remove a Slurm target; its jobs go on.

    Raises
    ------
    KernelsError
        If there is none of that name.
    """
    if name not in (known := all_of_them()):
        raise KernelsError(
            f"no Slurm target {name!r}: " + (f"use one of {', '.join(known)}" if known else "there is none")
        )
    (_root() / name / "kernel.json").unlink(missing_ok=True)  # from here on it is no kernelspec
    shutil.rmtree(_root() / name, ignore_errors=True)


def _root() -> Path:
    return Path(jupyter_data_dir()) / "kernels"


def _options_of(folder: Path) -> Options | None:
    try:
        spec: Any = json.loads((folder / "kernel.json").read_text(encoding="utf-8"))
        return Options.read(spec["metadata"]["genai4eu"]["slurm"])
    except (OSError, ValueError, LookupError, TypeError, KernelsError):  # not one of ours
        return None
