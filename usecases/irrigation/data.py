"""The weather stations that aquacrop's wheel ships, and how their years are split. Called by the study.

The files come without provenance: no source, no coordinates, and names that mislead (``cordoba`` has its summer in
January and is not in Spain). Champion is a town in Nebraska, USA, at 40.4 degrees north, by the wheel's LARS-WG files.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .aquacrop_text import read_aquacrop, read_larswg
from .weather import Array, WeatherError

TARGET = "champion"
#: The stations that the flow is first trained on; those that share the target's calendar but not its weather.
OTHERS = ("tunis", "cordoba", "brussels", "cambridge", "hyderabad", "north_yorks", "suffolk")
#: Chosen for tuning: never part of a reported result.
DEVELOPMENT = ("tunis", "cordoba", "brussels")


def data_folder() -> Path:
    """Return where aquacrop's wheel keeps its data."""
    from importlib.util import find_spec

    spec = find_spec("aquacrop")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("aquacrop is not installed: pip install 'genai4eu[agrifood]'")
    return Path(spec.origin).parent / "data"


def station(name: str) -> xr.Dataset:
    """Return the complete years of one station, as :func:`.weather.dataset` has them.

    Raises
    ------
    WeatherError
        If aquacrop ships no such station.
    """
    if name not in (TARGET, *OTHERS):
        raise WeatherError(f"there is no station {name!r}: choose {', '.join((TARGET, *OTHERS))}")
    return read_aquacrop(data_folder() / f"{name}_climate.txt").assign_attrs(station=name)


def larswg() -> Array:
    """Return the rain (year, 365) [mm/day] of the wheel's LARS-WG series of Champion for 2021-2040, RCP 4.5."""
    return read_larswg(data_folder() / "CP_EC-EARTH[CP,RCP45,2021-2040]WG.dat")


def folds(years: Sequence[int] | NDArray[np.int64], count: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Split years into ``count`` folds: for each, the years to learn from and those held out.

    Every ``count``-th year is held out, so that each fold sees dry and wet decades alike. Crop seasons of different
    years share no day, and the memory of weather is far shorter than the winter between them.

    Raises
    ------
    ValueError
        For fewer than two folds, or fewer than five years a fold.
    """
    every = np.asarray(years)
    if count < 2 or len(every) < 5 * count:
        raise ValueError(f"{len(every)} years cannot be split into {count} folds of at least five: give more years")
    return [
        (every[np.arange(len(every)) % count != k], every[np.arange(len(every)) % count == k]) for k in range(count)
    ]
