"""A volume as NIfTI-1 bytes, the form that viewers of medical images read. Called by the VolumeViewer.

The 348 bytes of the header after the standard (https://nifti.nimh.nih.gov/nifti-1); written here, so that a viewer
needs no reader of the field.
"""

from __future__ import annotations

import struct
from itertools import permutations
from typing import Any

import numpy as np

_HEADER, _DATA = 348, 352  # bytes of the header, and where values begin
_TYPES = {"uint8": (2, 8), "int16": (4, 16)}  # the standard's code, bits a value
_MM = 2  # code of millimetres
_STEPS = 65_000  # of the 65,536 that int16 has


def nifti1(values: np.ndarray, affine: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> bytes:
    """Return a single-file NIfTI-1 image.

    Parameters
    ----------
    values : ndarray of uint8 or int16, shape (x, y, z)
        Stored as they are.
    affine : ndarray of float, shape (4, 4)
        From voxels to millimetres: right, anterior, superior.
    slope, intercept : float
        A reader shows ``slope * value + intercept``.
    """
    code, bits = _TYPES[values.dtype.name]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    header = bytearray(_HEADER)
    struct.pack_into("<i", header, 0, _HEADER)
    struct.pack_into("<8h", header, 40, 3, *values.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, 1.0, *spacing, 1.0, 1.0, 1.0, 1.0)
    struct.pack_into("<3f", header, 108, _DATA, slope, intercept)
    struct.pack_into("<B", header, 123, _MM)
    struct.pack_into("<2h", header, 252, 0, 2)  # the affine below holds, and no quaternion
    struct.pack_into("<12f", header, 280, *np.asarray(affine, float)[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header) + bytes(4) + values.astype(values.dtype.newbyteorder("<")).tobytes(order="F")


def packed(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return values as int16, with the slope and intercept that bring them back to within 1/65000 of their range."""
    low, high = float(values.min()), float(values.max())
    slope = (high - low) / _STEPS or 1.0
    middle = (high + low) / 2
    return np.rint((values - middle) / slope).astype(np.int16), slope, middle


def towards_ras(affine: np.ndarray) -> list[tuple[int, bool]]:
    """Return, for right, anterior and superior, the array axis nearest to it and whether it runs the other way."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    best = max(permutations(range(3)), key=lambda axes: sum(abs(directions[i, axes[i]]) for i in range(3)))
    return [(axis, bool(directions[i, axis] < 0)) for i, axis in enumerate(best)]


def reoriented(values: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a volume (x, y, z) whose axes run right, anterior and superior as nearly as they can, and its affine."""
    moved: Any = np.asarray(affine, float).copy()
    axes = towards_ras(moved)
    for axis, back in axes:
        if back:
            values = np.flip(values, axis)
            moved[:3, 3] += moved[:3, axis] * (values.shape[axis] - 1)
            moved[:3, axis] *= -1
    order = [axis for axis, _ in axes]
    moved[:3, :3] = moved[:3, order]
    return np.transpose(values, order), moved
