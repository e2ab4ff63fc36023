"""Maps of one distribution to another, quantile by quantile. Called by the baselines, and for drawn rain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = np.concatenate([np.linspace(0, 0.99, 100), 1 - np.geomspace(0.009, 1e-5, 40), [1.0]])
Array = NDArray[np.float32]


@dataclass(frozen=True)
class QuantileMap:
    """A monotonous map of one distribution to another, linear between their quantiles.

    Attributes
    ----------
    source, target : ndarray of float, shape (141,)
        Quantiles of both at :data:`LEVELS`.
    """

    source: NDArray[np.float64]
    target: NDArray[np.float64]

    @classmethod
    def fit(cls, source: Array, target: Array) -> QuantileMap:
        """Return the map that gives values distributed as ``source`` the distribution of ``target``."""
        return cls(np.quantile(source, LEVELS), np.quantile(target, LEVELS))

    def __call__(self, values: Array) -> Array:
        """Return mapped values; beyond the ends the difference of the ends is added."""
        source = self.source + np.arange(len(LEVELS)) * 1e-12 * max(
            np.ptp(self.source), 1e-30
        )  # equal ones stay in order
        mapped = np.interp(values, source, self.target)
        beyond = np.where(values > source[-1], values - source[-1], np.minimum(values - source[0], 0.0))
        return np.asarray(mapped + beyond, dtype=np.float32)
