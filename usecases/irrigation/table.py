"""Weather as a table in a CSV file, whatever its columns are called. Called by *Your own data*."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
#: Units after a name, in small letters without blanks, and how to ours; what is not here is refused, not guessed.
DEGREES: dict[str, Callable[[Any], Any]] = (
    dict.fromkeys(("", "c", "degc", "degreec", "degreesc", "celsius", "degreecelsius", "degreescelsius"), lambda v: v)
    | dict.fromkeys(("k", "kelvin"), lambda v: v - 273.15)
    | dict.fromkeys(("f", "degf", "fahrenheit", "degreesfahrenheit"), lambda v: (v - 32) / 1.8)
    | {"0.1degc": lambda v: 0.1 * v, "0.1c": lambda v: 0.1 * v}
)
_PER_DAY = ("", "/day", "/d", "/24h", "day-1", "d-1")
_LENGTHS = {
    "": 1.0, "mm": 1.0, "0.1mm": 0.1, "cm": 10.0, "m": 1000.0, "in": 25.4, "inch": 25.4, "inches": 25.4,
    "kgm-2": 1.0, "kg/m2": 1.0, "l/m2": 1.0,
}  # fmt: skip
AMOUNTS = {unit + per: factor for unit, factor in _LENGTHS.items() for per in (_PER_DAY if unit else ("",))}
AMOUNTS |= dict.fromkeys(("kgm-2s-1", "kg/m2/s", "mm/s", "mms-1"), 86400.0)


def read_table(path: Path) -> xr.Dataset:
    """Read the complete years of daily weather from a CSV file with a line of names.

    Separators and decimal commas are told by the content; without a unit in brackets after a name, degC and mm are
    taken; others of :data:`DEGREES` and :data:`AMOUNTS` are converted.

    Raises
    ------
    WeatherError
        If a column is missing, a unit is unknown, or dates or values cannot be read; the message names the file and the
        remedy.
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
        table[name] = _converted(_numbers(raw[column]), name, str(column), path).to_numpy()
    return from_days(table[list(VARIABLES)].sort_index(), path.name)


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as numbers, NaN where there is none; "3,5" is 3.5 where no number has a point."""
    words = column.astype(str)
    if words.str.contains(",").any() and not words.str.contains(".", regex=False).any():
        column = words.str.replace(",", ".")
    return pd.to_numeric(column, errors="coerce")


def _converted(values: pd.Series, name: str, column: str, path: Path) -> pd.Series:
    """Return values in our units, by the unit that stands in brackets after the name of the column."""
    stated = re.search(r"[(\[](.*?)[)\]]?\s*$", column)
    unit = stated.group(1) if stated else ""
    plain = re.sub(r"[\s_*^]|\*\*", "", unit.lower().replace("°", "deg").replace("℃", "degc").replace("²", "2"))
    known = DEGREES if name in ("tmin", "tmax") else AMOUNTS
    if plain not in known:
        few = "degC, K or degF" if known is DEGREES else "mm, cm, m, inch or kg m-2 s-1"
        raise WeatherError(f"{path}: the unit {unit!r} of column {column!r} is unknown: give {few}")
    if known is DEGREES:
        return DEGREES[plain](values)
    if not unit and name == "rain" and 0 < values.max() < 0.1:  # of whole years, and gauges tell 0.1 mm
        raise WeatherError(f"{path}: rain never exceeds {values.max():.2g} mm: name its unit, as in 'rain (m)'")
    return values * AMOUNTS[plain]


def _dates(raw: pd.DataFrame, plain: dict[str, str], path: Path) -> pd.DatetimeIndex:
    found = next((plain[d] for d in DATES if d in plain), None)
    try:
        if found is not None:
            return _iso(raw[found].astype(str), path)
        parts = {n: raw[plain[n]].astype(int) for n in ("year", "month", "day")}
        return pd.DatetimeIndex(pd.to_datetime(pd.DataFrame(parts)))
    except KeyError as error:
        raise WeatherError(
            f"{path} has no dates: give a column 'date' such as 2020-01-31, or year, month and day"
        ) from error
    except WeatherError:  # which is a ValueError, and has said it already
        raise
    except ValueError as error:
        said = str(error).splitlines()[0]
        raise WeatherError(f"{path} has a date that is none ({said}): write dates as 2020-01-31") from error


def _iso(words: pd.Series, path: Path) -> pd.DatetimeIndex:
    days = pd.to_datetime(words, format="ISO8601", errors="coerce")
    if days.isna().any():
        raise WeatherError(
            f"{path} has a date that is none ({words[days.isna()].iloc[0]!r}): write dates as 2020-01-31"
        )
    return pd.DatetimeIndex(days).normalize()
