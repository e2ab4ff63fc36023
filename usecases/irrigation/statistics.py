"""What weather is judged by: extremes, spells, and how much months and years differ. Called by the evaluation.

Statistics are those by which weather generators are compared (Semenov et al. 1998, Clim Res 10:95; Wilks & Wilby 1999,
Prog Phys Geogr 23:329). Under-dispersed years are their best-known fault (Katz & Parlange 1998, J Climate 11:591).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .weather import MONTH, Array, monthly

RAINY = 1.0  # mm/day, the threshold of a wet day of ETCCDI's indices
#: Statistics by name with unit and what they are.
STATISTICS: dict[str, tuple[str, str]] = {
    "p99": ("mm/day", "99th percentile of rain on wet days"),
    "wet_share": ("1", "share of wet days"),
    "dry_spell": ("day", "mean length of dry spells"),
    "wet_spell": ("day", "mean length of wet spells"),
    "long_dry_spell": ("day", "90th percentile of dry spells"),
    "monthly_sd": ("mm", "standard deviation between years of a month's rain, mean over months"),
    "annual_sd": ("mm", "standard deviation between years of the year's rain"),
    "annual_mean": ("mm", "mean rain of a year"),
    "tmax_sd": ("degC", "standard deviation between years of July's mean maximum"),
    "et0_mean": ("mm", "mean reference evapotranspiration from May to September"),
}
#: Those of which the goal speaks: within a tenth.
GOAL = ("p99", "dry_spell", "wet_spell", "monthly_sd", "annual_sd")


def spells(wet: NDArray[np.bool_], state: bool) -> Array:
    """Return the lengths [day] of all runs of days in ``state``, of every year (year, 365) by itself."""
    same = np.pad(wet == state, ((0, 0), (1, 1)))
    change = np.diff(same.astype(np.int8), axis=1)
    starts, ends = np.nonzero(change == 1), np.nonzero(change == -1)
    return np.asarray(ends[1] - starts[1], np.float64)


def statistics(weather: xr.Dataset) -> dict[str, float]:
    """Return every one of :data:`STATISTICS`."""
    rain = weather["rain"].values
    wet, by_month = rain >= RAINY, monthly(rain)
    july, season = MONTH == 6, (MONTH >= 4) & (MONTH <= 8)
    dry = spells(wet, False)
    return {
        "p99": float(np.percentile(rain[wet], 99)) if wet.any() else 0.0,
        "wet_share": float(wet.mean()),
        "dry_spell": float(dry.mean()),
        "wet_spell": float(spells(wet, True).mean()) if wet.any() else 0.0,
        "long_dry_spell": float(np.percentile(dry, 90)),
        "monthly_sd": float(by_month.std(0, ddof=1).mean()),
        "annual_sd": float(rain.sum(1).std(ddof=1)),
        "annual_mean": float(rain.sum(1).mean()),
        "tmax_sd": float(weather["tmax"].values[:, july].mean(1).std(ddof=1)),
        "et0_mean": float(weather["et0"].values[:, season].sum(1).mean()),
    }


def pooled(parts: list[xr.Dataset]) -> xr.Dataset:
    """Return the years of all folds as one record, numbered from 1."""
    joined = xr.concat([p.drop_vars("from_year", errors="ignore") for p in parts], "year", combine_attrs="drop")
    return joined.assign_coords(year=np.arange(1, joined.sizes["year"] + 1))


def interval(weather: xr.Dataset, resamples: int = 200, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return the 95 % bootstrap interval over years of each statistic: how well the record itself is known."""
    rng = np.random.default_rng(seed)
    count = weather.sizes["year"]
    found = [statistics(weather.isel(year=rng.integers(count, size=count))) for _ in range(resamples)]
    return {name: tuple(np.percentile([f[name] for f in found], [2.5, 97.5]).tolist()) for name in STATISTICS}
