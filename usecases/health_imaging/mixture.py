"""The Gaussian mixture of intensities, which adapts to each scan by itself. Called by the study part.

What lesion tools did before they were trained (Van Leemput et al. 2001, IEEE TMI 20:677; SAMSEG-lesion, Cerri et al.
2021, NeuroImage 225:117471): tissues are Gaussians in intensity, fitted to the very scan that is to be segmented, so no
contrast is foreign; where each tissue lies is an atlas made of the labelled slices, and lesions start as the outliers
of white matter. Nothing is known of a scanner beforehand.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.mixture import GaussianMixture

from .acquisition import Array
from .anatomy import FIELD_OF_VIEW
from .relaxometry import LESION, TISSUES

_WIDTH = 6.0  # mm; slices of different heights and people make a smooth atlas
_OUTLIER = 2.5  # standard deviations from white matter at which a pixel may be lesion, to begin with


def atlas(labelled: xr.Dataset) -> Array:
    """Return how often each tissue lies at each pixel, (tissue, y, x) float32, from the labels and their mirror image.

    Parameters
    ----------
    labelled : xarray.Dataset
        From :func:`.data.labelled_slices`.
    """
    labels = labelled["label"].values
    labels = np.concatenate([labels, labels[..., ::-1]])
    step = FIELD_OF_VIEW / labels.shape[-1]
    shares = [(labels == k + 1).mean(0, dtype=np.float32) for k in range(len(TISSUES))]
    return np.stack([ndimage.gaussian_filter(s, _WIDTH / step) for s in shares]) + np.float32(1e-3)


def segment(image: Array, where: Array) -> NDArray[np.bool_]:
    """Return the lesion mask of one slice.

    Parameters
    ----------
    image : ndarray of float32, shape (y, x)
        Normalised slice; the corner is background.
    where : ndarray of float32, shape (tissue, y, x)
        From :func:`atlas`.
    """
    inside = image > image[0, 0]
    x, share = image[inside].astype(np.float64), where[:, inside] / where[:, inside].sum(0)
    means, variances = _start(x, share)
    mixture = GaussianMixture(
        len(TISSUES),
        covariance_type="spherical",
        weights_init=share.mean(1) / share.mean(1).sum(),
        means_init=means[:, None],
        precisions_init=1 / variances,
    ).fit(x[:, None])
    spread = np.sqrt(mixture.covariances_)
    density = np.exp(-(((x - mixture.means_) / spread[:, None]) ** 2) / 2) / spread[:, None]
    mask = np.zeros(image.shape, bool)
    mask[inside] = (share * density).argmax(0) + 1 == LESION
    return mask


def _start(x: NDArray[np.float64], share: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of each tissue where the atlas has it; of lesions, what is no white matter there."""
    white = TISSUES.index("wm")
    means = (share * x).sum(1) / share.sum(1)
    variances = (share * (x - means[:, None]) ** 2).sum(1) / share.sum(1) + 1e-3
    far = share[-1] * (np.abs(x - means[white]) > _OUTLIER * np.sqrt(variances[white])) + 1e-6
    means[-1] = (far * x).sum() / far.sum()
    variances[-1] = (far * (x - means[-1]) ** 2).sum() / far.sum() + 1e-3
    return means, variances


def predict_sites(where: Array, test: xr.Dataset) -> NDArray[np.bool_]:
    """Return lesion masks (case, site, y, x) of the test scans of all sites, each fitted by itself."""
    images: Array = test["image"].values
    masks = [segment(image, where) for image in images.reshape(-1, *images.shape[2:])]
    return np.stack(masks).reshape(images.shape)
