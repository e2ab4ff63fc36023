"""Are synthetic scans copies of the labelled ones? By nearest neighbours. Called by the study part.

Two questions, as one would be misread: how near is the nearest labelled scan, and is it nearer than a scan of a patient
whom the generator never met? The label maps of synthetic scans are deformations of the labelled ones by up to 1 cm, so
some nearness is there by construction. Pixel distances are crude and no proof of privacy.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .data import one_site_each


def nearest_distance(synthetic: xr.Dataset, labelled: xr.Dataset) -> xr.DataArray:
    """Return the distance of each synthetic scan to its nearest labelled scan.

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


def nearer_share(synthetic: xr.Dataset, labelled: xr.Dataset, test: xr.Dataset) -> float:
    """Return the share of synthetic scans that lie nearer to a labelled scan than to any of as many others.

    Parameters
    ----------
    synthetic, labelled : xarray.Dataset
        With ``image`` (case, y, x), normalised.
    test : xarray.Dataset
        Patients whom the generator never met, ``image`` (case, site, y, x), with at least the labelled slices' sites.

    Returns
    -------
    float
        About one half where patients do not matter; 1 where every scan stays next to one that it was made from.
    """
    count = min(labelled.sizes["case"], test.sizes["case"])
    real = labelled["image"].values[:count].reshape(count, -1)
    others = one_site_each(test.isel(case=slice(count)))["image"].values.reshape(count, -1)
    made = synthetic["image"].values.reshape(synthetic.sizes["case"], -1)
    return float((_distances(made, real).min(1) < _distances(made, others).min(1)).mean())


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.stack([np.sqrt(np.mean((b - row) ** 2, axis=1, dtype=np.float64)) for row in a])
