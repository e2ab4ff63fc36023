"""The end of a run's stay on its target: its files come home, or it is known where they are. Called by the engine.

``run.json`` says under ``remote`` where the kernel's side is, from the moment the run begins until its files are home.
As long as it does, and the target may still have them, the record is not sealed: ``genai4eu runs fetch`` can do it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbclient.exceptions import DeadKernelError

from genai4eu.kernels import targets
from genai4eu.kernels.errors import KernelsError

from ..errors import WorkbenchError
from . import aside
from .collect import Tell, collect
from .lock import locked
from .reach import Unreachable
from .record import Record
from .sources import Ask, FromKernel, WithKernel, lasting


def bring(
    remote: dict[str, Any],
    target: targets.Target | None,
    folder: Path,
    tell: Tell,
    ask: Ask | None = None,
) -> str | None:
    """Bring home what a run kept; return in a few words why something is not here, or ``None``.

    Parameters
    ----------
    remote : dict
        What ``kernel_side.begin`` said of the kernel's side.
    folder : Path
        The record's.
    ask : callable, optional
        Asks the kernel; without, it is gone, or busy with a cell that does not end.
    """
    way = lasting(remote, target, folder.name)
    place = aside.of(folder) / "parts"
    try:
        if ask is not None:
            with _without_it():
                collect(WithKernel(FromKernel(ask), way), folder, place, tell)
                return None
        if way is None:
            return f"what it kept is out of reach, in {remote['folder']} on {remote['owner']['host']}"
        collect(way, folder, place, tell)
    except (WorkbenchError, KernelsError, OSError, Unreachable) as error:
        return f"what it kept is not home ({str(error) or type(error).__name__})"
    finally:
        aside.tidy(folder)
    return None


@contextlib.contextmanager
def _without_it() -> Iterator[None]:
    """Go on where a kernel has died in this moment: there may be a way without it, but none past its gateway."""
    try:
        yield
    except Unreachable:
        raise
    except DeadKernelError:
        return


def note(remote: dict[str, Any], target: targets.Target) -> dict[str, Any]:
    """Return what ``run.json`` keeps of the kernel's side: enough to find the files later, without the kernel."""
    return {**remote, "target": target.name, "noted": time.time()}


def until(remote: dict[str, Any]) -> float:
    """Return when the target may remove the files, in seconds since 1970 by this computer's clock."""
    return float(remote["noted"]) + float(remote["kept"])


def may_come(remote: dict[str, Any]) -> bool:
    """Return whether the files of a run whose kernel is gone may still be had."""
    folder = Path(remote["folder"])
    if time.time() > until(remote) or (folder / "secrets").exists():
        return False
    if folder.is_dir():
        return True
    return bool(remote["owner"].get("kernel")) and _target(remote) is not None


def _target(remote: dict[str, Any]) -> targets.Target | None:
    try:
        found = targets.find(remote["target"])
    except KernelsError:  # it was removed here
        return None
    return found if found.gateway else None


def how(remote: dict[str, Any], run_id: str) -> str:
    """Return what the owner of a run can do about files that are not home."""
    day = datetime.fromtimestamp(until(remote), UTC).date()
    return f"they stay on {remote['target']} until {day}: genai4eu runs fetch {run_id}"


def complete(record: Record) -> bool:
    """Return whether there is nothing more to come, so that the record can be sealed."""
    remote = record.read("run.json").get("remote")
    return not remote or not may_come(remote)


def left_out(record: Record, missing: str | None) -> str | None:
    """Return what the record says of files that are not at home, and what its owner can do."""
    remote = record.read("run.json").get("remote")
    if not missing or not remote or not may_come(remote):
        return missing
    return f"{missing}; {how(remote, record.id)}"


def come_home(record: Record) -> bool:
    """Bring home what is near; return whether the record of a run that is over may be sealed as it is.

    What has to come from a gateway waits for ``genai4eu runs fetch``: a list of runs must not stand still for it.
    """
    info = record.read("run.json")
    remote = info.get("remote")
    if not remote:
        return True
    if not Path(remote["folder"]).is_dir():
        return not may_come(remote)
    problem = bring(remote, None, record.folder, lambda event, data: None, None)
    if problem is None:
        _arrived(record)
    return problem is None or not may_come(remote)


def fetch(record: Record, tell: Tell) -> None:
    """Bring home what a run left on its target, then seal its record. Called by ``genai4eu runs fetch``.

    Raises
    ------
    WorkbenchError, KernelsError
        Says what is missing and why, and whether trying again may help.
    """
    from .settle import finish

    remote = record.read("run.json").get("remote")
    if record.sealed or not remote:
        return  # all of it is at home
    if record.running:
        raise WorkbenchError(f"run {record.id} is still being carried out: its files come home at its end")
    target = targets.find(remote["target"])
    targets.check(target)
    problem = bring(remote, target, record.folder, tell, None)
    if problem and time.time() < until(remote):
        raise WorkbenchError(f"run {record.id}: {problem}; {how(remote, record.id)}")
    if problem:
        raise WorkbenchError(f"run {record.id}: {problem}, and the target need not keep it any longer: run again")
    with locked(record.folder):
        _arrived(record)
        info = record.read("run.json")
        finish(record, info["status"], info["error"])


def _arrived(record: Record) -> None:
    """Write down that everything is at home; a run that failed only for that did not fail."""
    info = record.read("run.json")
    remote = info["remote"]
    end = {"status": remote["ended"], "error": remote["error"]} if "ended" in remote else {}
    record.write("run.json", {**info, **end, "remote": None})
