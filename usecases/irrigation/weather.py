"""Daily weather as the rest of the use case has it: years of 365 days, four variables, units, and what must hold.

29 February is left out, as crop and weather generators of the field do, so that a day has one place in the year.
Called by the readers, the generators and the crop model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]
DAYS = 365
#: Variables in their order, with units and long names.
VARIABLES = {
    "tmin": ("degC", "daily minimum temperature"),
    "tmax": ("degC", "daily maximum temperature"),
    "rain": ("mm/day", "precipitation"),
    "et0": ("mm/day", "reference evapotranspiration"),
}
#: What no station on Earth exceeds: beyond it a unit is wrong, not the weather.
LIMITS = {"tmin": (-90.0, 50.0), "tmax": (-90.0, 60.0), "rain": (0.0, 2000.0), "et0": (0.0, 30.0)}
_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
#: Month 0..11 of each of the 365 days.
MONTH: NDArray[np.int64] = np.repeat(np.arange(12), _LENGTHS)


class WeatherError(ValueError):
    """Weather that cannot be used; the message names the file or the year, and the remedy."""


def dataset(values: Mapping[str, Array], years: NDArray[np.int64], **attrs: object) -> xr.Dataset:
    """Return weather from arrays.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (year, 365)
        ``tmin``, ``tmax`` in degC, ``rain``, ``et0`` in mm/day.
    years : ndarray of int, shape (year,)
    **attrs
        Attributes of the dataset, such as ``source``.
    """
    return xr.Dataset(
        {
            name: (("year", "day"), np.asarray(values[name], np.float64), {"units": units, "long_name": said})
            for name, (units, said) in VARIABLES.items()
        },
        coords={
            "year": years,
            "day": ("day", np.arange(1, DAYS + 1), {"long_name": "day of the year, no 29 February"}),
        },
        attrs=attrs,
    )


def from_days(table: pd.DataFrame, source: str) -> xr.Dataset:
    """Return the complete years of a table of days.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by date; columns ``tmin``, ``tmax``, ``rain``, ``et0`` in the units of :data:`VARIABLES`.
    source : str
        What messages call it.

    Returns
    -------
    xarray.Dataset
        As :func:`dataset`; years with a missing day are left out.

    Raises
    ------
    WeatherError
        If values are missing, out of range or contradict each other, or no year is complete.
    """
    check(table, source)
    table = table[~((table.index.month == 2) & (table.index.day == 29))]
    whole = table.groupby(table.index.year).size()
    years = whole.index[whole == DAYS].to_numpy()
    if not len(years):
        raise WeatherError(f"{source} has no complete year from 1 January to 31 December: give at least one")
    kept = table[np.isin(table.index.year, years)]
    return dataset({name: kept[name].to_numpy().reshape(len(years), DAYS) for name in VARIABLES}, years, source=source)


def check(table: pd.DataFrame, source: str) -> None:
    """Raise :class:`WeatherError` at the first day that cannot be."""
    if table.index.has_duplicates:
        day = table.index[table.index.duplicated()][0]
        raise WeatherError(f"{source} has {day:%Y-%m-%d} twice: remove one of the two lines")
    for name, (low, high) in LIMITS.items():
        column = table[name]
        bad = ~column.between(low, high)
        if bad.any():
            day, value = column.index[bad][0], float(column[bad].iloc[0])
            said = "is missing" if np.isnan(value) else f"is {value:g} {VARIABLES[name][0]}, outside {low:g}..{high:g}"
            raise WeatherError(f"{source}: {name} {said} on {day:%Y-%m-%d}: fill it, or check the units")
    crossed = table["tmin"] > table["tmax"]
    if crossed.any():
        raise WeatherError(f"{source}: tmin is above tmax on {table.index[crossed][0]:%Y-%m-%d}: check the columns")


def monthly(values: Array) -> Array:
    """Return sums by month, shape (..., 12), of daily values (..., 365)."""
    return np.add.reduceat(values, np.flatnonzero(np.diff(MONTH, prepend=-1)), axis=-1)
