"""How good a segmentation is, with its uncertainty. Called by the study part and by whoever compares runs.

Dice (Dice 1945, Ecology 26:297) over the lesion pixels of each test slice, and beside it what the outlines say
(:mod:`.surface`); their means with a percentile bootstrap over patients (Efron & Tibshirani 1993), which tells how far
other patients would move them. What other trainings would change is told by runs with other seeds
(:func:`.compare.paired`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .anatomy import FIELD_OF_VIEW
from .relaxometry import LESION
from .surface import MISSED, TOLERANCE, by_slice

RESAMPLES = 2000
#: Unit and name of each score of a slice.
MEASURES = {
    "dice": ("1", "Dice of the lesions"),
    "surface_dice": ("1", f"share of the outlines within {TOLERANCE:g} mm"),
    "hd95": ("mm", "95 % Hausdorff distance of the outlines"),
}


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
        From :func:`.data.cohort`, with ``label``.

    Returns
    -------
    xarray.Dataset
        ``dice``, ``surface_dice`` and ``hd95`` in mm (segmenter, case, site), and ``missed``, where a method found no
        lesion at all; ``mean``, ``low``, ``high`` (segmenter, site): Dice over patients as :func:`summary` has it.
        Attribute ``main_mix``: see :func:`main_mix`.
    """
    truth = (test["label"].values == LESION)[:, None]  # (case, 1, y, x)
    found = np.stack(list(masks.values()))
    hausdorff, surface = by_slice(found, truth, FIELD_OF_VIEW / truth.shape[-1])
    values = {"dice": dice(found, truth), "surface_dice": surface, "hd95": hausdorff}
    dims = ("segmenter", "case", "site")
    scores = xr.Dataset(
        {k: (dims, values[k], {"units": unit, "long_name": name}) for k, (unit, name) in MEASURES.items()}
        | {"missed": (dims, ~found.any((-2, -1)), {"long_name": "nothing was found"})},
        coords={"segmenter": list(masks), "site": test["site"]},
    )
    scores["hd95"].attrs["empty"] = f"a slice in which nothing was found counts as {MISSED:.0f} mm"
    scores = scores.assign(lesion_load=test["lesion_load"])
    return scores.merge(summary(scores)).assign_attrs(main_mix=main_mix(list(masks)))


def summary(scores: xr.Dataset, measure: str = "dice") -> xr.Dataset:
    """Return ``mean``, ``low`` and ``high`` (segmenter, site) of a measure: over patients, with the 95 % interval."""
    values = scores[measure].transpose("segmenter", "case", "site")
    unit, name = MEASURES[measure]
    low, high = (values.isel(case=0, drop=True).copy(data=end) for end in bootstrap(values.values))
    said = {"mean": "mean over patients", "low": "2.5 % of the bootstrap", "high": "97.5 % of the bootstrap"}
    parts = {"mean": values.mean("case"), "low": low, "high": high}
    return xr.Dataset({k: v.assign_attrs(units=unit, long_name=f"{name}, {said[k]}") for k, v in parts.items()})


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
    """Return how much higher the Dice of ``method`` is at ``site``, paired by patient, and half its 95 % interval."""
    both = scores["dice"].sel(site=site)
    difference = (both.sel(segmenter=method) - both.sel(segmenter=baseline)).values
    low, high = bootstrap(difference[None, :, None])
    return float(np.nanmean(difference)), float((high - low).item() / 2)
