"""What every method makes of the coarse fields, beside each other. Called by the study part and the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from sklearn.ensemble import RandomForestRegressor

from .baseline import (
    adjusted,
    fit_quantile_map,
    forest_ensemble,
    interpolate,
    map_quantiles,
    train_forest,
)
from .data import Progress, coarsen, driven, free_coarse, no_progress
from .evaluate import MODEL, climate, score
from .model import Downscaler
from .quantiles import QuantileMap
from .sizes import Sizes

#: Heavy rain of the fractions skill score, mm/day: fixed before anything was scored.
HEAVY = 20.0


@dataclass(frozen=True)
class Baselines:
    """The fitted simpler methods."""

    mapping: QuantileMap
    forest: RandomForestRegressor


def fit_baselines(training: xr.Dataset, sizes: Sizes, seed: int) -> Baselines:
    """Fit quantile mapping and the random forest on the training runs."""
    return Baselines(fit_quantile_map(training, sizes.factor), train_forest(training, sizes.factor, sizes.trees, seed))


def forecast(
    model: Downscaler,
    baselines: Baselines,
    coarse: xr.Dataset,
    members: int,
    seed: int,
    progress: Progress = no_progress,
) -> dict[str, xr.DataArray]:
    """Return fine rain by method, each (member, run, time, y, x) in kg m-2 s-1."""
    factor = model.factor
    return {
        "linear": interpolate(coarse, factor),
        "quantile mapping": map_quantiles(baselines.mapping, coarse, factor),
        "random forest": forest_ensemble(baselines.forest, coarse, factor, progress),
        "U-Net mean": model.mean(coarse).expand_dims("member"),
        MODEL: model.downscale(coarse, members, seed, progress),
    }


def inputs(test: xr.Dataset, validation: xr.Dataset, factor: int) -> dict[str, xr.Dataset]:
    """Return what the methods are given, by drive.

    ``perfect``: cell means of the fine model. ``driven``: the coarse model's fields, 12 hours after it left the fine
    model's state. ``adjusted``: the same, its quantiles mapped with what it did on the validation runs.
    """
    ahead = driven(test, factor)
    return {
        "perfect": coarsen(test, factor),
        "driven": ahead,
        "adjusted": adjusted(ahead, driven(validation, factor), coarsen(validation, factor)),
    }


def study(
    model: Downscaler,
    baselines: Baselines,
    test: xr.Dataset,
    validation: xr.Dataset,
    sizes: Sizes,
    seed: int,
    progress: Progress = no_progress,
) -> tuple[xr.Dataset, xr.DataArray]:
    """Score every method on the test runs under every drive.

    Returns
    -------
    scores : xarray.Dataset
        From :func:`.evaluate.score`, along ``drive``.
    members : xarray.DataArray
        The flow's ensemble under the perfect drive.
    """
    scored, kept = [], None
    given = inputs(test, validation, sizes.factor)
    for drive, coarse in given.items():

        def told(done: float, total: float, label: str, drive: str = drive) -> None:
            progress(done, total, f"{label}, {drive}")

        made = forecast(model, baselines, coarse, sizes.members, seed, told)
        kept = made[MODEL] if kept is None else kept
        scored.append(score(made, test["pr"], coarse, HEAVY))
    assert kept is not None
    scores = xr.concat(scored, "drive").assign_coords(drive=list(given))
    return scores.merge(free(model, validation, sizes, seed)), kept


FREE_MEMBERS = 4  # there is no truth to each snapshot, so that few members tell the climate


def free(model: Downscaler, validation: xr.Dataset, sizes: Sizes, seed: int) -> xr.Dataset:
    """Downscale a coarse model with weather of its own, whose climate alone can be compared with truth.

    Returns
    -------
    xarray.Dataset
        ``free_power`` (free, wave) and ``free_counts`` (free, rain) as in :func:`.evaluate.score`, with the coarse
        model as it is, and with its bias taken away: learnt from other runs of it, and from the validation runs.
    """
    own, other = (
        free_coarse(sizes.test_runs, sizes.test_snapshots, sizes.points, seed, sizes.factor, part, sizes.spin_up)
        for part in (0, 1)
    )
    given = {"as it is": own, "adjusted": adjusted(own, other, coarsen(validation, sizes.factor))}
    drawn = [climate(model.downscale(coarse, FREE_MEMBERS, seed)) for coarse in given.values()]
    return xr.Dataset(
        {
            "free_power": (("free", "wave"), np.stack([d[0] for d in drawn]), {"units": "mm2 day-2"}),
            "free_counts": (("free", "rain"), np.stack([d[1] for d in drawn]), {"units": "1"}),
        },
        coords={"free": list(given)},
    )
