"""From an own scan to a slice that the segmenters take. Called by *Your own data*."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import ndimage

from .acquisition import Array, normalise
from .anatomy import FIELD_OF_VIEW
from .scan import ScanError


def axial_slice(scan: xr.DataArray, size: int, height: float | None = None) -> xr.DataArray:
    """Resample one axial slice onto the grid of the segmenters and normalise it.

    The scan should hold a brain without its skull: what is darker than a tenth of the brightest counts as background.

    Parameters
    ----------
    scan : xarray.DataArray
        From :func:`.readers.load_scan`.
    size : int
        Pixels on a side of the segmenter's slices.
    height : float, optional
        Height of the slice in mm; the middle of the scan by default.

    Returns
    -------
    xarray.DataArray
        (y, x) float32, normalised signal, coordinates in mm from the middle of the brain.

    Raises
    ------
    ScanError
        If the slice is empty: all of one value, or no numbers.
    """
    piece = scan.isel(z=scan.sizes["z"] // 2) if height is None else scan.sel(z=height, method="nearest")
    finite = piece.values[np.isfinite(piece.values)]
    values = np.nan_to_num(piece.values - (finite.min() if finite.size else 0.0))
    inside = values > 0.1 * np.percentile(values, 99.5)
    if not inside.any():
        remedy = "give a scan with the brain in its middle" if height is None else "choose another height"
        place = f"{'middle ' if height is None else ''}slice of {scan.attrs.get('source', 'the scan')}"
        raise ScanError(f"the {place} is empty: {remedy}, or look at it in a viewer and export it again")
    centre = ndimage.center_of_mass(inside)
    grid = (np.arange(size) - (size - 1) / 2) * FIELD_OF_VIEW / size
    rows, columns = ((grid / abs(scan.attrs["spacing_mm"][i])) + c for i, c in ((1, centre[0]), (0, centre[1])))
    where = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    image = ndimage.map_coordinates(values, where, order=1, mode="constant")
    brain = ndimage.map_coordinates(inside.astype(np.float32), where, order=1, mode="constant") > 0.5
    data: Array = normalise(image, brain)
    attrs = {"units": "1", "source": scan.attrs.get("source", "scan"), "height_mm": float(piece["z"])}
    coords = {axis: (axis, grid, {"units": "mm"}) for axis in ("y", "x")}
    return xr.DataArray(data, dims=("y", "x"), coords=coords, attrs=attrs, name="slice")
