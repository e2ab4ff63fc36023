"""Carry out a sweep, from Python as from the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genai4eu.kernels import local
from genai4eu.kernels.warm import client as warm

from ..errors import WorkbenchError
from ..runs.plan import Limits
from .array import Array
from .folder import State, Sweep, made
from .points import Axes
from .pool import Follower, Pool
from .request import Request, request
from .summary import write


def sweep(
    template: str | Path,
    *,
    on: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    zip: bool = False,
    points: Sequence[Mapping[str, Any]] = (),
    sample: int = 0,
    sample_seed: int = 0,
    jobs: int | None = None,
    per_task: int = 1,
    timeout: float | None = None,
    cell_timeout: int | None = None,
    retries: int = 0,
    best: str | None = None,
    **more: Any,
) -> Sweep:
    """Run a notebook once for every point of a grid, a list or a sample. What has completed before is not run again.

    Parameters
    ----------
    template : str or Path
        Name of a template, or path of a notebook.
    on : str, optional
        Target, as ``genai4eu targets`` lists them; this computer by default.
    parameters : mapping, optional
        Values, lists of values, or texts such as ``"0..4"`` and ``"log:1e-4..1e-1"``; ``**more`` adds to them.
    zip : bool
        Walk the lists together, instead of each value with each of the others.
    points : sequence of mapping
        Points named one by one, each combined with the parameters.
    sample : int
        Draw so many points at random, from the generator that ``sample_seed`` begins.
    jobs : int, optional
        Runs at a time; as many as processors by default, on Slurm as many as the cluster gives.
    per_task : int
        On Slurm: points that one task of the job array carries out, one after the other.
    timeout, cell_timeout, retries
        Of each run, as ``genai4eu.run`` takes them.
    best : str, optional
        Metric by which the summary names the best run, ``NAME:min`` or ``NAME:max``.

    Returns
    -------
    Sweep
        Its ``states()`` say how each point went; a failed run is no exception here.

    Raises
    ------
    WorkbenchError, KernelsError
        Before any kernel is asked for, naming all faults at once.
    KeyboardInterrupt
        After every worker has ended; the same call goes on from there.

    Examples
    --------
    >>> genai4eu.sweep("health-imaging", profile="smoke", seed=range(5))  # doctest: +SKIP
    """
    from .table import following

    axes = axes_of({**(parameters or {}), **more}, zip, points, sample, sample_seed)
    asked = request(template, axes, on, Limits(timeout, cell_timeout, retries))
    with following(asked) as follow:
        return carry_out(asked, jobs, follow, best, per_task)


def axes_of(values: Mapping[str, Any], zip: bool, points: Sequence[Mapping[str, Any]], sample: int, seed: int) -> Axes:
    """Return what is varied, for values that are all varied in the same way."""
    if zip and sample:
        raise WorkbenchError("a sweep is zipped or sampled, not both: leave out --zip or --sample")
    if sample < 0:
        raise WorkbenchError(f"a sample of {sample} points cannot be: give a number above 0")
    if sample:
        return Axes(points=points, sample=values, number=sample, seed=seed)
    return Axes(points=points, zip=values) if zip else Axes(points=points, grid=values)


def carry_out(asked: Request, jobs: int | None, follow: Follower, best: str | None = None, per_task: int = 1) -> Sweep:
    """Carry out what is missing or failed of a sweep; write its summary. Called also by the command line.

    Raises
    ------
    WorkbenchError, KernelsError
        If another process carries it out, or no run can start.
    KeyboardInterrupt
        After all has ended.
    """
    found = made(asked)
    with found.alone():
        states = found.states()
        todo = [s.index for s in states if s.status != "completed"]
        try:
            if todo:
                _runner(asked, found, states, jobs, follow, per_task).run(todo)
        finally:
            follow(found.states(), {})
        write(found, best)
    return found


def _runner(
    asked: Request, found: Sweep, states: list[State], jobs: int | None, follow: Follower, per_task: int
) -> Pool | Array:
    """Return what carries out the points: workers here, or an array of jobs."""
    if asked.plan.target.slurm is not None:
        return Array(found, states, jobs, follow, per_task)
    if asked.plan.here and asked.plan.target.name == local.NAME and not _cold():
        warm.ensure(wait=True)
    return Pool(found, states, jobs or _processors(), follow)


def _cold() -> bool:
    return os.environ.get("GENAI4EU_WARM", "").lower() in ("off", "0", "no", "false")


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def unfinished(states: list[State]) -> list[State]:
    """Return the points that have not completed."""
    return [state for state in states if state.status != "completed"]
