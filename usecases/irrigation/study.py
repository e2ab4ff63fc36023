"""The study from end to end, fold by fold: a year is judged by what was made without it. Called by the template.

Everything that a fold learns, from the quantiles of rain to the recommended threshold, comes from its own training
years; its held-out years are grown once, and only to judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from . import baseline, data, decide, generator, train
from .evaluate import Judged, judge
from .model import WeatherNet
from .season import Plan, Progress, simulate
from .sizes import Sizes
from .statistics import pooled

UNCALIBRATED = "flow, not calibrated"
SHOWN = 10  # drawn years of each plan and fold that the emulator learns from, besides its design


@dataclass
class Drawn:
    """What the generators made, by method and fold.

    Attributes
    ----------
    weather : xarray.Dataset
        The station's record.
    folds : list
        Training and held-out years of each fold.
    years : dict of str to list of xarray.Dataset
        Drawn years by method ("flow", "WGEN", "year bootstrap", "flow, not calibrated"), one a fold.
    flows : list of WeatherFlow
        One a fold.
    """

    weather: xr.Dataset
    folds: list[tuple[Any, Any]]
    years: dict[str, list[xr.Dataset]] = field(default_factory=dict)
    flows: list[train.WeatherFlow] = field(default_factory=list)

    def pooled(self, method: str) -> xr.Dataset:
        """Return the drawn years of all folds as one record."""
        return pooled(self.years[method])


def draw_all(
    weather: xr.Dataset,
    base: WeatherNet,
    sizes: Sizes,
    seed: int,
    progress: Progress | None = None,
    keep: Any = None,
    kept: Any = None,
) -> Drawn:
    """Adapt the flow to each fold's training years, and draw years by every method.

    Parameters
    ----------
    weather : xarray.Dataset
        The station's record.
    base : WeatherNet
        From :func:`.train.pretrain`, which has not seen the station.
    """
    made = Drawn(weather, data.folds(weather["year"].values, sizes.folds))
    for k, (learn, _) in enumerate(made.folds):
        own, mine = weather.sel(year=learn), seed * 100 + k
        label = f"adapting, fold {k + 1} of {sizes.folds}"
        flow = train.adapt(base, own, sizes, mine, progress, keep, kept, label)
        made.flows.append(flow)
        calibrated, raw = generator.draw(flow, sizes.years, mine, progress)
        drawn = {
            "flow": calibrated,
            "WGEN": baseline.Wgen(own).draw(sizes.years, mine),
            "year bootstrap": baseline.year_bootstrap(own, sizes.years, mine),
            UNCALIBRATED: raw,
        }
        for method, years in drawn.items():
            made.years.setdefault(method, []).append(years)
    return made


def grow_all(drawn: Drawn, plan: Plan, sizes: Sizes, progress: Progress | None = None) -> Judged:
    """Grow drawn and recorded years, let every fold recommend a threshold, and judge it on held-out years.

    Parameters
    ----------
    drawn : Drawn
        From :func:`draw_all`.
    plan : Plan
        Crop, soil, depth and quota; its threshold and interval are not used.
    """
    rainfed, record = decide.threshold_plan(plan, 0), drawn.weather
    weekly = decide.interval_plan(plan, decide.WEEKLY)
    steps = {s: decide.threshold_plan(plan, s) for s in sizes.thresholds}
    tasks: dict[tuple[Any, ...], tuple[xr.Dataset, Plan]] = {("record", "rainfed"): (record, rainfed)}
    tasks |= {("record", s): (record, p) for s, p in steps.items()}
    tasks |= {("record", "every", i): (record, decide.interval_plan(plan, i)) for i in sizes.intervals}
    for k in range(len(drawn.folds)):
        tasks |= {(m, k, "rainfed"): (drawn.years[m][k], rainfed) for m in ("flow", "WGEN")}
        some = drawn.years["flow"][k].isel(year=slice(sizes.grown))
        tasks |= {("flow", k, s): (some, p) for s, p in steps.items()}
        tasks[("flow", k, "weekly")] = (some, weekly)
    found = dict(zip(tasks, simulate(list(tasks.values()), sizes.workers, progress, "growing seasons"), strict=True))
    judged = judge(found, drawn, sizes.thresholds, sizes.intervals)
    judged.shown = [
        (weather.isel(year=slice(SHOWN)), its, found[key].isel(year=slice(SHOWN)))
        for key, (weather, its) in tasks.items()
        if key[0] == "flow" and key[2] != "weekly"
    ]
    return judged


def emulator_design(drawn: Drawn, sizes: Sizes, seed: int) -> list[tuple[xr.Dataset, Plan]]:
    """Return seasons for the emulator to learn from: drawn years under plans that fill the space of the controls."""
    from scipy.stats import qmc

    from .season import CROPS, SOILS

    years = drawn.pooled("flow")
    unit = qmc.Sobol(6, seed=seed).random(1 << (sizes.design - 1).bit_length())[: sizes.design]
    rng = np.random.default_rng([seed, 308])
    tasks = []
    for u in unit:
        planting = np.datetime64("2001-04-20") + int(u[3] * 41)
        plan = Plan(
            crop=list(CROPS)[int(rng.integers(len(CROPS)))], soil=list(SOILS)[int(u[5] * len(SOILS))],
            depth=5 + 35 * u[1], quota=600 * u[2], co2=370 + 330 * u[4], planting=str(planting)[5:],
        )  # fmt: skip
        tasks.append(
            (years.isel(year=[int(rng.integers(years.sizes["year"]))]), decide.threshold_plan(plan, 100 * u[0]))
        )
    return tasks
