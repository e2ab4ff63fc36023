"""What is made of own data: years drawn for own weather, or a map of canopy cover. Called by *Your own data*."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from ..generative.training import Progress
from . import generator, readers, train
from .figures import map_figure, own_figure
from .model import WeatherNet
from .sizes import Sizes
from .weather import WeatherError

LEAST = 8  # years, from which months and quantiles can be told apart


def read(data: str | Path | None) -> xr.Dataset | xr.DataArray:
    """Read own data, or another station where there is none: before anything trains, so that what is bad costs nothing.

    Raises
    ------
    DataNotFoundError, SceneError, WeatherError
        As :func:`.readers.load`; also for fewer than :data:`LEAST` years of weather.
    """
    found = readers.load(data or readers.example_path())
    if isinstance(found, xr.Dataset):
        _enough(found)
    return found


def show(
    found: xr.Dataset | xr.DataArray, base: WeatherNet, sizes: Sizes, seed: int, progress: Progress | None = None
) -> tuple[Figure, str]:
    """Return a figure of own data, and its alternative text: weather is adapted to and drawn, a scene is mapped.

    Parameters
    ----------
    found : xarray.Dataset or xarray.DataArray
        From :func:`read`.
    base : WeatherNet
        From :func:`.train.pretrain`.

    Raises
    ------
    WeatherError
        For fewer than :data:`LEAST` years.
    """
    if isinstance(found, xr.DataArray):
        return map_figure(found)
    return own_figure(found, draw(found, base, sizes, seed, progress))


def draw(
    weather: xr.Dataset, base: WeatherNet, sizes: Sizes, seed: int, progress: Progress | None = None
) -> xr.Dataset:
    """Return as many drawn years as a fold has, adapted to all years of own weather."""
    _enough(weather)
    small = dataclasses.replace(sizes, adapt=max(1, sizes.adapt // 2))
    flow = train.adapt(base, weather, small, seed, progress, label="adapting to own data")
    return generator.draw(flow, max(10, sizes.years // 2), seed, progress)[0]


def _enough(weather: xr.Dataset) -> None:
    count = weather.sizes["year"]
    if count < LEAST:
        source = weather.attrs.get("source", "the weather")
        raise WeatherError(f"{source} has {count} complete years: give at least {LEAST}, better thirty")
