"""New label maps and contrast maps from those of the labelled slices. Called by the generator and by randomisation.

Synthetic scans start from labels, so their truth is exact. New maps are the labelled ones with lesions taken out,
deformed, and new lesions put in; no anatomy enters that the labelled slices do not hold.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from .acquisition import Array, Protocol, normalise, signal, smooth_field
from .anatomy import FIELD_OF_VIEW, lesion_score
from .relaxometry import LESION, TISSUES

Labels = NDArray[np.uint8]
_WHITE = TISSUES.index("wm") + 1


def one_hot(labels: Labels) -> Array:
    """Return (case, 5, y, x) float32 indicators of (case, y, x) labels."""
    classes = np.arange(len(TISSUES) + 1)[:, None, None]
    return np.asarray(labels[:, None] == classes, dtype=np.float32)


def new_labels(labelled: xr.Dataset, count: int, seed: int) -> Labels:
    """Return ``count`` new label maps.

    Parameters
    ----------
    labelled : xarray.Dataset
        From :func:`.data.labelled_slices`; its label maps are reused in turn.
    count : int
        How many.
    seed : int
        Seed of the deformations and lesions.

    Returns
    -------
    ndarray of uint8, shape (count, y, x)
    """
    sources = labelled["label"].values
    areas = (sources == LESION).sum((1, 2))
    rng = np.random.default_rng([seed, 101])
    maps = [_new_label(sources[i % len(sources)], int(rng.choice(areas)), rng) for i in range(count)]
    return np.stack(maps) if maps else np.zeros((0, *sources.shape[1:]), np.uint8)


def _new_label(source: Labels, area: int, rng: np.random.Generator) -> Labels:
    healthy = np.where(source == LESION, _WHITE, source)
    side = len(healthy)
    step = FIELD_OF_VIEW / side
    shift = np.stack([smooth_field(rng, side, modes=4) for _ in range(2)]) * 10.0 / step  # up to 1 cm
    where = np.mgrid[:side, :side] + shift
    label = ndimage.map_coordinates(healthy, where, order=0, mode="nearest").astype(np.uint8)
    score = lesion_score(one_hot(label[None])[0, 1:4], (step, step), rng)
    ranked = np.sort(score, axis=None)[::-1]
    wanted = min(max(1, round(area * rng.uniform(0.5, 2.0))), int(np.isfinite(ranked).sum()))
    return np.where(score >= ranked[wanted - 1], np.uint8(LESION), label) if wanted else label


def contrast_map(label: Labels, protocol: Protocol, rng: np.random.Generator | None = None) -> Array:
    """Return the scan that the literature's tissue values predict: flat tissues, no noise.

    Parameters
    ----------
    label : ndarray of uint8, shape (y, x)
        Label map.
    protocol : Protocol
        Settings of the scanner.
    rng : numpy.random.Generator, optional
        Draws one person's relaxation times; without it, the means of the literature.

    Returns
    -------
    ndarray of float32, shape (y, x)
        Normalised as a scan is.
    """
    levels = np.concatenate([[0.0], np.abs(signal(protocol, rng).values)])
    return normalise(levels[label], label > 0)
