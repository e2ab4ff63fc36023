"""A fast stand-in for AquaCrop, for the controls: a Gaussian process over plans and weather. Called by study and live.

Gaussian processes are the standard emulator of a deterministic simulator (Sacks et al. 1989, Stat Sci 4:409; Kennedy &
O'Hagan 2001, JRSS B 63:425). It is fitted with scikit-learn; what is kept are arrays, so that answering needs numpy
alone. It answers for the live part only: every reported result is AquaCrop's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .season import CROPS, SOILS, Plan
from .weather import Array

TARGETS = ("yield", "irrigation")
PARTS = ((0, 40), (40, 80), (80, 120))  # days after planting over which weather is summed up
CHECKED = 0.2  # share of the design that is kept back to tell how good the emulator is
SEARCHED = 160  # seasons that the lengths of the covariance are searched with, which takes a hundred times as long
LARGEST = 1200  # seasons a Gaussian process is fitted to: its cost grows with the cube


def features(weather: xr.Dataset, plan: Plan) -> Array:
    """Return what the emulator sees of a plan in each year, shape (year, feature).

    Crop and soil as indicators; threshold, depth, quota, planting and CO2 scaled to about one; rain, ET0 and mean
    temperature of three parts of the season.
    """
    if plan.rainfed:  # whatever else it says of water does not matter, and must not
        plan = replace(plan, threshold=0.0, interval=0, depth=Plan.depth, quota=0.0)
    start = pd.Timestamp(f"2001-{plan.day.replace('/', '-')}").dayofyear - 1
    settings = [float(plan.crop == c) for c in CROPS] + [float(plan.soil == s) for s in SOILS]
    low = min(plan.quota, 1e9)
    settings += [plan.threshold / 30, plan.depth / 15, low / 150, np.sqrt(low) / 6, (start - 125) / 15]
    settings += [(plan.co2 - 500) / 120]
    mean = (weather["tmin"].values + weather["tmax"].values) / 2
    rain, et0 = weather["rain"].values, weather["et0"].values
    columns = []
    for first, last in PARTS:
        days = slice(start + first, start + last)
        columns += [rain[:, days].sum(1) / 60, et0[:, days].sum(1) / 40, mean[:, days].mean(1) / 2]
    several = np.broadcast_to(np.array(settings), (weather.sizes["year"], len(settings)))
    return np.concatenate([several, np.stack(columns, 1)], 1)


@dataclass
class Emulator:
    """A fitted Gaussian process a target.

    Attributes
    ----------
    data : xarray.Dataset
        ``x`` (season, feature), ``weight`` (target, season), ``length`` (target, feature), ``amplitude``, ``centre``,
        ``r2`` and ``rmse`` (target; of seasons kept back).
    """

    data: xr.Dataset

    def predict(self, weather: xr.Dataset, plans: Sequence[Plan]) -> dict[str, Array]:
        """Return yield [t/ha] and irrigation [mm] of every plan in every year, shape (plan, year)."""
        x = np.concatenate([features(weather, plan) for plan in plans])
        found = {}
        for target in TARGETS:
            one = self.data.sel(target=target)
            length = one["length"].values
            kernel = _kernel(x / length, one["x"].values / length)
            made = float(one["centre"]) + float(one["amplitude"]) * kernel @ one["weight"].values
            found[target] = made.reshape(len(plans), -1).clip(0)
        limits = np.array([[0.0 if plan.rainfed else plan.quota] for plan in plans])
        found["irrigation"] = np.minimum(found["irrigation"], limits)
        return found


def _kernel(a: Array, b: Array) -> Array:
    """Return Matérn's covariance of smoothness 3/2 between rows."""
    square = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    distance = np.sqrt(3 * np.maximum(square, 0))
    return np.asarray((1 + distance) * np.exp(-distance))


def fit_emulator(
    tasks: Sequence[tuple[xr.Dataset, Plan]],
    grown: Sequence[xr.Dataset],
    seed: int,
    shown: Sequence[tuple[xr.Dataset, Plan, xr.Dataset]] = (),
) -> Emulator:
    """Fit the emulator to grown seasons.

    Parameters
    ----------
    tasks : sequence of (xarray.Dataset, Plan)
        From :func:`.study.emulator_design`.
    grown : sequence of xarray.Dataset
        Their seasons, from :func:`.season.simulate`.
    seed : int
        Of which seasons are kept back.
    shown : sequence of (xarray.Dataset, Plan, xarray.Dataset), optional
        Further weather, plans and seasons to learn from, of which none is kept back: those of the study itself, which
        the controls begin with.
    """
    tasks, grown = tasks[:LARGEST], grown[:LARGEST]
    x = np.concatenate([features(w, p) for w, p in [*tasks, *((w, p) for w, p, _ in shown)]])
    seasons = [*grown, *(season for _, _, season in shown)]
    designed = sum(w.sizes["year"] for w, _ in tasks)
    order = np.random.default_rng([seed, 309]).permutation(designed)
    kept, back = np.split(order, [round((1 - CHECKED) * designed)])
    kept = np.concatenate([kept, np.arange(designed, len(x))])
    fitted = [_fitted(x, np.concatenate([g[t].values for g in seasons]), kept, back) for t in TARGETS]
    data = xr.Dataset(
        {
            "x": (("season", "feature"), x[kept]),
            "weight": (("target", "season"), np.stack([f["weight"] for f in fitted])),
            "length": (("target", "feature"), np.stack([f["length"] for f in fitted])),
            **{n: ("target", np.array([f[n] for f in fitted])) for n in ("amplitude", "centre", "r2", "rmse")},
        },
        coords={"target": list(TARGETS)},
    )
    return Emulator(data)


def _fitted(x: Array, y: Array, kept: Any, back: Any) -> dict[str, Array]:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    centre, spread = y[kept].mean(), max(float(y[kept].std()), 1e-9)
    start = Matern(np.full(x.shape[1], 3.0), (0.3, 100.0), nu=1.5) + WhiteKernel(0.05, (1e-4, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound is a setting that does not matter
        few = kept[:SEARCHED]
        found = GaussianProcessRegressor(start).fit(x[few], (y[few] - centre) / spread).kernel_
        process = GaussianProcessRegressor(found, optimizer=None).fit(x[kept], (y[kept] - centre) / spread)
    length = process.kernel_.k1.length_scale
    weight = process.alpha_.ravel()
    made = centre + spread * _kernel(x[back] / length, x[kept] / length) @ weight
    error = y[back] - made
    r2 = 1 - float((error**2).sum() / max(float(((y[back] - y[back].mean()) ** 2).sum()), 1e-12))
    return {
        "weight": weight, "length": length, "amplitude": np.float64(spread), "centre": np.float64(centre),
        "r2": np.float64(r2), "rmse": np.float64(np.sqrt((error**2).mean())),
    }  # fmt: skip
