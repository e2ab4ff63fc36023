"""What a scan is once it is read, and how its failures are said. Called by the readers of each format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray


class ScanError(ValueError):
    """A scan that cannot be used; the message names the file and the remedy."""


class ScanNotFoundError(ScanError, FileNotFoundError):
    """There is no such scan; the message names the path."""


#: Voxels of a head scan in mm: what lies beyond is a wrong unit, such as metres, or no head.
VOXEL = (0.05, 20.0)
LARGEST = 1e9  # of a signal; its square must still be a number in single precision


def to_array(path: Path, values: NDArray[np.float32], affine: NDArray[np.float64], units: str) -> xr.DataArray:
    """Turn (x, y, z) values and an affine to RAS millimetres into the array that we hand out."""
    import nibabel as nib

    if not np.all(np.isfinite(affine)) or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise ScanError(f"{path} does not say where its voxels lie (its affine is singular): export it again")
    steps = np.linalg.norm(affine[:3, :3], axis=0)
    if steps.min() < VOXEL[0] or steps.max() > VOXEL[1]:
        shown = " x ".join(f"{s:g}" for s in steps)
        usual = f"{VOXEL[0]:g} to {VOXEL[1]:g}"
        raise ScanError(f"{path} has voxels of {shown} mm, and a head scan has {usual}: set its units or spacing")
    if np.isinf(values).any():
        raise ScanError(f"{path} holds infinite values: set them to 0, or export it again")
    if np.abs(np.nan_to_num(values)).max(initial=0) > LARGEST:
        raise ScanError(f"{path} holds values above {LARGEST:g}, which no scanner gives: export it again")
    image = nib.as_closest_canonical(nib.Nifti1Image(np.atleast_3d(values), affine))
    data = np.asarray(image.dataobj, dtype=np.float32).transpose(2, 1, 0)
    steps, origin = np.linalg.norm(image.affine[:3, :3], axis=0), image.affine[:3, 3]
    coords = {
        axis: (axis, origin[i] + steps[i] * np.arange(data.shape[2 - i]), {"units": "mm"})
        for i, axis in enumerate("xyz")
    }
    attrs = {"units": units, "source": path.name, "orientation": "RAS", "spacing_mm": [float(s) for s in steps]}
    return xr.DataArray(data, dims=("z", "y", "x"), coords=coords, name="scan", attrs=attrs)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
