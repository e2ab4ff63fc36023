"""Compare arrays: shape, type, and every element. Used by the kinds that hold arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .finding import IDENTICAL, Finding, different
from .tolerance import Tolerance


def compare(ours: NDArray[Any], theirs: NDArray[Any], tolerance: Tolerance) -> Finding:
    """Compare two arrays; ``theirs`` is the record's. NaN equals NaN in the same place."""
    if ours.shape != theirs.shape:
        return different(None, f"shape {ours.shape} instead of {theirs.shape}")
    if ours.dtype != theirs.dtype and not _texts(ours, theirs):
        return different(None, f"type {ours.dtype} instead of {theirs.dtype}")
    if theirs.dtype.kind not in "biufc":
        return _exactly(ours, theirs)
    if ours.tobytes() == theirs.tobytes():
        return IDENTICAL
    return _numbers(ours, theirs, tolerance)


def _texts(ours: NDArray[Any], theirs: NDArray[Any]) -> bool:
    """Tell whether both hold texts, whose longest decides on NumPy's type."""
    return ours.dtype.kind == theirs.dtype.kind and ours.dtype.kind in "USO"


def _exactly(ours: NDArray[Any], theirs: NDArray[Any]) -> Finding:
    """Compare texts and times; two that are missing are the same."""
    unlike = np.asarray([a != b and not (a != a and b != b) for a, b in zip(ours.flat, theirs.flat, strict=True)])
    if not unlike.any():
        return IDENTICAL
    index = np.unravel_index(int(unlike.argmax()), theirs.shape)
    return different(place(index), f"{str(ours[index])[:60]!r} instead of {str(theirs[index])[:60]!r}")


def _numbers(ours: NDArray[Any], theirs: NDArray[Any], tolerance: Tolerance) -> Finding:
    wide = complex if theirs.dtype.kind == "c" else np.longdouble if theirs.dtype.kind in "iu" else float
    a, b = ours.astype(wide), theirs.astype(wide)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        size = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, np.abs(a - b)).astype(float)
        relative = np.where(size == 0, 0, size / np.abs(b)).astype(float)
        beyond = ~(size <= tolerance.atol + tolerance.rtol * np.abs(b))
    largest = _largest(size)
    sizes = (largest, _largest(relative))
    if not beyond.any():
        if largest == 0:
            return Finding("equal", aside=("signs of zeros, or kinds of NaN",))
        return Finding("equal", place(np.unravel_index(int(np.nanargmax(size)), size.shape)), None, *sizes)
    first = np.unravel_index(int(beyond.argmax()), beyond.shape)
    many = f"{ours[first]} instead of {theirs[first]}, {int(beyond.sum())} of {beyond.size} values beyond the tolerance"
    return Finding("different", place(first), many, *sizes)


def _largest(values: NDArray[Any]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else None


def place(index: tuple[Any, ...]) -> str | None:
    """Return an index as one writes it; nothing for a single number."""
    return f"[{', '.join(str(int(i)) for i in index)}]" if index else None
