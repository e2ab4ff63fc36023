"""Snapshots of the fine model and of the coarse one, in SI units with CF names. Called by the template and the tests.

Training, validation and test are other runs of the model, each from its own random start: no snapshot of one split is
a neighbour in time of one of another. Training spans a range of climates, so that a shifted climate is no
extrapolation; the test is the standard climate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ..generative.training import device, keep_freed_memory
from .simulator import SPACING, SPIN_UP, Atmosphere, Climate, beside, spun_up
from .sizes import Sizes
from .units import SPACING_KM, TIME, VARIABLES

Progress = Callable[[float, float, str], None]
SPLITS = ("training", "validation", "test", "coarse", "dashboard")
EVERY = {"training": 1.0}  # time units between two snapshots; elsewhere 2.5, about a day
LEAD = 1.44  # time units, 12 hours, for which the coarse model runs ahead on its own
COARSER = 4  # fine points on a side of one of the coarse model's
PAIR = 2  # runs simulated as one batch on a processor, whose cache more would leave; a GPU takes all at once
#: Shear and evaporation of successive pairs of training runs, relative to the standard climate.
RANGE = ((1.0, 1.0), (1.1, 1.2), (0.9, 0.8), (1.1, 0.8), (0.9, 1.2))


def no_progress(done: float, total: float, label: str) -> None:
    """Take no notice: what ``progress`` arguments are called with is work done, work in all, and what is being done."""


def climate(shear: float = 1.0, moisture: float = 1.0) -> Climate:
    """Return a climate whose shear and moisture supply are these shares of the standard one's."""
    standard = Climate()
    return Climate(shear=shear * standard.shear, evaporation=moisture * standard.evaporation)


def simulate(
    split: str,
    runs: int,
    snapshots: int,
    points: int,
    seed: int,
    progress: Progress = no_progress,
    climates: tuple[tuple[float, float], ...] | None = None,
    spin_up: float = SPIN_UP,
) -> xr.Dataset:
    """Run the fine model.

    Parameters
    ----------
    split : {"training", "validation", "test", "dashboard"}
        Runs of different splits are different.
    runs, snapshots : int
        Independent runs, an even number, and snapshots of each.
    points : int
        Points on a side, divisible by 32, at least 64: a smaller domain holds no storm.
    seed : int
        The same seed gives the same bits on the same kind of machine; weather is chaotic, so a GPU's is other weather.
    progress : callable
        Called with (done, total, label).
    climates : tuple of (float, float), optional
        Shear and moisture supply of each run, relative to the standard climate; by default pairs of runs share those of
        :data:`RANGE` in training, and all the standard climate elsewhere.
    spin_up : float
        Time units from noise to the first snapshots, about.

    Returns
    -------
    xarray.Dataset
        ``pr``, ``prw``, ``ta``, ``ua``, ``va`` (run, time, y, x), float32, units and names as :mod:`.units` has them;
        coordinates y and x in km, time in days of a 360-day calendar. ``driven_*`` (run, time, yd, xd): the same
        fields of a coarse model that left the fine model's state 12 hours before and ran on its own.

    Raises
    ------
    ValueError
        If the sizes do not fit.
    """
    together = PAIR if climates is None else 1
    if runs < together or runs % together or points % 32 or points < 64 or len(climates or range(runs)) != runs:
        raise ValueError(
            f"cannot simulate {runs} runs on {points} points: give an even number, and a multiple of 32 from 64"
        )
    chosen = climates or (RANGE if split == "training" else RANGE[:1])
    jobs = [
        (climate(*chosen[i % len(chosen)]), seed * 10_000 + SPLITS.index(split) * 1000 + i)
        for i in range(runs // together)
    ]
    done = 0
    keep_freed_memory()
    batches = [[job] for job in jobs] if device().type == "cpu" else [jobs]
    with _one_thread(), ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(_series, some, together, snapshots, points, EVERY.get(split, 2.5), spin_up) for some in batches
        ]
        for _ in as_completed(futures):
            done += runs // len(batches)
            progress(done, runs, f"simulating the weather, {split}")
    fine, driven = (torch.cat([f.result()[i] for f in futures]) for i in (0, 1))
    length = points * SPACING_KM
    dataset = _labelled(fine, split, EVERY.get(split, 2.5), length)
    names = {name: f"driven_{name}" for name in VARIABLES} | {"y": "yd", "x": "xd"}
    return dataset.merge(_labelled(driven, split, EVERY.get(split, 2.5), length).rename(names)).assign_attrs(
        title=f"moist two-layer quasi-geostrophic model, {split}", source="simulated", Conventions="CF-1.11", seed=seed
    )


def weather(split: str, sizes: Sizes, seed: int, progress: Progress = no_progress) -> xr.Dataset:
    """Return the runs of a split, as many and as long as ``sizes`` say; see :func:`simulate`."""
    runs = {"training": sizes.runs, "validation": PAIR, "test": sizes.test_runs}[split]
    snapshots = sizes.snapshots if split == "training" else sizes.test_snapshots
    return simulate(split, runs, snapshots, sizes.points, seed, progress, spin_up=sizes.spin_up)


def free_coarse(
    runs: int, snapshots: int, points: int, seed: int, factor: int, part: int = 0, spin_up: float = SPIN_UP
) -> xr.Dataset:
    """Run the coarse model alone, from its own start to its own weather, as a global model runs.

    Parameters
    ----------
    runs, snapshots : int
        Independent runs, and snapshots of each.
    points : int
        Of the fine model that it stands for; it has a quarter of them on a side itself.
    seed, part : int
        Runs of different parts are different.
    factor : int
        Its fields are averaged to cells of so many fine points.

    Returns
    -------
    xarray.Dataset
        ``pr``, ``prw``, ``ta``, ``ua``, ``va`` (run, time, y, x).
    """
    coarse, fields = Atmosphere(points // COARSER, points * SPACING, Climate()), []
    with _one_thread():
        state = spun_up(coarse, runs, seed * 10_000 + SPLITS.index("coarse") * 1000 + part, duration=spin_up)
        for _ in range(snapshots):
            state = coarse.run(state, 2.5)
            fields.append(_fields(coarse, state))
    made = _labelled(torch.stack(fields, 1), "coarse", 2.5, points * SPACING_KM)
    return coarsen(made, factor // COARSER).assign_attrs(title="the coarse model alone", seed=seed)


def _series(
    jobs: Sequence[tuple[Climate, int]], runs: int, snapshots: int, points: int, every: float, spin_up: float
) -> tuple[Tensor, Tensor]:
    """Return snapshots of ``runs`` runs for each climate and seed, and of the coarse model that runs ahead of each.

    Both are (run, time, 5, y, x), and computed as one batch.
    """
    where = device()
    climates, seeds = zip(*jobs, strict=True)
    shared = climates[0] if len(jobs) == 1 else beside(climates, runs, where)
    fine = Atmosphere(points, points * SPACING, shared, where)
    coarse = Atmosphere(points // COARSER, fine.length, shared, where)
    state = spun_up(fine, runs, *seeds, duration=spin_up)
    fields, driven = [], []
    for _ in range(snapshots):
        before = max(every - LEAD, 0.0)
        if every > LEAD:
            state = fine.run(state, before)
            driven.append(_fields(coarse, coarse.run(fine.regrid(state, coarse.points), LEAD)))
        state = fine.run(state, every - before)
        fields.append(_fields(fine, state))
    return torch.stack(fields, 1), torch.stack(driven, 1) if driven else torch.stack(fields, 1)[..., :1, :1]


def _fields(model: Atmosphere, state: Tensor) -> Tensor:
    """Return rain, moisture, thickness and lower wind, (run, 5, y, x), dimensionless, in the processor's memory."""
    upper, lower = model.stream(state)
    thickness = upper - lower
    waves = torch.stack([state[:, 2] - thickness, thickness, -1j * model.ky * lower, 1j * model.kx * lower], 1)
    return torch.cat([model.rain(state)[:, None], model.grid(waves)], 1).cpu()


def _labelled(fields: Tensor, split: str, every: float, length: float) -> xr.Dataset:
    """Return (run, time, 5, y, x) as a dataset in SI units."""
    runs, times, _, points, _ = fields.shape
    scale = torch.tensor([v.scale for v in VARIABLES.values()]).view(-1, 1, 1)
    values = (fields * scale).float().numpy()
    dims = ("run", "time", "y", "x")
    about = {
        n: {"units": v.units, "standard_name": v.standard_name, "long_name": v.long_name} for n, v in VARIABLES.items()
    }
    return xr.Dataset(
        {name: (dims, values[:, :, i], about[name]) for i, name in enumerate(VARIABLES)},
        coords={
            "run": [f"{split}-{i}" for i in range(runs)],
            "time": (
                "time",
                (1 + np.arange(times)) * every * TIME / 86400,
                {"long_name": "days since spin-up", "units": "d"},
            ),
            "y": ("y", *_axis(points, length, "northward distance")),
            "x": ("x", *_axis(points, length, "eastward distance")),
        },
    )


def _axis(points: int, length: float, name: str) -> tuple[np.ndarray, dict[str, str]]:
    return (np.arange(points) + 0.5) * length / points, {"units": "km", "long_name": name}


def coarsen(fine: xr.Dataset, factor: int) -> xr.Dataset:
    """Return the block means of all predictors, ``factor`` points on a side each: what a coarse model would store.

    Raises
    ------
    ValueError
        If the grid is no multiple of ``factor``.
    """
    for axis in ("y", "x"):
        if fine.sizes[axis] % factor:
            raise ValueError(f"{fine.sizes[axis]} points along {axis} cannot be averaged by {factor}: choose a divisor")
    return (
        fine[list(VARIABLES)].coarsen(y=factor, x=factor).mean(keep_attrs=True) if factor > 1 else fine[list(VARIABLES)]
    )


def driven(fine: xr.Dataset, factor: int) -> xr.Dataset:
    """Return what the coarse model that ran ahead gives for the snapshots of ``fine``, on the grid of ``factor``."""
    names = {f"driven_{name}": name for name in VARIABLES}
    own = fine[list(names)].rename(names | {"yd": "y", "xd": "x"})
    if factor < COARSER or factor % COARSER:
        raise ValueError(f"the coarse model has a spacing of {COARSER} fine points: {factor} is no multiple of it")
    return coarsen(own, factor // COARSER)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread an operation, as two batches run at once; small transforms gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
