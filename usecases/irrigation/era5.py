"""ERA5 and ERA5-Land reanalyses in NetCDF as they come from the Climate Data Store. Called by *Your own data*.

Takes hourly ``t2m`` [K] and ``tp`` [m], with ``d2m``, ``u10``, ``v10`` and ``ssrd`` where they are: then reference
evapotranspiration is FAO-56 Penman-Monteith (Allen et al. 1998, FAO Irrigation and Drainage Paper 56, equation 6), else
Hargreaves & Samani 1985 (equation 52 there). ERA5's own ``pev`` is another quantity and is not used. Days are UTC's.

``tp`` and ``ssrd`` are amounts of the hour before in ERA5, and amounts since midnight in ERA5-Land, with the same
units: the values tell which.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from .weather import Array, WeatherError, from_days

UNITS = {"t2m": "K", "d2m": "K", "tp": "m", "ssrd": "J m**-2", "u10": "m s**-1", "v10": "m s**-1"}
FULL = ("d2m", "u10", "v10", "ssrd")
HOURS = 24  # a day needs all of them, as an amount belongs to its hour alone


def read_era5(path: Path) -> xr.Dataset:
    """Read the complete years of an ERA5 NetCDF file at its middle grid point.

    Raises
    ------
    WeatherError
        If variables, units, coordinates or hours are missing; the message names the file and the remedy.
    """
    try:
        raw = xr.open_dataset(path, engine="netcdf4")
    except (OSError, ValueError) as error:
        raise WeatherError(
            f"{path} cannot be read as NetCDF ({str(error).splitlines()[0]}): download it again"
        ) from error
    with raw:
        point = _point(raw, path).load()
    for name in ("t2m", "tp"):
        if name not in point:
            raise WeatherError(
                f"{path} has no {name} (it has {', '.join(map(str, point.data_vars))}): request it with the others"
            )
    for name, unit in UNITS.items():
        if name in point and (found := point[name].attrs.get("units")) != unit:
            raise WeatherError(f"{path}: {name} is in {found!r}, not in {unit!r} as ERA5 has it: convert it back")
    return from_days(_days(_hours(point, path), float(point["latitude"]), path), path.name)


def _point(raw: xr.Dataset, path: Path) -> xr.Dataset:
    names = {"valid_time": "time", "lat": "latitude", "lon": "longitude"}
    data = raw.rename({old: new for old, new in names.items() if old in raw.variables})
    if "time" not in data.variables or "latitude" not in data.variables:
        raise WeatherError(
            f"{path} has no time or latitude: give ERA5 single levels as the Climate Data Store writes them"
        )
    for axis in ("latitude", "longitude"):
        if axis in data.dims:
            data = data.isel({axis: data.sizes[axis] // 2})
    if "expver" in data.dims:  # preliminary and final months side by side: where one has values the other has none
        data = data[[n for n in UNITS if n in data]].max("expver", keep_attrs=True)
    data = data.drop_vars([n for n in ("number", "expver") if n in data.coords and n not in data.dims])
    if more := [str(d) for n in UNITS if n in data for d in data[n].dims if d != "time"]:
        raise WeatherError(f"{path} has a dimension {more[0]!r} besides time and place: select one value of it")
    return data


def _hours(point: xr.Dataset, path: Path) -> pd.DataFrame:
    """Return the table of hours, once it is sure that there is one value an hour."""
    time = point.indexes.get("time")
    if not isinstance(time, pd.DatetimeIndex):
        raise WeatherError(f"{path} has times of another calendar than ERA5's, or none: give ERA5 as it was downloaded")
    names = [n for n in UNITS if n in point]
    table = pd.DataFrame({n: point[n].values for n in names}, index=time).sort_index()
    if time.has_duplicates:
        raise WeatherError(f"{path} has {time[time.duplicated()][0]} twice: remove one of the two")
    if empty := [n for n in names if table[n].isna().all()]:
        where = ", ".join(f"{float(point[n]):g}" for n in ("latitude", "longitude") if n in point.variables)
        raise WeatherError(f"{path} has no value of {empty[0]} at its middle grid point ({where}): choose one on land")
    step = pd.Series(table.index).diff().median()
    if step != pd.Timedelta(hours=1):
        raise WeatherError(
            f"{path} has a value every {step}, of which tp is no whole amount: request all {HOURS} hours of every day"
        )
    return table


def _days(table: pd.DataFrame, latitude: float, path: Path) -> pd.DataFrame:
    # What accumulates is stamped at the end of its hour: midnight's belongs to the day before.
    ending = table.set_axis(table.index - pd.Timedelta(seconds=1))
    whole = _whole(table, ending, path)
    instant = table.resample("D")
    total = {n: _totals(ending[n]).reindex(whole) for n in ("tp", "ssrd") if n in table}
    low, high = (getattr(instant["t2m"], of)().reindex(whole) - 273.15 for of in ("min", "max"))
    days = pd.DataFrame({"tmin": low, "tmax": high, "rain": (1000 * total["tp"]).clip(lower=0)})
    if set(FULL) <= set(table.columns):
        wind = np.hypot(instant["u10"].mean(), instant["v10"].mean()).reindex(whole)
        dew = (instant["d2m"].mean() - 273.15).reindex(whole)
        sun = total["ssrd"] / 1e6
        days["et0"] = penman_monteith(days, dew.to_numpy(), wind.to_numpy(), sun.to_numpy(), latitude)
    else:
        days["et0"] = hargreaves(days, latitude)
    return days[["tmin", "tmax", "rain", "et0"]]


def _whole(table: pd.DataFrame, ending: pd.DataFrame, path: Path) -> pd.DatetimeIndex:
    """Return the days of which every hour is there; only the first and the last day may be cut."""
    summed = [n for n in ("tp", "ssrd") if n in table]
    counts = [table.drop(columns=summed).resample("D").count().min(axis=1)]
    counts.append(ending[summed].resample("D").count().min(axis=1))
    hours = pd.concat(counts, axis=1).fillna(0)
    # A download of whole years ends at 23:00: its last day's last amount stands in the file of the next year.
    last = hours.index[-1]
    if hours.loc[last].tolist() == [HOURS, HOURS - 1]:
        hours.loc[last] = HOURS
    fewest = hours.min(axis=1).astype(int)
    inner = fewest.iloc[1:-1]
    if (cut := inner.between(1, HOURS - 1)).any():
        day = inner.index[cut][0]
        raise WeatherError(
            f"{path} has {inner[day]} of {HOURS} hours on {day:%Y-%m-%d}: request all hours of every day, and the "
            "midnight that ends it"
        )
    return pd.DatetimeIndex(fewest.index[fewest == HOURS])


def _totals(ending: pd.Series) -> pd.Series:
    """Return amounts of days [unit of the values] from hourly ones, whether of each hour or since midnight."""
    days = ending.resample("D")
    if not _since_midnight(ending):
        return HOURS * days.mean()  # the mean, as the last day of a file may lack its last hour
    return days.max()


def _since_midnight(ending: pd.Series) -> bool:
    """Tell whether values only ever rise within days, as those of ERA5-Land do and amounts of an hour do not."""
    small = 1e-3 * float(ending.max())  # what packing into whole numbers may take away
    rise = ending.diff()[ending.index.hour > 0]
    by_day = rise[rise.index.hour < HOURS - 1].resample("D")
    fell, rose = by_day.min() < -small, by_day.max() > small
    changed = fell | rose
    return bool(changed.sum() >= 10 and (fell & changed).sum() <= 0.05 * changed.sum())


def extraterrestrial(dates: pd.DatetimeIndex, latitude: float) -> Array:
    """Return extraterrestrial radiation [MJ m⁻² day⁻¹] (FAO-56, equation 21)."""
    turn, phi = 2 * np.pi * dates.dayofyear.to_numpy() / 365, np.deg2rad(latitude)
    distance, tilt = 1 + 0.033 * np.cos(turn), 0.409 * np.sin(turn - 1.39)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(tilt), -1, 1))
    inner = sunset * np.sin(phi) * np.sin(tilt) + np.cos(phi) * np.cos(tilt) * np.sin(sunset)
    return np.asarray(24 * 60 / np.pi * 0.0820 * distance * inner)


def hargreaves(days: pd.DataFrame, latitude: float) -> Array:
    """Return reference evapotranspiration [mm/day] from ``tmin`` and ``tmax`` [degC] (FAO-56, equation 52)."""
    mean, span = (days["tmin"] + days["tmax"]) / 2, days["tmax"] - days["tmin"]
    radiation = 0.408 * extraterrestrial(pd.DatetimeIndex(days.index), latitude)
    return np.asarray((0.0023 * (mean + 17.8) * np.sqrt(span.clip(lower=0)) * radiation).clip(lower=0))


def penman_monteith(
    days: pd.DataFrame, dew: Array, wind: Array, sun: Array, latitude: float, height: float = 0.0
) -> Array:
    """Return reference evapotranspiration [mm/day] (FAO-56, equation 6).

    Parameters
    ----------
    days : pandas.DataFrame
        ``tmin``, ``tmax`` [degC], indexed by date.
    dew : ndarray
        Dew point [degC].
    wind : ndarray
        Wind at 10 m [m/s].
    sun : ndarray
        Solar radiation [MJ m⁻² day⁻¹].
    latitude, height : float
        Degrees north; metres.
    """
    low, high = days["tmin"].to_numpy(), days["tmax"].to_numpy()
    mean, two = (low + high) / 2, wind * 4.87 / np.log(67.8 * 10 - 5.42)
    saturated, actual = (_vapour(low) + _vapour(high)) / 2, _vapour(dew)
    slope = 4098 * _vapour(mean) / (mean + 237.3) ** 2
    gamma = 0.000665 * 101.3 * ((293 - 0.0065 * height) / 293) ** 5.26
    clear = np.maximum((0.75 + 2e-5 * height) * extraterrestrial(pd.DatetimeIndex(days.index), latitude), 1e-3)
    cloud = 1.35 * np.clip(sun / clear, 0.3, 1.0) - 0.35
    kelvin = ((low + 273.16) ** 4 + (high + 273.16) ** 4) / 2
    net = 0.77 * sun - 4.903e-9 * kelvin * (0.34 - 0.14 * np.sqrt(np.maximum(actual, 0))) * cloud
    found = 0.408 * slope * net + gamma * 900 / (mean + 273) * two * (saturated - actual)
    return np.asarray(np.maximum(found / (slope + gamma * (1 + 0.34 * two)), 0))


def _vapour(temperature: Any) -> Any:
    """Return saturation vapour pressure [kPa] (FAO-56, equation 11)."""
    return 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))
