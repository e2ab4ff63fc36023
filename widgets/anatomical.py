"""Volumes of the field as one kind of plain data: array, xarray or nibabel in, axes to right, front and top out.

Called by the VolumeViewer; xarray and nibabel are recognised by what they have, and imported by whoever passes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .nifti import reoriented

#: More voxels than this (512 x 256 x 256) are more than a browser draws at ease.
LARGEST = 2**25
_AXES = ("z", "y", "x")


@dataclass(frozen=True)
class Anatomical:
    """A volume in space.

    Attributes
    ----------
    values : ndarray, shape (x, y, z)
        Axes run, as nearly as they can, to the patient's right, anterior and superior.
    affine : ndarray of float, shape (4, 4)
        From voxels to millimetres.
    """

    values: np.ndarray
    affine: np.ndarray

    @property
    def voxel(self) -> float:
        """Volume of a voxel in mm3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))


def read_volume(volume: Any, spacing: Sequence[float] | None = None) -> Anatomical:
    """Return a volume of numbers.

    Raises
    ------
    ValueError
        If it has not three axes, is too large, holds what is no number, or lies nowhere known.
    """
    found = _placed("volume", volume, volume, spacing)
    values = found.values.astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("the volume holds values that are no numbers: fill them in, for example with 0")
    return Anatomical(values, found.affine)


def read_labels(labels: Any, volume: Any, shown: Anatomical, spacing: Sequence[float] | None = None) -> np.ndarray:
    """Return labels, uint8 (x, y, z), that lie where the volume lies.

    Parameters
    ----------
    labels : array-like, xarray.DataArray or nibabel image
        An array has the axes of ``volume``.
    volume : like ``labels``
        As given to :func:`read_volume`, with the same ``spacing``.
    shown : Anatomical
        From :func:`read_volume`.

    Raises
    ------
    ValueError
        If shape or place differ, or labels are not whole numbers from 0 to 255.
    """
    bare = _kind(labels) == "array"
    found = _placed("labels", labels, volume if bare else labels, spacing if bare else None)
    if found.values.shape != shown.values.shape:
        raise ValueError(f"labels are {_times(found.values)}, the volume is {_times(shown.values)}: give one a voxel")
    if not np.allclose(found.affine, shown.affine, atol=1e-3):
        raise ValueError("labels lie elsewhere than the volume: resample them to the volume's grid first")
    if found.values.min() < 0 or found.values.max() > 255 or (found.values % 1).any():
        raise ValueError("labels are whole numbers from 0 to 255: threshold probabilities first")
    return found.values.astype(np.uint8)


def _kind(volume: Any) -> str:
    if hasattr(volume, "affine") and hasattr(volume, "dataobj"):
        return "image"
    return "field" if hasattr(volume, "dims") and hasattr(volume, "coords") else "array"


def _placed(what: str, volume: Any, like: Any, spacing: Sequence[float] | None) -> Anatomical:
    """Return the values of ``volume`` where ``like`` lies."""
    kind = _kind(like)
    if kind != "array" and spacing is not None:
        raise ValueError(f"{what} brings its own spacing: leave spacing out")
    values = np.asarray(volume.dataobj if _kind(volume) == "image" else volume)
    if values.ndim != 3 or not values.size or values.dtype.kind not in "buif":
        raise ValueError(f"{what} should be numbers with three axes, not {_times(values) or 'a single value'}")
    if values.size > LARGEST:
        raise ValueError(f"{what} of {_times(values)} is too large for a browser: take every second voxel")
    if kind == "image":
        _in_mm(what, like.header.get_xyzt_units()[0])
        return Anatomical(*reoriented(values, np.asarray(like.affine, float)))
    affine = _affine(what, like) if kind == "field" else _scaled(spacing, values.shape)
    return Anatomical(*reoriented(np.transpose(values), affine))


def _scaled(spacing: Sequence[float] | None, shape: Sequence[int]) -> np.ndarray:
    """Return the affine of an array (z, y, x), its middle at zero."""
    steps = np.array([] if spacing is None else spacing, float)
    if steps.shape != (3,) or not (steps > 0).all() or not np.isfinite(steps).all():
        raise ValueError("an array does not tell its size: pass spacing=(z, y, x), three positive numbers in mm")
    affine = np.diag([*steps[::-1], 1.0])
    affine[:3, 3] = -(np.array(shape[::-1]) - 1) / 2 * steps[::-1]
    return affine


def _affine(what: str, field: Any) -> np.ndarray:
    """Return the affine of a ``DataArray`` by its coordinates."""
    if tuple(field.dims) != _AXES:
        raise ValueError(f"{what} has dimensions {field.dims}: rename or transpose them to {_AXES}")
    affine = np.eye(4)
    for axis, name in enumerate(reversed(_AXES)):
        if name not in field.coords:
            raise ValueError(f"{what} has no coordinate {name!r}: add it, in mm")
        _in_mm(what, field[name].attrs.get("units", "mm"))
        along = np.asarray(field[name], float)
        steps = np.diff(along)
        if not steps.size or steps[0] == 0 or not np.allclose(steps, steps[0], rtol=1e-3):
            raise ValueError(f"{what}: coordinate {name!r} is not evenly spaced: interpolate the volume first")
        affine[axis, axis], affine[axis, 3] = steps.mean(), along[0]
    return affine


def _in_mm(what: str, unit: str) -> None:
    if unit not in ("mm", "unknown"):
        raise ValueError(f"{what} has coordinates in {unit!r}: convert them to mm")


def _times(values: np.ndarray) -> str:
    return " x ".join(map(str, values.shape))
