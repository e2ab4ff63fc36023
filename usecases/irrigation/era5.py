"""ERA5 reanalysis in NetCDF as it comes from the Climate Data Store. Called by *Your own data*.

Takes hourly ``t2m`` [K] and ``tp`` [m, of each hour], with ``d2m``, ``u10``, ``v10`` and ``ssrd`` where they are:
then reference evapotranspiration is FAO-56 Penman-Monteith (Allen et al. 1998, FAO Irrigation and Drainage Paper 56,
equation 6), else Hargreaves & Samani 1985 (equation 52 there). ERA5's own ``pev`` is another quantity and is not used.
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
    return from_days(_days(point, path), path.name)


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
    return data.drop_vars([n for n in ("number", "expver") if n in data.variables])


def _days(point: xr.Dataset, path: Path) -> pd.DataFrame:
    time = pd.DatetimeIndex(point["time"].values)
    step = pd.Series(time).diff().median()
    if not pd.Timedelta(hours=1) <= step <= pd.Timedelta(hours=6):
        raise WeatherError(f"{path} has a value every {step}: give hourly to six-hourly ERA5, from which days are made")
    table = point[[n for n in UNITS if n in point]].to_dataframe()[[n for n in UNITS if n in point]]
    # What accumulates is stamped at the end of its hour: midnight's belongs to the day before.
    shifted = table.set_axis(time - pd.Timedelta(seconds=1))
    instant, summed = table.set_axis(time).resample("D"), shifted.resample("D")
    temperature = instant["t2m"]
    days = pd.DataFrame(
        {
            "tmin": temperature.min() - 273.15,
            "tmax": temperature.max() - 273.15,
            "rain": (1000 * summed["tp"].sum()).clip(lower=0),
        }
    ).dropna()
    latitude = float(point["latitude"])
    if set(FULL) <= set(table.columns):
        wind = np.hypot(instant["u10"].mean(), instant["v10"].mean()).reindex(days.index)
        dew = (instant["d2m"].mean() - 273.15).reindex(days.index)
        sun = (summed["ssrd"].sum() / 1e6).reindex(days.index)
        days["et0"] = penman_monteith(days, dew.to_numpy(), wind.to_numpy(), sun.to_numpy(), latitude)
    else:
        days["et0"] = hargreaves(days, latitude)
    return days[["tmin", "tmax", "rain", "et0"]]


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
