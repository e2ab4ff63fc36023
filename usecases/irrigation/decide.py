"""The decision: which threshold gives the yield of the fixed calendar with the least water. Called by the study part.

Rules, fixed on other stations before the target's held-out years were looked at:

* The practice irrigates every seven days, a weekly turn, and fills the root zone up by at most one depth of water.
  The *tuned* calendar is a stricter rival: the interval that its own training years recommend.
* A threshold is a share of total available water at full canopy; half as much again while the canopy grows,
  which is when maize minds most, and half of it once the canopy senesces, when water no longer makes yield.
* Equal yield means within one per cent of the practice's expected yield. Of the thresholds that reach it in the drawn
  years, the one with the least expected irrigation is recommended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from .season import IrrigationError, Plan
from .weather import Array

EARLY, LATE = 1.5, 0.5
WEEKLY = 7  # days
MARGIN = 0.01  # of the yield, within which yields count as equal


def threshold_plan(base: Plan, threshold: float) -> Plan:
    """Return ``base`` with a threshold [% TAW] and its parts for early and late stages."""
    return replace(base, threshold=float(threshold), early=EARLY, late=LATE, interval=0)


def interval_plan(base: Plan, interval: int) -> Plan:
    """Return ``base`` with a fixed interval [day]."""
    return replace(base, threshold=0.0, interval=interval)


def recommend(grown: dict[int, xr.Dataset], wanted: float) -> int:
    """Return the setting with the least mean irrigation whose mean yield is within :data:`MARGIN` of ``wanted``.

    Parameters
    ----------
    grown : dict of int to xarray.Dataset
        Seasons of the same years by threshold or interval.
    wanted : float
        Expected yield of the practice [t/ha].

    Returns
    -------
    int
        The setting; the one with the highest yield where none reaches the margin.
    """
    mean = {s: (float(r["yield"].mean()), float(r["irrigation"].mean())) for s, r in grown.items()}
    good = [s for s, (y, _) in mean.items() if y >= (1 - MARGIN) * wanted]
    return min(good, key=lambda s: mean[s][1]) if good else max(mean, key=lambda s: mean[s][0])


def assert_responds(grown: dict[int, xr.Dataset]) -> None:
    """Raise unless a higher threshold gave more water on the whole: a crop model that ignores its irrigation does not.

    Raises
    ------
    IrrigationError
        With the irrigation at the lowest and highest threshold.
    """
    low, high = (float(grown[f(grown)]["irrigation"].mean()) for f in (min, max))
    if len(grown) > 1 and not high > low:
        raise IrrigationError(
            f"irrigation ignored the threshold: {low:.0f} mm at {min(grown)}, {high:.0f} mm at {max(grown)} % TAW"
        )


def savings(plan: xr.Dataset, practice: xr.Dataset, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return how much water a plan saves and what it does to yield, paired by year.

    Parameters
    ----------
    plan, practice : xarray.Dataset
        Seasons of the same years.

    Returns
    -------
    pandas.DataFrame
        Rows ``water`` (saved, % of the practice's), ``yield`` (change, %) and ``productivity`` (change of yield per
        evapotranspiration, %), columns ``mean``, ``low``, ``high``: 95 % bootstrap interval over years.
    """
    count = plan.sizes["year"]
    picks = np.random.default_rng(seed).integers(count, size=(resamples, count))
    picks = np.concatenate([np.arange(count)[None], picks])

    def ratio(name: str) -> Array:
        mine, theirs = (d[name].values[picks].mean(1) for d in (plan, practice))
        return np.asarray(100 * (mine / np.maximum(theirs, 1e-9) - 1))

    made = {"water": -ratio("irrigation"), "yield": ratio("yield")}
    made["productivity"] = 100 * ((1 + made["yield"] / 100) / (1 + ratio("et") / 100) - 1)
    rows = {n: [v[0], *np.percentile(v[1:], [2.5, 97.5])] for n, v in made.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"])


def frontier(grown: dict[int, xr.Dataset]) -> xr.Dataset:
    """Return water and yield by threshold with their spread: mean irrigation and yield, and yields of bad years.

    Returns
    -------
    xarray.Dataset
        By ``threshold`` [% TAW]: ``irrigation`` [mm] and ``yield`` [t/ha] means, ``low`` and ``high`` (10th and 90th
        percentile of yield), ``cvar`` (mean yield of the worst tenth of years; Rockafellar & Uryasev 2000).
    """
    order = sorted(grown)
    yields = [grown[s]["yield"].values for s in order]
    found = {
        "irrigation": [float(grown[s]["irrigation"].mean()) for s in order],
        "yield": [y.mean() for y in yields],
        "low": [np.percentile(y, 10) for y in yields],
        "high": [np.percentile(y, 90) for y in yields],
        "cvar": [cvar(y) for y in yields],
    }
    units = {"irrigation": "mm"}
    return xr.Dataset(
        {n: ("threshold", np.asarray(v), {"units": units.get(n, "t/ha")}) for n, v in found.items()},
        coords={"threshold": ("threshold", order, {"units": "% TAW"})},
    )


def cvar(yields: Array, share: float = 0.1) -> float:
    """Return the mean yield of the worst ``share`` of years, at least one."""
    return float(np.sort(yields)[: max(1, round(share * len(yields)))].mean())


def tuned_interval(grown: dict[int, xr.Dataset], years: Sequence[int]) -> int:
    """Return the interval that training years recommend against the best that any interval gives in them."""
    there = {s: r.sel(year=list(years)) for s, r in grown.items()}
    return recommend(there, max(float(r["yield"].mean()) for r in there.values()))
