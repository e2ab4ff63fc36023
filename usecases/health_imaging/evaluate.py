"""How good a segmentation is, with its uncertainty. Called by the study part and by whoever compares runs.

Dice (Dice 1945, Ecology 26:297) over the lesion pixels of each test slice; its mean with a percentile bootstrap over
patients (Efron & Tibshirani 1993), which tells how far other patients would move it. What other trainings would
change is told by runs with other seeds: see :func:`table`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from .relaxometry import LESION

RESAMPLES = 2000


def dice(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the Dice score of each slice.

    Parameters
    ----------
    predicted, truth : ndarray of bool, shape (..., y, x)
        Lesion masks.

    Returns
    -------
    ndarray of float64, shape (...)
        0 to 1; NaN where neither mask has a lesion.
    """
    overlap = (predicted & truth).sum((-2, -1))
    total = predicted.sum((-2, -1)) + truth.sum((-2, -1))
    undefined = np.full(np.shape(total), np.nan)
    return np.asarray(np.divide(2.0 * overlap, total, out=undefined, where=total > 0))


def score(masks: dict[str, NDArray[np.bool_]], test: xr.Dataset) -> xr.Dataset:
    """Score every method on the test scans.

    Parameters
    ----------
    masks : dict of str to ndarray of bool, shape (case, site, y, x)
        Predicted lesions by method.
    test : xarray.Dataset
        From :func:`.cohort.cohort`, with ``label``.

    Returns
    -------
    xarray.Dataset
        ``dice`` (segmenter, case, site); ``mean``, ``low``, ``high`` (segmenter, site): mean over patients and its 95 %
        bootstrap interval. Unit "1". Attribute ``main_mix``: see :func:`main_mix`.
    """
    truth = (test["label"].values == LESION)[:, None]  # (case, 1, y, x)
    values = np.stack([dice(mask, truth) for mask in masks.values()])
    low, high = bootstrap(values)
    dims, unit = ("segmenter", "site"), {"units": "1"}
    scores = xr.Dataset(
        {
            "dice": (("segmenter", "case", "site"), values, {"units": "1", "long_name": "Dice of the lesions"}),
            "mean": (dims, np.nanmean(values, 1), unit | {"long_name": "mean Dice over patients"}),
            "low": (dims, low, unit | {"long_name": "2.5 % of the bootstrap over patients"}),
            "high": (dims, high, unit | {"long_name": "97.5 % of the bootstrap over patients"}),
            "lesion_load": test["lesion_load"],
        },
        coords={"segmenter": list(masks), "site": test["site"]},
    )
    return scores.assign_attrs(main_mix=main_mix(list(masks)))


def main_mix(names: Sequence[str]) -> str:
    """Return the flow mix that the answer is about: the one with the most synthetic slices.

    A rule, not a selection: choosing by the unseen site would be peeking, and choosing by the training sites would
    favour what fits them best, which is not what robustness means. The table shows every ratio.
    """
    mixes = [name for name in names if name.startswith("flow")]
    return max(mixes, key=lambda name: int(name.split()[1].split(":")[0])) if mixes else "classical"


def bootstrap(values: NDArray[np.float64], seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the 95 % interval of the mean over axis 1 (patients) of ``values`` (method, case, site)."""
    picks = np.random.default_rng(seed).integers(values.shape[1], size=(RESAMPLES, values.shape[1]))
    means = np.nanmean(values[:, picks], axis=2)  # (method, resample, site)
    low, high = np.percentile(means, [2.5, 97.5], axis=1)
    return low, high


def gain(scores: xr.Dataset, method: str, baseline: str, site: str) -> tuple[float, float]:
    """Return how much better ``method`` is at ``site``, paired by patient, and half its 95 % bootstrap interval."""
    both = scores["dice"].sel(site=site)
    difference = (both.sel(segmenter=method) - both.sel(segmenter=baseline)).values
    low, high = bootstrap(difference[None, :, None])
    return float(np.nanmean(difference)), float((high - low).item() / 2)


def table(runs: Sequence[xr.Dataset]) -> pd.DataFrame:
    """Compare methods over runs that differ in their seed.

    Parameters
    ----------
    runs : sequence of xarray.Dataset
        Results of :func:`score`, one a run.

    Returns
    -------
    pandas.DataFrame
        A row a method, and for every site the mean Dice and its standard deviation over runs (NaN for a single one).
    """
    stacked = xr.concat([run["mean"] for run in runs], "run", join="exact")
    columns: dict[tuple[str, str], pd.Series] = {}
    for site in stacked["site"].values:
        values = stacked.sel(site=site)
        columns[(str(site), "mean")] = values.mean("run").to_series()
        spread = values.std("run", ddof=1) if len(runs) > 1 else values.isel(run=0) * np.nan
        columns[(str(site), "sd")] = spread.to_series()
    return pd.DataFrame(columns, index=stacked["segmenter"].to_index())


def nearest_distance(synthetic: xr.Dataset, labelled: xr.Dataset) -> xr.DataArray:
    """Look for memorised scans: the distance of each synthetic scan to its nearest labelled scan.

    Parameters
    ----------
    synthetic, labelled : xarray.Dataset
        With ``image`` (case, y, x), normalised.

    Returns
    -------
    xarray.DataArray
        (case) root mean square difference per pixel to the nearest labelled scan, relative to the median distance
        between labelled scans themselves: near 0 means copied, about 1 means as different as patients are.
    """
    real = labelled["image"].values.reshape(labelled.sizes["case"], -1)
    made = synthetic["image"].values.reshape(synthetic.sizes["case"], -1)
    among = _distances(real, real)
    usual = np.median(among[~np.eye(len(real), dtype=bool)])
    return xr.DataArray(_distances(made, real).min(1) / usual, dims="case", attrs={"units": "1"}, name="distance")


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.stack([np.sqrt(np.mean((b - row) ** 2, axis=1, dtype=np.float64)) for row in a])
