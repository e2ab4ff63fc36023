"""The months of years that never were, drawn from those that were.

A network that writes one day after another gives years that are too much alike: what makes a dry year is the sum of
many days that lean the same way. So the leaning is drawn first, month by month, and the flow is told it. Called by the
generator.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .statistics import RAINY, spells
from .weather import MONTH, Array, monthly

BLOCK = 12  # months that are drawn together, beginning in January: a year's drought stays whole
JITTER = 0.5  # share of the spread between years that is added to a drawn year, so that no year comes back as it was


def by_month(values: Array) -> Array:
    """Return means by month, shape (..., 12), of daily values (..., 365)."""
    return np.stack([values[..., m == MONTH].mean(-1) for m in range(12)], -1)


class Months:
    """Monthly anomalies of a station's training years.

    Parameters
    ----------
    rain : ndarray, shape (year, 365)
        Rain [mm/day] of the training years.
    scores : ndarray, shape (year, 4, 365)
        Their scores.

    Attributes
    ----------
    values : ndarray, shape (year, 4, 12)
        Standardised cube root of the month's rain, and the means of the other scores.
    dry_spell : float
        Mean length of dry spells [day].
    annual_sd : float
        Standard deviation of the years' rain [mm].
    """

    def __init__(self, rain: Array, scores: NDArray[np.floating]) -> None:
        root = np.cbrt(monthly(rain))
        self.dry_spell = float(spells(rain >= RAINY, False).mean())
        self.annual_sd = float(rain.sum(1).std(ddof=1))
        self.centre, self.spread = root.mean(0), np.maximum(root.std(0), 0.05)
        wet = (root - self.centre) / self.spread
        self.values = np.concatenate([wet[:, None], by_month(np.asarray(scores[:, 1:], np.float64))], 1)  # (Y, 4, 12)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Draw anomalies of ``count`` years, shape (count, 4, 12).

        A block bootstrap (Künsch 1989, Ann Stat 17:1217), smoothed so that it keeps means and covariances (Silverman &
        Young 1987, Biometrika 74:469): blocks of :data:`BLOCK` months in their place, plus a random
        combination of the years' deviations, shrunk back to the same spread.
        """
        middle = self.values.mean(0)
        off = self.values - middle
        parts = [off[rng.integers(len(off), size=count)][..., start : start + BLOCK] for start in range(0, 12, BLOCK)]
        noise = np.tensordot(rng.standard_normal((count, len(off))), off, 1) / np.sqrt(len(off) - 1)
        drawn: Array = middle + (np.concatenate(parts, -1) + JITTER * noise) / np.sqrt(1 + JITTER**2)
        return drawn

    def totals(self, drawn: Array) -> Array:
        """Return the monthly rain [mm] that drawn anomalies (year, 4, 12) mean, shape (year, 12)."""
        return np.asarray(np.maximum(self.centre + self.spread * drawn[:, 0], 0.0) ** 3)
