"""How far the outline of a segmentation lies from the true one, in millimetres. Called by evaluate.

Dice rewards area, so it is won by large lesions; outlines are what a radiologist sees. As in MONAI's
``compute_hausdorff_distance`` and ``compute_surface_dice`` (a test holds both against it), the outline is the set of
mask pixels with a neighbour outside, and distances are Euclidean between pixel centres. SciPy's distance transform is
used because MONAI takes six seconds to import.

What an empty prediction costs is a convention, and it decides how methods that find nothing are judged:

- the surface Dice of an empty prediction is 0, as its Dice is;
- the Hausdorff distance has no value where one outline is missing. As in BraTS, such a slice counts as the longest
  distance in the picture: the diagonal of the field of view, 294 mm. How many slices that were is reported beside it;
- where neither mask has a lesion both are NaN and left out of means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .anatomy import FIELD_OF_VIEW

#: mm; one pixel of the default profile, whose outlines are 0, 3.25, 4.6, 6.5 … mm apart. The same for all profiles.
TOLERANCE = 4.0
#: mm; what a missing outline counts as.
MISSED = float(np.hypot(FIELD_OF_VIEW, FIELD_OF_VIEW))
Mask = NDArray[np.bool_]


def outline(mask: Mask) -> Mask:
    """Return the pixels of ``mask`` (y, x) that have one of their four neighbours outside; the margin is outside."""
    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def _apart(found: Mask, truth: Mask, step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance of each outline pixel of either mask to the nearest one of the other, mm."""
    a, b = outline(found), outline(truth)
    to_a, to_b = (ndimage.distance_transform_edt(~edge, sampling=step) for edge in (a, b))
    return to_b[a], to_a[b]


def hausdorff_95(found: Mask, truth: Mask, step: float) -> float:
    """Return the larger of the two directed 95th percentiles of distance between the outlines.

    Parameters
    ----------
    found, truth : ndarray of bool, shape (y, x)
        Masks of one slice.
    step : float
        Side of a pixel in mm.

    Returns
    -------
    float
        Millimetres; ``MISSED`` where one mask is empty, NaN where both are.
    """
    if not (found.any() and truth.any()):
        return MISSED if found.any() or truth.any() else float("nan")
    return float(max(np.percentile(side, 95) for side in _apart(found, truth, step)))


def surface_dice(found: Mask, truth: Mask, step: float, tolerance: float = TOLERANCE) -> float:
    """Return the share of both outlines that lies within ``tolerance`` of the other (Nikolov et al. 2021).

    Parameters
    ----------
    found, truth : ndarray of bool, shape (y, x)
        Masks of one slice.
    step : float
        Side of a pixel in mm.
    tolerance : float
        In mm (J Med Internet Res 23:e26151).

    Returns
    -------
    float
        0 to 1; 0 where one mask is empty, NaN where both are.
    """
    if not (found.any() and truth.any()):
        return 0.0 if found.any() or truth.any() else float("nan")
    sides = np.concatenate(_apart(found, truth, step))
    return float((sides <= tolerance).mean())


def by_slice(found: Mask, truth: Mask, step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Hausdorff distance (mm) and the surface Dice of every slice of two stacks.

    Parameters
    ----------
    found, truth : ndarray of bool, shape (..., y, x)
        Masks; ``truth`` is broadcast to ``found``.
    step : float
        Side of a pixel in mm.

    Returns
    -------
    hausdorff, surface : ndarray of float64, shape (...)
    """
    pairs = list(zip(_flat(found), _flat(np.broadcast_to(truth, found.shape)), strict=True))
    shape = found.shape[:-2]
    far = np.array([hausdorff_95(*pair, step) for pair in pairs]).reshape(shape)
    return far, np.array([surface_dice(*pair, step) for pair in pairs]).reshape(shape)


def _flat(masks: Mask) -> Mask:
    return masks.reshape(-1, *masks.shape[-2:])
