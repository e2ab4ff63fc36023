"""Weather as a table in a CSV file, whatever its columns are called. Called by *Your own data*."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import xarray as xr

from .weather import VARIABLES, WeatherError, from_days

#: What columns are called in files of the field, in small letters without units.
NAMES = {
    "tmin": ("tmin", "mintemp", "tn", "t2m_min", "tasmin", "temperature_2m_min", "minimum temperature"),
    "tmax": ("tmax", "maxtemp", "tx", "t2m_max", "tasmax", "temperature_2m_max", "maximum temperature"),
    "rain": ("rain", "prcp", "precip", "precipitation", "pr", "rr", "prectotcorr", "precipitation_sum", "rainfall"),
    "et0": ("et0", "eto", "referenceet", "reference et", "evapotranspiration", "et0_fao_evapotranspiration", "pet"),
}
DATES = ("date", "time", "datum", "day_date", "datetime")


def read_table(path: Path) -> xr.Dataset:
    """Read the complete years of daily weather from a CSV file with a line of names.

    Separators are told by the content; a unit in brackets after a name is not needed; ``K`` and ``m`` are converted.

    Raises
    ------
    WeatherError
        If a column is missing, or dates or values cannot be read; the message names the file and the remedy.
    """
    try:
        raw = pd.read_csv(path, sep=None, engine="python", comment="#")
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise WeatherError(
            f"{path} cannot be read as CSV ({str(error).splitlines()[0]}): save it as UTF-8 text"
        ) from error
    plain = {str(c).split("(")[0].split("[")[0].strip().lower(): c for c in raw.columns}
    table = pd.DataFrame(index=_dates(raw, plain, path))
    for name, known in NAMES.items():
        column = next((plain[k] for k in known if k in plain), None)
        if column is None:
            raise WeatherError(f"{path} has no column for {name} (it has {', '.join(plain)}): name one {known[0]!r}")
        values = pd.to_numeric(raw[column], errors="coerce").to_numpy()
        table[name] = _converted(values, str(column))
    return from_days(table[list(VARIABLES)].sort_index(), path.name)


def _converted(values: pd.Series, column: str) -> pd.Series:
    """Return values in our units, where the name of the column tells of others."""
    unit = column[column.find("(") + 1 : column.find(")")].strip() if "(" in column else ""
    return values - 273.15 if unit == "K" else values * 1000 if unit == "m" else values


def _dates(raw: pd.DataFrame, plain: dict[str, str], path: Path) -> pd.DatetimeIndex:
    found = next((plain[d] for d in DATES if d in plain), None)
    try:
        if found is not None:
            return pd.DatetimeIndex(pd.to_datetime(raw[found], format="ISO8601")).normalize()
        parts = {n: raw[plain[n]].astype(int) for n in ("year", "month", "day")}
        return pd.DatetimeIndex(pd.to_datetime(pd.DataFrame(parts)))
    except KeyError as error:
        raise WeatherError(
            f"{path} has no dates: give a column 'date' such as 2020-01-31, or year, month and day"
        ) from error
    except ValueError as error:
        said = str(error).splitlines()[0]
        raise WeatherError(f"{path} has a date that is none ({said}): write dates as 2020-01-31") from error
