"""Is everything that a run needs in order? Called by ``genai4eu doctor``.

Each check looks at one thing the way a run would use it, and knows what to do where the thing is not in order.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from genai4eu.kernels import targets
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.probe import probe
from genai4eu.kernels.targets import Target

State = Literal["ok", "note", "wrong"]
#: Seconds that a kernel may take to answer one line.
PATIENCE = 60.0


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    what : str
        The thing that was looked at.
    state : str
        ``ok``; ``note`` for what is missing but not needed by everybody; ``wrong``.
    found : str
        What was found, in a few words.
    remedy : str
        What to type or whom to ask; empty where nothing is to be done.
    """

    what: str
    state: State
    found: str
    remedy: str = ""


def examine(names: list[str] | None = None, execute: bool = True) -> Iterator[Finding]:
    """Look at everything, one finding after the other.

    Parameters
    ----------
    names : list of str, optional
        Only these targets; by default all.
    execute : bool
        Whether to start a kernel on each target and let it execute a line.

    Raises
    ------
    KernelsError
        If one of ``names`` is no target.
    """
    chosen = [targets.find(name) for name in names] if names else targets.all_targets()
    yield python()
    yield packages()
    yield from sciences()
    yield from folders()
    yield warm()
    yield slurm()
    yield from kernelspecs()
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield from pool.map(lambda target: _target(target, execute), chosen)


def python() -> Finding:
    """Look at the interpreter."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.prefix == sys.base_prefix:
        return Finding(
            "python", "note", f"{version}, no virtual environment", "python3 -m venv .venv, and install there"
        )
    return Finding("python", "ok", f"{version} in {sys.prefix}")


def packages() -> Finding:
    """Compare what is installed with what this version of the workbench asks for."""
    from packaging.requirements import Requirement

    wrong = []
    for line in importlib.metadata.requires("genai4eu") or []:
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            wrong += _unmet(need.name, need.specifier.contains)
    version = importlib.metadata.version("genai4eu")
    if wrong:
        return Finding("packages", "wrong", ", ".join(wrong), "pip install --upgrade genai4eu")
    return Finding("packages", "ok", f"genai4eu {version} has all it needs")


def _unmet(name: str, fits: Callable[..., bool]) -> list[str]:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return [f"{name} is missing"]
    return [] if fits(version, prereleases=True) else [f"{name} is {version}"]


def sciences() -> Iterator[Finding]:
    """Look whether this computer has what each use case needs; where kernels run elsewhere it need not."""
    from .catalogue import faults, usecases

    for usecase in usecases():
        missing = [name for name in usecase.requires if importlib.util.find_spec(name.partition(".")[0]) is None]
        what = f"use case {usecase.name}"
        if missing:
            found = f"cannot run on this computer: no {', '.join(missing)}"
            yield Finding(what, "note", found, f"pip install '{usecase.install}', or run it on a gateway")
        else:
            yield Finding(what, "ok", f"version {usecase.version}")
    for fault in faults():
        yield Finding("use case", "wrong", fault)


def folders() -> Iterator[Finding]:
    """Look whether runs and dashboards can be written, and whether there is room."""
    from .dashboards.dashboard import dashboards_root
    from .runs.store import runs_root

    for what, variable, folder in (
        ("runs", "GENAI4EU_RUNS", runs_root()),
        ("dashboards", "GENAI4EU_DASHBOARDS", dashboards_root()),
    ):
        standing = next(f for f in (folder, *folder.absolute().parents) if f.exists())
        free = shutil.disk_usage(standing).free / 1e9
        if not (standing.is_dir() and os.access(standing, os.W_OK)):
            found = f"{folder} cannot be written"
            yield Finding(what, "wrong", found, f"set {variable} to a folder of your own")
        elif free < 1:
            yield Finding(what, "note", f"{folder}: only {free:.1f} GB free", f"make room, or set {variable} elsewhere")
        else:
            yield Finding(what, "ok", f"{folder}, {free:.0f} GB free")


def warm() -> Finding:
    """Look at the template process from which warm kernels are forked."""
    if os.environ.get("GENAI4EU_WARM", "").lower() == "off":
        return Finding("warm kernels", "note", "switched off", "unset GENAI4EU_WARM")
    from genai4eu.kernels.warm import client

    if why := client.trouble():
        return _wrong("warm kernels", why)
    templates = client.status()
    if not templates:
        return Finding("warm kernels", "ok", "no template runs; the first kernel starts it")
    running = "a template runs" if len(templates) == 1 else f"{len(templates)} templates run"
    return Finding("warm kernels", "ok", f"{running}; genai4eu warm status says more")


def slurm() -> Finding:
    """Look whether Slurm's clients are here and its controller answers."""
    missing = [name for name in ("sbatch", "squeue", "scancel", "scontrol", "sinfo") if shutil.which(name) is None]
    if len(missing) == 5:
        return Finding("slurm", "note", "not on this computer", "only needed where kernels run as Slurm jobs")
    if missing:
        return Finding("slurm", "wrong", f"no {', '.join(missing)}", "install Slurm's client programs")
    try:
        asked = subprocess.run(["sinfo", "-h", "-o", "%P"], capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return Finding("slurm", "wrong", "sinfo does not answer within 10 s", "ask the operator of the cluster")
    if asked.returncode:
        said = (asked.stderr.strip().splitlines() or ["sinfo failed"])[-1]
        remedy = "check SLURM_CONF, or ask the operator of the cluster"
        if _slurm_used():
            return Finding("slurm", "wrong", said, remedy)
        return Finding("slurm", "note", said, f"{remedy}; without Slurm targets nothing is needed")
    return Finding("slurm", "ok", f"partitions {', '.join(asked.stdout.split())}")


def _slurm_used() -> bool:
    return any(target.slurm for target in targets.all_targets())


def kernelspecs() -> Iterator[Finding]:
    """Look for kernelspecs that Jupyter leaves out because it cannot read them."""
    from jupyter_client.kernelspec import KernelSpecManager

    manager = KernelSpecManager()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        found = manager.find_kernel_specs()
    for line in dict.fromkeys(str(warning.message) for warning in said):
        _, _, folder = line.rpartition(": ")
        why = f"{folder}: its name cannot be a kernelspec's, Jupyter may leave it out"
        yield Finding(
            f"kernelspec {Path(folder).name}", "note", why, "give the folder a name of letters, digits, . _ -"
        )
    for name, folder in sorted(found.items()):
        try:
            manager.get_kernel_spec(name)
        except Exception as error:  # noqa: BLE001  # whatever Jupyter's reading of somebody's file raises
            why = f"{folder}/kernel.json cannot be read ({type(error).__name__}: {str(error).splitlines()[0][:80]})"
            yield Finding(
                f"kernelspec {name}", "wrong", why, f"jupyter kernelspec remove {shlex.quote(name)}, or write it anew"
            )


def _wrong(what: str, error: object) -> Finding:
    """Split a line of ours, which ends with what to do."""
    found, _, remedy = str(error).rpartition(": ")
    return Finding(what, "wrong", found or remedy, remedy if found else "")


def _target(target: Target, execute: bool) -> Finding:
    """Ask a target what a run would: is it there, does it take the token, does it execute a line, and how fast."""
    what = f"target {target.name}"
    try:
        targets.check(target)
        if not execute:
            return Finding(what, "ok", "ready")
        answer = probe(target.name, PATIENCE)
    except KernelsError as error:
        return _wrong(what, error)
    speed = f"ready after {answer.started:.2f} s, {1000 * answer.round_trip:.0f} ms a line"
    return Finding(what, "ok", f"Python {answer.python} on {answer.host}, {speed}")
