"""Domain randomisation, the literature's answer to unseen contrasts, beside which the flow must be judged.

SynthSeg (Billot et al. 2023, Med Image Anal 86:102789), checked against the paper and its published code: each label is
a Gaussian of random mean (0-255) and spread (0-35), then inhomogeneity (exponential of a 4 x 4 grid of normal numbers,
spread up to 0.5), gamma (exponent log-normal with 0.4), blur and coarser resolution; no physics, nothing learnt. Three
things differ, so that methods can be compared: the scans are drawn beforehand, as many as the flow's, and not anew at
every step; the labelled slices are trained on beside them, as with every method; the background is black, as in every
scan here. Called by the study part.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage

from .acquisition import normalise
from .labels import Labels, new_labels
from .relaxometry import TISSUES


def randomised(labelled: xr.Dataset, count: int, seed: int) -> xr.Dataset:
    """Draw scans of random contrast from the same label maps that the flow gets.

    Parameters
    ----------
    labelled : xarray.Dataset
        From :func:`.data.labelled_slices`.
    count, seed : int
        How many, and the seed; the label maps are those of the flow's for the same seed.

    Returns
    -------
    xarray.Dataset
        ``image`` (case, y, x) float32, ``label`` (case, y, x) uint8.
    """
    labels = new_labels(labelled, count, seed)
    rng = np.random.default_rng([seed, 303])
    images = [normalise(_scan(label, rng), label > 0) for label in labels]
    return xr.Dataset({"image": (("case", "y", "x"), np.stack(images)), "label": (("case", "y", "x"), labels)})


def _scan(label: Labels, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw one scan (y, x), 0 to 1, in the order of the paper: mixture, inhomogeneity, gamma, resolution."""
    means, spreads = rng.uniform(0, 1, len(TISSUES) + 1), rng.uniform(0, 35 / 255, len(TISSUES) + 1)
    raw = np.where(label > 0, means[label] + spreads[label] * rng.standard_normal(label.shape), 0.0)
    coarse = rng.normal(0.0, rng.uniform(0.0, 0.5), (4, 4))
    raw = np.clip(raw, 0, None) * np.exp(ndimage.zoom(coarse, len(label) / 4, order=3, mode="nearest", grid_mode=True))
    raw = (raw / raw.max()) ** np.exp(rng.normal(0.0, 0.4))
    coarser = rng.uniform(1.0, 2.0)  # pixels: what a scan of lower resolution looks like on this grid
    small = ndimage.zoom(ndimage.gaussian_filter(raw, 0.5 * coarser), 1 / coarser, order=1, mode="nearest")
    back = ndimage.zoom(small, np.divide(label.shape, small.shape), order=1, mode="nearest")
    return np.asarray(np.clip(back, 0, None))
