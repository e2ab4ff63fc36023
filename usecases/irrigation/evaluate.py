"""How good drawn years are: weather against record and held-out years, yields and the decision on held-out years.

Called by the study part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from . import decide
from .season import Plan
from .statistics import GOAL, STATISTICS, interval, pooled, statistics
from .weather import Array

if TYPE_CHECKING:
    from .study import Drawn


def crps(members: Array, truth: Array, fair: bool = False) -> Array:
    """Return the continuous ranked probability score of an ensemble for each truth.

    Gneiting & Raftery 2007, J Am Stat Assoc 102:359, equation 21: mean distance to the truth less half the mean
    distance between members. ``fair`` (Ferro 2014, QJRMS 140:1917) takes away what a small ensemble loses by its size.

    Parameters
    ----------
    members : ndarray, shape (member,)
    truth : ndarray, shape (case,)

    Returns
    -------
    ndarray, shape (case,)
        In the unit of the members; 0 is perfect.
    """
    ranked = np.sort(np.asarray(members, np.float64))
    n = len(ranked)
    between = 2 * float(((2 * np.arange(1, n + 1) - n - 1) * ranked).sum())  # sum of |x_i - x_j| over ordered pairs
    pairs = n * (n - 1) if fair else n * n
    return np.asarray(np.abs(ranked[:, None] - truth).mean(0) - between / (2 * max(pairs, 1)))


def weather_table(drawn: Drawn, larswg: Array | None = None) -> pd.DataFrame:
    """Compare statistics of drawn years of all folds together with those of the whole record.

    This tells how well a method gives back what it learned, not what it would say of years unseen: every year of the
    record is held out by one fold, but taught the others. Training years alone would have ratios of 1 here. What
    held-out years say, with far fewer years to say it, is :func:`fold_table`'s.

    Returns
    -------
    pandas.DataFrame
        A row a statistic; columns ``record``, ``low``, ``high`` (95 % bootstrap over years), and one a method.
    """
    columns: dict[str, dict[str, float]] = {"record": statistics(drawn.weather)}
    bounds = interval(drawn.weather)
    columns["low"], columns["high"] = ({n: bounds[n][i] for n in STATISTICS} for i in (0, 1))
    columns |= {method: statistics(drawn.pooled(method)) for method in drawn.years}
    if larswg is not None:
        columns["LARS-WG"] = rain_only(larswg)
    return pd.DataFrame(columns).rename_axis("statistic")


def fold_table(drawn: Drawn) -> pd.DataFrame:
    """Compare each fold's drawn years with its own held-out years, which taught it nothing.

    Returns
    -------
    pandas.DataFrame
        A row a statistic of the goal and fold (from 1); columns ``held-out``, ``low``, ``high`` (95 % bootstrap over
        the held-out years), ``training years`` (doing nothing: what the fold learned from), and one a method.
    """
    rows = {}
    for k, (learn, test) in enumerate(drawn.folds):
        held = drawn.weather.sel(year=test)
        made = {"held-out": held, "training years": drawn.weather.sel(year=learn)}
        found = {c: statistics(w) for c, w in (made | {m: years[k] for m, years in drawn.years.items()}).items()}
        bounds = interval(held)
        for n in GOAL:
            low, high = bounds[n]
            values = {c: f[n] for c, f in found.items()}
            rows[n, k + 1] = {"held-out": values.pop("held-out"), "low": low, "high": high} | values
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(["statistic", "fold"])
    return table.loc[[(n, k + 1) for n in GOAL for k in range(len(drawn.folds))]]


def rain_only(rain: Array) -> dict[str, float]:
    """Return the statistics of a series of rain alone; the others are NaN."""
    like = xr.Dataset(dict.fromkeys(("rain", "tmax", "et0"), (("year", "day"), rain)))
    return {n: v if n not in ("tmax_sd", "et0_mean") else float("nan") for n, v in statistics(like).items()}


def worst_ratio(table: pd.DataFrame, method: str) -> tuple[str, float]:
    """Return the statistic of the goal that a method misses most, and its ratio to the record."""
    ratios = {n: float(table.loc[n, method] / table.loc[n, "record"]) for n in GOAL}
    name = max(ratios, key=lambda n: abs(ratios[n] - 1))
    return name, ratios[name]


@dataclass
class Judged:
    """What the decision is worth on held-out years.

    Attributes
    ----------
    yields : xarray.Dataset
        ``crps`` and ``fair`` (method, year) [t/ha] of rainfed yield, and ``truth`` (year).
    held : dict of str to xarray.Dataset
        Held-out seasons by policy: "recommended", "weekly calendar", "tuned calendar", "bootstrap's threshold" and
        "rainfed".
    chosen : pandas.DataFrame
        What each fold chose.
    frontier : xarray.Dataset
        Of the drawn years of all folds, see :func:`.decide.frontier`.
    record : xarray.Dataset
        The same of the record.
    shown : list of tuple
        Some of the drawn seasons behind the frontier, each weather, plan and season, for the emulator to learn from.
    """

    yields: xr.Dataset
    held: dict[str, xr.Dataset]
    chosen: pd.DataFrame
    frontier: xr.Dataset
    record: xr.Dataset
    shown: list[tuple[xr.Dataset, Plan, xr.Dataset]] = field(default_factory=list)


def judge(
    found: dict[tuple[Any, ...], xr.Dataset], drawn: Drawn, thresholds: Sequence[int], intervals: Sequence[int]
) -> Judged:
    """Score yields and recommendations; called by :func:`.study.grow_all`, which says what ``found`` holds."""
    record = {s: found[("record", s)] for s in thresholds}
    calendars = {i: found[("record", "every", i)] for i in intervals}
    flows = [{s: found[("flow", k, s)] for s in thresholds} for k in range(len(drawn.folds))]
    for grown in (record, *flows):
        decide.assert_responds(grown)
    chosen, held, scores = [], [], []
    for k, (learn, test) in enumerate(drawn.folds):
        wanted = float(found[("flow", k, "weekly")]["yield"].mean())
        past = {s: r.sel(year=learn) for s, r in record.items()}
        wanted_past = float(calendars[decide.WEEKLY]["yield"].sel(year=learn).mean())
        made = {
            "recommended": decide.recommend(flows[k], wanted),
            "bootstrap": decide.recommend(past, wanted_past),
            "tuned": decide.tuned_interval(calendars, learn),
        }
        chosen.append(made)
        held.append(
            {
                "recommended": record[made["recommended"]].sel(year=test),
                "weekly calendar": calendars[decide.WEEKLY].sel(year=test),
                "tuned calendar": calendars[made["tuned"]].sel(year=test),
                "bootstrap's threshold": record[made["bootstrap"]].sel(year=test),
                "rainfed": found[("record", "rainfed")].sel(year=test),
            }
        )
        scores.append(_scored(found, k, learn, test))
    joined = {name: xr.concat([h[name] for h in held], "year").sortby("year") for name in held[0]}
    together = {s: pooled([f[s] for f in flows]) for s in thresholds}
    together[0] = pooled([found[("flow", k, "rainfed")] for k in range(len(flows))])
    whole = record | {0: found[("record", "rainfed")]}
    return Judged(
        xr.concat(scores, "year").sortby("year"), joined, pd.DataFrame(chosen).rename_axis("fold"),
        decide.frontier(together), decide.frontier(whole),
    )  # fmt: skip


def _scored(found: dict[tuple[Any, ...], xr.Dataset], k: int, learn: Any, test: Any) -> xr.Dataset:
    rainfed = found[("record", "rainfed")]["yield"]
    ensembles = {m: found[(m, k, "rainfed")]["yield"].values for m in ("flow", "WGEN")}
    ensembles["year bootstrap"] = rainfed.sel(year=learn).values  # every training year once: what resampling tends to
    truth = rainfed.sel(year=test).values
    both = [np.stack([crps(e, truth, fair) for e in ensembles.values()]) for fair in (False, True)]
    units = {"units": "t/ha"}
    return xr.Dataset(
        {
            "crps": (("generator", "year"), both[0], units | {"long_name": "CRPS of rainfed yield"}),
            "fair": (("generator", "year"), both[1], units | {"long_name": "CRPS without the size of the ensemble"}),
            "truth": ("year", truth, units | {"long_name": "rainfed yield"}),
        },
        coords={"generator": list(ensembles), "year": test},
    )


def crps_table(yields: xr.Dataset, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Return mean CRPS by method, and how much the flow's is lower, in %, paired by year with its 95 % interval."""
    values = yields["crps"]
    count = values.sizes["year"]
    picks = np.random.default_rng(seed).integers(count, size=(resamples, count))
    flow = values.sel(generator="flow").values
    rows = {}
    for method in values["generator"].values:
        theirs = values.sel(generator=method).values
        gains = 100 * (1 - flow[picks].mean(1) / theirs[picks].mean(1))
        low, high = np.percentile(gains, [2.5, 97.5])
        rows[str(method)] = {
            "CRPS [t/ha]": float(theirs.mean()), "fair CRPS [t/ha]": float(yields["fair"].sel(generator=method).mean()),
            "flow is lower by [%]": float(100 * (1 - flow.mean() / theirs.mean())), "low": low, "high": high,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")
