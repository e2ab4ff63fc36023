"""Weather as four smooth Gaussian channels and back, exactly. Called by the flow.

What a network learns well is near a standard normal; daily rain is zero on most days and heavy-tailed on the others. So
each variable is mapped to normal scores by station and month, as generators of the field do for their residuals
(Richardson 1981, Water Resour Res 17:182) and geostatistics for skewed data. A dry day is any
value below the dry share (a Gaussian cut at the threshold of rain, as in Bárdossy & Plate 1992, Water Resour Res
28:1247): the lower, the farther the next rain, so that the scores of a spell say how long it is. The way back maps
scores to quantiles of the training years: temperatures never cross, rain and ET0 are never negative, and rain above
the highest seen follows an exponential tail.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.special import ndtr, ndtri

from .weather import DAYS, MONTH, Array, dataset

CHANNELS = ("rain", "mean", "span", "et0")
WET = 0.1  # mm/day, below which a day counts as dry when scores are made
HARMONICS = 3
_TINY = 1e-6


def seasonal_basis() -> Array:
    """Return the constant and :data:`HARMONICS` yearly harmonics, shape (365, 1 + 2 * HARMONICS)."""
    turn = 2 * np.pi * (np.arange(DAYS) + 0.5) / DAYS
    waves = [f(k * turn) for k in range(1, HARMONICS + 1) for f in (np.cos, np.sin)]
    return np.stack([np.ones(DAYS), *waves], 1)


def smooth(values: Array) -> Array:
    """Return the least-squares harmonics of yearly values (year, 365), shape (365,)."""
    basis = seasonal_basis()
    found: Array = basis @ np.linalg.lstsq(basis, values.mean(0), rcond=None)[0]
    return found


class Scores:
    """The map between one station's weather and its scores, fitted on training years alone.

    Parameters
    ----------
    weather : xarray.Dataset
        Training years, as :func:`.weather.dataset` has them.
    """

    def __init__(self, weather: xr.Dataset) -> None:
        raw = _raw(weather)
        self.centre, self.spread = np.zeros((3, DAYS)), np.ones((3, DAYS))
        for i, values in enumerate(raw[1:]):
            self.centre[i] = smooth(values)
            self.spread[i] = np.sqrt(np.maximum(smooth((values - self.centre[i]) ** 2), _TINY))
        rest = (raw[1:] - self.centre[:, None]) / self.spread[:, None]
        self.sorted = [[np.sort(r[:, m == MONTH].ravel()) for m in range(12)] for r in rest]
        self.dry = np.array([(raw[0][:, m == MONTH] < WET).mean() for m in range(12)]).clip(0.02, 0.98)
        self.wet = [_wet(raw[0], m) for m in range(12)]

    def forward(self, weather: xr.Dataset, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return the scores (year, 4, 365); ties between dry days, ranked by their distance from rain, fall by lot."""
        raw = _raw(weather)
        out = np.empty((raw.shape[1], 4, DAYS), np.float32)
        far = _distance(raw[0] >= WET) + rng.uniform(0, 1, raw[0].shape)
        for m in range(12):
            days = m == MONTH
            out[:, 0, days] = self._rain_forward(raw[0][:, days], far[:, days], m)
            for i in range(3):
                rest = (raw[i + 1][:, days] - self.centre[i, days]) / self.spread[i, days]
                out[:, i + 1, days] = ndtri(_share(self.sorted[i][m], rest))
        return out

    def _rain_forward(self, rain: Array, far: Array, m: int) -> Array:
        dry = self.dry[m] * (1 - _share(np.sort(far[rain < WET]), far)).clip(_TINY, 1 - _TINY)
        wet = self.dry[m] + (1 - self.dry[m]) * _share(self.wet[m], rain)
        return np.asarray(ndtri(np.where(rain < WET, dry, wet)))

    def rain(self, score: Array) -> Array:
        """Return the rain [mm/day] of scores (..., 365)."""
        out = np.zeros(score.shape)
        for m in range(12):
            days = m == MONTH
            share = (ndtr(score[..., days]) - self.dry[m]) / (1 - self.dry[m])
            out[..., days] = np.where(share > 0, _quantile(self.wet[m], share.clip(0, 1), tail=True), 0.0)
        return out

    def backward(self, scores: NDArray[np.floating], years: NDArray[np.int64], **attrs: object) -> xr.Dataset:
        """Return the weather of scores (year, 4, 365)."""
        values = np.empty((3, len(scores), DAYS))
        for m in range(12):
            days = m == MONTH
            for i in range(3):
                share = ndtr(np.asarray(scores[:, i + 1, days], np.float64))
                values[i][:, days] = _quantile(self.sorted[i][m], share)
        mean, span, et0 = self.centre[:, None] + self.spread[:, None] * values
        half = np.maximum(np.exp(span), 0.1) / 2
        rain = self.rain(np.asarray(scores[:, 0], np.float64))
        named = {"tmin": mean - half, "tmax": mean + half, "rain": rain, "et0": np.exp(et0).clip(0, 30)}
        return dataset(named, years, **attrs)

    def climate(self) -> NDArray[np.float32]:
        """Return what the flow is told of a station's climate on each day, roughly scaled to one: (6, 365).

        Dry share, log of the mean wet day, and the seasonal mean and spread of the daily mean temperature, log of
        the daily range and log of ET0.
        """
        wet = np.array([np.log(w.mean()) for w in self.wet])
        rows = [ndtri(self.dry)[MONTH], wet[MONTH] - 1.5, (self.centre[0] - 12) / 10, self.spread[0] / 4]
        rows += [self.centre[1] - 2.3, self.centre[2] - 0.7]
        return np.stack(rows).astype(np.float32)


def _raw(weather: xr.Dataset) -> Array:
    """Return rain, mean temperature, log of the daily range and log of ET0, shape (4, year, 365)."""
    low, high = weather["tmin"].values, weather["tmax"].values
    return np.stack(
        [
            weather["rain"].values,
            (low + high) / 2,
            np.log(np.maximum(high - low, 0.1)),
            np.log(np.maximum(weather["et0"].values, 0.05)),
        ]
    )


def _wet(rain: Array, m: int) -> Array:
    """Return the wet days of a month in rising order; of its neighbours too where they are few."""
    for reach in (0, 1, 2, 6):
        near = np.isin(MONTH, [(m + k) % 12 for k in range(-reach, reach + 1)])
        found = rain[:, near]
        found = np.sort(found[found >= WET])
        if len(found) >= 60:
            break
    return found if len(found) > 1 else np.array([WET, 1.0, 5.0])


def _distance(wet: NDArray[np.bool_]) -> Array:
    """Return the distance [day] of each day (year, 365) from the nearest wet one, over the turns of years."""
    flat = wet.ravel()
    if not flat.any():
        return np.full(wet.shape, float(DAYS))
    found: Array = distance_transform_edt(~flat)
    return found.reshape(wet.shape)


def _share(ranked: Array, values: Array) -> Array:
    """Return the share of ``ranked`` below ``values``, never 0 or 1; ties get their middle."""
    place = (np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")) / 2
    return np.asarray(((place - 0.5).clip(0, len(ranked) - 1) + 0.5) / len(ranked))


def _quantile(ranked: Array, share: Array, tail: bool = False) -> Array:
    """Return quantiles, by Hazen's plotting positions; with ``tail`` an exponential beyond the highest."""
    n = len(ranked)
    found: Array = np.interp(share, (np.arange(n) + 0.5) / n, ranked)
    if tail:
        base = ranked[int(0.9 * n)]
        scale = max(float((ranked[ranked >= base] - base).mean()), 0.1)
        beyond = np.log(np.maximum(0.5 / n / np.maximum(1 - share, 1e-5), 1.0))
        found = found + scale * beyond
    return found
