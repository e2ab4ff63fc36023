"""The random forest on patch features, the classical baseline. Called by the study part.

Voxel-wise forests on intensity, smoothed intensity and gradients are what lesion tools used before networks
(Geremia et al. 2011, NeuroImage 57:378).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.ensemble import RandomForestClassifier

from .acquisition import Array
from .relaxometry import LESION


def features(image: Array) -> Array:
    """Return what the forest sees of each pixel of a slice (y, x): (y * x, 11) float32.

    Intensity; Gaussian smoothing, gradient and local spread at 1, 2 and 4 pixels; the distance from the middle line.
    """
    maps = [image]
    for sigma in (1.0, 2.0, 4.0):
        smooth = ndimage.gaussian_filter(image, sigma)
        spread = np.sqrt(np.maximum(ndimage.gaussian_filter(image**2, sigma) - smooth**2, 0))
        maps += [smooth, ndimage.gaussian_gradient_magnitude(image, sigma), spread]
    maps.append(np.broadcast_to(np.abs(np.linspace(-1, 1, image.shape[1])), image.shape))
    return np.stack(maps, -1).reshape(-1, len(maps)).astype(np.float32)


def train_forest(labelled: xr.Dataset, trees: int, seed: int) -> RandomForestClassifier:
    """Train on the pixels within the brain of the labelled slices, lesions weighted up to balance.

    Parameters
    ----------
    labelled : xarray.Dataset
        From :func:`.data.labelled_slices`.
    trees, seed : int
        Size and seed of the forest.
    """
    inside = labelled["label"].values.reshape(-1) > 0
    x = np.concatenate([features(image) for image in labelled["image"].values])[inside]
    y = (labelled["label"].values.reshape(-1) == LESION)[inside]
    forest = RandomForestClassifier(
        n_estimators=trees, min_samples_leaf=3, class_weight="balanced_subsample", random_state=seed, n_jobs=-1
    )
    return forest.fit(x, y)


def predict_forest(forest: RandomForestClassifier, images: Array) -> NDArray[np.bool_]:
    """Return the lesion mask (case, y, x) of normalised slices (case, y, x)."""
    x = np.concatenate([features(image) for image in images])
    return np.asarray(forest.predict(x), dtype=bool).reshape(images.shape)


def predict_sites(forest: RandomForestClassifier, test: xr.Dataset) -> NDArray[np.bool_]:
    """Return lesion masks (case, site, y, x) of the test scans of all sites."""
    images: Array = test["image"].values
    return predict_forest(forest, images.reshape(-1, *images.shape[2:])).reshape(images.shape)
