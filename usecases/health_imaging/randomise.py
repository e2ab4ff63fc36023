"""Domain randomisation, the literature's answer to unseen contrasts, beside which the flow must be judged.

SynthSeg (Billot et al. 2023, Med Image Anal 86:102789): every tissue gets a random brightness, with no physics and
nothing learnt; then blur, inhomogeneity and noise. Called by the study part.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import ndimage

from .acquisition import normalise, smooth_field
from .labels import new_labels
from .relaxometry import TISSUES


def randomised(labelled: xr.Dataset, count: int, seed: int) -> xr.Dataset:
    """Draw scans of random contrast from the same label maps that the flow gets.

    Parameters
    ----------
    labelled : xarray.Dataset
        From :func:`.cohort.labelled_slices`.
    count, seed : int
        How many, and the seed; the label maps are those of the flow's for the same seed.

    Returns
    -------
    xarray.Dataset
        ``image`` (case, y, x) float32, ``label`` (case, y, x) uint8.
    """
    labels = new_labels(labelled, count, seed)
    rng = np.random.default_rng([seed, 303])
    images = []
    for label in labels:
        means, spreads = rng.uniform(0.1, 1.0, len(TISSUES) + 1), rng.uniform(0.0, 0.1, len(TISSUES) + 1)
        raw = means[label] + spreads[label] * rng.standard_normal(label.shape)
        raw = ndimage.gaussian_filter(np.where(label > 0, raw, 0.0), rng.uniform(0.2, 0.8))
        raw *= 1 + rng.uniform(0.0, 0.2) * smooth_field(rng, len(label))
        raw = np.abs(raw + rng.uniform(0.0, 0.06) * rng.standard_normal(label.shape))
        images.append(normalise(raw, label > 0))
    return xr.Dataset({"image": (("case", "y", "x"), np.stack(images)), "label": (("case", "y", "x"), labels)})
