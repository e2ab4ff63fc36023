"""Weather in AquaCrop's text format and its LARS-WG cousin. Called by ``data`` and by *Your own data*.

AquaCrop-OSPy's files have seven columns under a line of names: day, month, year, Tmin and Tmax in degC, rain and
reference evapotranspiration in mm. LARS-WG files (Semenov & Barrow 1997, Clim Change 35:397) have none of the names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from .weather import DAYS, Array, WeatherError, from_days

COLUMNS = ["day", "month", "year", "tmin", "tmax", "rain", "et0"]


def looks_like_aquacrop(head: str) -> bool:
    """Tell by the first line."""
    names = head.split()
    return len(names) == len(COLUMNS) and [n.lower() for n in names[:3]] == ["day", "month", "year"]


def read_aquacrop(path: Path) -> xr.Dataset:
    """Read the complete years of an AquaCrop weather file.

    Raises
    ------
    WeatherError
        If it is not such a file, or its values cannot be weather; the message names the file and the remedy.
    """
    try:
        table = pd.read_csv(path, sep=r"\s+", names=COLUMNS, skiprows=1, dtype=np.float64)
        dates = pd.to_datetime(table[["year", "month", "day"]].astype(int))
    except (ValueError, pd.errors.ParserError) as error:
        said = str(error).splitlines()[0]
        raise WeatherError(
            f"{path} is no AquaCrop weather file ({said}): give Day Month Year Tmin Tmax Prcp Et0, a line a day"
        ) from error
    return from_days(table.set_index(pd.DatetimeIndex(dates))[COLUMNS[3:]], path.name)


def read_larswg(path: Path) -> Array:
    """Return the rain (year, 365) [mm/day] of a LARS-WG series of whole years of 365 days.

    Raises
    ------
    WeatherError
        If the file has other than six columns or incomplete years.
    """
    try:
        rows = np.loadtxt(path, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise WeatherError(
            f"{path} is no LARS-WG series ({error}): give year, day, min, max, rain, radiation"
        ) from error
    if rows.shape[1] != 6 or len(rows) % DAYS or not len(rows):
        raise WeatherError(f"{path} has {rows.shape[1]} columns and {len(rows)} days: LARS-WG writes 6 and whole years")
    return rows[:, 4].reshape(-1, DAYS)
