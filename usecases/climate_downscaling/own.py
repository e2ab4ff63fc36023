"""From own coarse fields to what the downscaler takes. Called by *Your own data*."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from .model import FOLD, Downscaler
from .naming import CoarseError
from .readers import load_coarse
from .sizes import Sizes
from .units import DAY, VARIABLES

TIMES = 2  # of own fields are downscaled


def read_own(path: str | Path, sizes: Sizes) -> xr.Dataset:
    """Return the first :data:`TIMES` own fields, checked against the sizes of the study before anything is trained.

    Parameters
    ----------
    path : str or Path
        Of a NetCDF file or Zarr store, see :func:`.readers.load_coarse`.
    sizes : Sizes
        Of the study that will downscale them.

    Raises
    ------
    CoarseError
        If they cannot be used, or if their cells do not fit the networks.
    """
    coarse = load_coarse(path, times=TIMES)
    whole = FOLD * 2 ** (len(sizes.channels) - 1)
    for axis in ("y", "x"):
        if coarse.sizes[axis] * sizes.factor % whole:
            cells = whole // np.gcd(whole, sizes.factor)
            raise CoarseError(
                f"{path} has {coarse.sizes[axis]} cells along {axis}: cut the region so that {cells} divides them"
            )
    return coarse


def like_training(coarse: xr.Dataset, model: Downscaler) -> xr.Dataset:
    """Return own predictors with the mean and the standard deviation that the training runs had, variable by variable.

    The downscaler knows an idealised atmosphere without seasons, land or heights; only the pattern of own fields says
    something to it. Rain keeps its dry cells: it is scaled alone, so that its root has the mean of training.

    Parameters
    ----------
    coarse : xarray.Dataset
        From :func:`.readers.load_coarse`.
    model : Downscaler
        Trained.
    """
    scaled = {}
    for i, name in enumerate(VARIABLES):
        values = coarse[name].values.astype(np.float64)
        mean, sd = model.scaling.mean[i], model.scaling.sd[i]
        if name == "pr":
            usual = np.sqrt(np.maximum(values, 0) * DAY).mean()
            values = values * ((mean / usual) ** 2 if usual > 0 else 1.0)
        else:
            values = (values - values.mean()) * (sd / max(values.std(), 1e-12)) + mean
        scaled[name] = coarse[name].copy(data=values.astype(np.float32))
    return coarse.assign(scaled)


def downscale_own(model: Downscaler, coarse: xr.Dataset, members: int, seed: int) -> xr.DataArray:
    """Return fine rain for own fields, (member, time, y, x) in kg m-2 s-1, each cell keeping its own coarse rain.

    The ensemble is scaled cell by cell to the coarse rain: real rain has another scale than that of the training, and
    water must be kept.
    """
    fine = model.downscale(like_training(coarse, model), members, seed)
    values, factor = fine.values, model.factor
    cells = values.reshape(*values.shape[:-2], coarse.sizes["y"], factor, coarse.sizes["x"], factor)
    mean = cells.mean((-3, -1), keepdims=True)
    wanted = coarse["pr"].values[None, :, :, None, :, None]
    kept = np.where(mean > 1e-12, cells * (wanted / np.maximum(mean, 1e-12)), wanted)
    return fine.copy(data=kept.reshape(values.shape).astype(np.float32))
