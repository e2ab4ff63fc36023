"""What the field draws years with: WGEN, and the years themselves. Called by the study part.

WGEN (Richardson 1981, Water Resour Res 17:182; Richardson & Wright 1984, USDA-ARS-8): a first-order Markov chain of wet
and dry days, gamma amounts, and temperature as a first-order autoregression about means that depend on the
season and on whether the day is wet. Radiation, its fourth variable, is reference evapotranspiration here.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from .latents import WET, seasonal_basis
from .weather import DAYS, MONTH, Array, dataset


class Wgen:
    """WGEN fitted to training years.

    Parameters
    ----------
    weather : xarray.Dataset
        Training years, as :func:`.weather.dataset` has them.
    """

    def __init__(self, weather: xr.Dataset) -> None:
        rain = weather["rain"].values
        wet = rain >= WET
        self.after = _chain(wet)  # chance of rain after a dry and after a wet day, (2, 12)
        self.gamma = [_gamma(rain[:, m == MONTH]) for m in range(12)]
        values = np.stack([weather["tmax"].values, weather["tmin"].values, np.log(weather["et0"].values.clip(0.05))])
        self.means, self.spread = np.zeros((2, 3, DAYS)), np.zeros((3, DAYS))
        rest = np.empty_like(values)
        basis = seasonal_basis()
        for i, one in enumerate(values):
            for state in (0, 1):
                days = np.nonzero(wet == bool(state))
                fitted = np.linalg.lstsq(basis[days[1]], one[days], rcond=None)[0]
                self.means[state, i] = basis @ fitted
            rest[i] = one - np.where(wet, self.means[1, i], self.means[0, i])
            fitted = np.linalg.lstsq(np.tile(basis, (len(one), 1)), (rest[i] ** 2).ravel(), rcond=None)[0]
            self.spread[i] = np.sqrt(np.maximum(basis @ fitted, 1e-4))
        self.a, self.b = _autoregression((rest / self.spread[:, None]).reshape(3, -1))

    def draw(self, count: int, seed: int) -> xr.Dataset:
        """Draw ``count`` years, which follow one another without a seam, numbered from 1."""
        rng = np.random.default_rng([seed, 306])
        wet, rest = np.empty(count * DAYS, bool), np.empty((count * DAYS, 3))
        chance, noise = rng.random(count * DAYS), rng.standard_normal((count * DAYS, 3)) @ self.b.T
        state, now = 0, np.zeros(3)
        for i in range(count * DAYS):
            state = int(chance[i] < self.after[state, MONTH[i % DAYS]])
            now = self.a @ now + noise[i]
            wet[i], rest[i] = state, now
        rain = np.where(wet, self._amounts(count, rng).ravel(), 0.0).reshape(count, DAYS)
        raining, shaped = wet.reshape(count, DAYS), rest.T.reshape(3, count, DAYS)
        mean = np.where(raining, self.means[1][:, None], self.means[0][:, None])
        tmax, tmin, et0 = mean + self.spread[:, None] * shaped
        low, high = np.minimum(tmax, tmin), np.maximum(tmax, tmin)
        named = {"tmin": low, "tmax": high, "rain": rain, "et0": np.exp(et0).clip(0, 30)}
        return dataset(named, np.arange(1, count + 1), source="WGEN")

    def _amounts(self, count: int, rng: np.random.Generator) -> Array:
        shape, scale = (np.array(p)[MONTH] for p in zip(*self.gamma, strict=True))
        return WET + rng.gamma(shape, scale, (count, DAYS))


def _chain(wet: NDArray[np.bool_]) -> Array:
    """Return the chance of a wet day after a dry and after a wet one by month, (2, 12)."""
    flat = wet.ravel()
    month = np.tile(MONTH, len(wet))[1:]
    before, now = flat[:-1], flat[1:]
    counts = [[now[(before == state) & (month == m)] for m in range(12)] for state in (False, True)]
    return np.array([[(c.sum() + 0.5) / (len(c) + 1) for c in row] for row in counts])


def _gamma(rain: Array) -> tuple[float, float]:
    """Return shape and scale of a gamma fitted to what wet days have above the threshold."""
    wet = rain[rain >= WET] - WET + 1e-3
    if len(wet) < 5:
        return 0.8, float(wet.mean()) / 0.8 if len(wet) else 1.0
    shape, _, scale = stats.gamma.fit(wet, floc=0)
    return float(shape), float(scale)


def _autoregression(z: Array) -> tuple[Array, Array]:
    """Return A and B of ``z' = A z + B e`` from the correlations of lag 0 and 1 (Matalas 1967)."""
    now, after = z[:, :-1], z[:, 1:]
    m0, m1 = now @ now.T / now.shape[1], after @ now.T / now.shape[1]
    a = m1 @ np.linalg.inv(m0)
    rest = m0 - a @ m1.T
    values, vectors = np.linalg.eigh((rest + rest.T) / 2)
    return a, vectors * np.sqrt(np.maximum(values, 0))


def year_bootstrap(weather: xr.Dataset, count: int, seed: int) -> xr.Dataset:
    """Draw whole training years with replacement, numbered from 1; ``from_year`` tells which each was."""
    picked = np.random.default_rng([seed, 307]).integers(weather.sizes["year"], size=count)
    drawn = weather.isel(year=picked)
    drawn = drawn.assign_coords(from_year=("year", drawn["year"].values), year=np.arange(1, count + 1))
    return drawn.assign_attrs(source="years drawn with replacement")
