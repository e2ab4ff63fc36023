"""What runs with other seeds say: each has its own patients, trainings and scans. Called by whoever compares runs.

Within a run the interval is over its patients; only this one holds the luck of training too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean over runs and half of its 95 % interval after Student; NaN for a single run."""
    from scipy.stats import t  # here, as it takes a second that a dashboard need not spend

    count = len(values)
    half = t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count) if count > 1 else np.nan
    return float(np.mean(values)), float(half)


def table(runs: Sequence[xr.Dataset], measure: str = "dice") -> pd.DataFrame:
    """Compare methods over runs that differ in their seed.

    Parameters
    ----------
    runs : sequence of xarray.Dataset
        Results of :func:`score`, one a run.
    measure : {"dice", "surface_dice", "hd95", "missed"}
        What is compared; ``missed`` is the share of slices in which nothing was found.

    Returns
    -------
    pandas.DataFrame
        A row a method, and for every site the mean over runs and half of its 95 % interval (NaN for a single run).
    """
    stacked = xr.concat([run[measure].mean("case") for run in runs], "run", join="exact")
    cells = {
        (str(site), str(method)): t_interval(stacked.sel(site=site, segmenter=method).values.tolist())
        for site in stacked["site"].values
        for method in stacked["segmenter"].values
    }
    columns = {
        (str(site), what): [cells[str(site), str(method)][i] for method in stacked["segmenter"].values]
        for site in stacked["site"].values
        for i, what in enumerate(("mean", "half"))
    }
    return pd.DataFrame(columns, index=stacked["segmenter"].to_index())


def paired(runs: Sequence[xr.Dataset], site: str, measure: str = "dice") -> pd.DataFrame:
    """Return how far the main mix is from every other method at ``site``, paired by run: a run is a seed.

    Returns
    -------
    pandas.DataFrame
        A row a method; the difference of each run (columns by number), ``mean``, and ``half`` of the 95 % interval.
    """
    means = [run[measure].sel(site=site).mean("case") for run in runs]
    mains = [str(run.attrs["main_mix"]) for run in runs]
    rows = {}
    for other in (str(m) for m in means[0]["segmenter"].values):
        each = [float(m.sel(segmenter=mix) - m.sel(segmenter=other)) for m, mix in zip(means, mains, strict=True)]
        if other not in mains:
            rows[other] = [*each, *t_interval(each)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[*range(len(runs)), "mean", "half"])
