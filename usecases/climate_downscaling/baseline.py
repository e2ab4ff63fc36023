"""What the field would use without a generative model. Called by the study part.

Linear interpolation; the same with its quantiles mapped to those of the fine model (Wood et al. 2004, Clim. Change
62:189); and a random forest whose fully grown trees are the members of an ensemble, each leaf a past value: a sample
of the conditional distribution (after Meinshausen 2006, J. Mach. Learn. Res. 7:983).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from .data import Progress, coarsen, no_progress
from .model import enlarge, on_fine_grid, stack
from .quantiles import QuantileMap
from .units import DAY, VARIABLES

PIXELS = 40_000  # of the training snapshots, that the forest learns from
Array = NDArray[np.float32]


def interpolate(coarse: xr.Dataset, factor: int) -> xr.DataArray:
    """Return coarse rain linearly between the centres of its cells: (member, run, time, y, x), one member."""
    rain = torch.from_numpy(coarse["pr"].values.reshape(-1, 1, *coarse["pr"].shape[-2:]).astype(np.float32))
    return on_fine_grid(enlarge(rain, factor)[:, 0].numpy(), coarse, factor).expand_dims("member")


def fit_quantile_map(training: xr.Dataset, factor: int) -> QuantileMap:
    """Fit interpolated rain to fine rain, all points of the training runs together."""
    rain = interpolate(coarsen(training, factor), factor)
    return QuantileMap.fit(rain.values.ravel(), training["pr"].values.ravel())


def map_quantiles(fitted: QuantileMap, coarse: xr.Dataset, factor: int) -> xr.DataArray:
    """Return interpolated rain with mapped quantiles, one member."""
    rain = interpolate(coarse, factor)
    return rain.copy(data=np.maximum(fitted(rain.values), 0.0))


def adjusted(coarse: xr.Dataset, model: xr.Dataset, reference: xr.Dataset) -> xr.Dataset:
    """Return predictors of a coarse model with its bias taken away: quantiles mapped, variable by variable.

    Parameters
    ----------
    coarse : xarray.Dataset
        What the coarse model gives.
    model, reference : xarray.Dataset
        What it gave for other weather than that of ``coarse``, and what is right there; only distributions are used.
    """
    maps = {name: QuantileMap.fit(model[name].values.ravel(), reference[name].values.ravel()) for name in VARIABLES}
    return coarse.assign({name: coarse[name].copy(data=maps[name](coarse[name].values)) for name in VARIABLES})


def features(coarse: xr.Dataset, factor: int) -> Array:
    """Return what the forest sees of each fine point, (case * y * x, 16) float32.

    The five predictors linearly interpolated; rain of the coarse cell and its eight neighbours, taken together with
    the point's place in the cell as the slopes that it spans; the place itself.
    """
    fields = stack(coarse)
    fine = enlarge(fields, factor)  # (case, 5, y, x)
    around = [torch.roll(fields[:, :1], (dy, dx), (2, 3)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    cells = torch.cat(around, 1).repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    place = torch.arange(fine.shape[-1]) % factor - (factor - 1) / 2
    square = place.expand(len(place), -1)
    places = torch.stack([square.T, square]).expand(len(fine), -1, -1, -1)
    return torch.cat([fine, cells, places], 1).permute(0, 2, 3, 1).reshape(-1, 16).numpy()


def train_forest(training: xr.Dataset, factor: int, trees: int, seed: int) -> RandomForestRegressor:
    """Train on random points of the training snapshots.

    Parameters
    ----------
    training : xarray.Dataset
        From :func:`.data.simulate`.
    factor, trees, seed : int
        Factor of the study; size and seed of the forest.
    """
    x, y = features(coarsen(training, factor), factor), training["pr"].values.ravel() * DAY
    picked = np.random.default_rng([seed, 303]).permutation(len(y))[:PIXELS]
    forest = RandomForestRegressor(trees, max_features=0.5, random_state=seed, n_jobs=-1)
    return forest.fit(x[picked], y[picked])


def forest_ensemble(
    forest: RandomForestRegressor, coarse: xr.Dataset, factor: int, progress: Progress = no_progress
) -> xr.DataArray:
    """Return what every tree says: ``pr`` (member, run, time, y, x) in kg m-2 s-1."""
    x, side, drawn = features(coarse, factor), factor * coarse.sizes["y"], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # a tree lets go of the interpreter while it answers
        for rain in pool.map(lambda tree: (tree.predict(x) / DAY).astype(np.float32), forest.estimators_):
            drawn.append(on_fine_grid(rain.reshape(-1, side, factor * coarse.sizes["x"]), coarse, factor))
            progress(len(drawn), len(forest.estimators_), "trees of the forest")
    return xr.concat(drawn, "member")
