"""Names and units under which archives keep the predictors, and their conversion to CMIP's. Called by :mod:`.readers`.

CMIP names after the CMIP6 data request; ERA5's short names and units after ECMWF's parameter database
(https://codes.ecmwf.int/grib/param-db/).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from .units import DAY, VARIABLES


class CoarseError(ValueError):
    """Coarse data that cannot be used; the message names the file and the remedy, in one line."""


#: Other names of each predictor, after its CMIP name; standard names are looked at besides.
NAMES = {
    "pr": ("pr", "tp", "mtpr", "avg_tprate", "tprate", "total_precipitation", "precip"),
    "prw": ("prw", "tcwv", "tcw", "total_column_water_vapour"),
    "ta": ("ta", "t", "temperature"),
    "ua": ("ua", "u", "u_component_of_wind"),
    "va": ("va", "v", "v_component_of_wind"),
}
STANDARD = {
    "pr": (
        "precipitation_flux",
        "lwe_precipitation_rate",
        "lwe_thickness_of_precipitation_amount",
        "precipitation_amount",
    ),
    "prw": ("atmosphere_mass_content_of_water_vapor", "lwe_thickness_of_atmosphere_mass_content_of_water_vapor"),
    "ta": ("air_temperature",),
    "ua": ("eastward_wind",),
    "va": ("northward_wind",),
}
#: Pressure at which a predictor is taken where the data have levels, in hPa.
LEVEL = {"ta": 500.0, "ua": 750.0, "va": 750.0}
_WATER = 1000.0  # kg m-3: a metre of water is so many kilograms on a square metre
#: What one unit is in the predictor's own unit; amounts, per second of accumulation, are told apart below.
FACTORS: dict[str, dict[str, float]] = {
    "pr": {
        "kg m-2 s-1": 1.0, "mm s-1": 1.0, "mm day-1": 1 / DAY, "mm h-1": 1 / 3600.0, "kg m-2 day-1": 1 / DAY,
        "kg m-2 h-1": 1 / 3600.0, "m s-1": _WATER, "m day-1": _WATER / DAY,
    },
    "prw": {"kg m-2": 1.0, "mm": 1.0, "cm": 10.0, "m": _WATER},
    "ta": {"K": 1.0},
    "ua": {"m s-1": 1.0, "km h-1": 1 / 3.6, "knot": 1852 / 3600},
    "va": {"m s-1": 1.0, "km h-1": 1 / 3.6, "knot": 1852 / 3600},
}  # fmt: skip
AMOUNTS = {"m": _WATER, "mm": 1.0, "kg m-2": 1.0}  # of rain since the last time, kg m-2 each
_SPELLINGS = {"d": "day", "d-1": "day-1", "hr-1": "h-1", "hour-1": "h-1", "sec-1": "s-1", "kt": "knot", "knots": "knot",
              "kelvin": "K", "days-1": "day-1", "metre": "m", "metres": "m", "degc": "degC",
              "°c": "degC",
              "degrees_c": "degC", "degree_c": "degC", "deg_c": "degC", "degrees_celsius": "degC",
              "celsius": "degC", "c": "degC", "degree_celsius": "degC"}  # fmt: skip


def plain_unit(text: str) -> str:
    """Return a unit in the spelling of CF: ``m s**-1``, ``m/s`` and ``m s^-1`` are all ``m s-1``."""
    words = []
    for word in text.replace("**", "").replace("^", "").replace("*", " ").split():
        first, *below = word.split("/")
        words += ([first] if first else []) + [f"{b[:-1]}-2" if b[-1:] == "2" else f"{b}-1" for b in below if b]
    spelt = (_SPELLINGS.get(w.lower(), _SPELLINGS.get(w, w)) for w in words)
    return " ".join(spelt)


def find(dataset: xr.Dataset, name: str, source: str) -> xr.DataArray:
    """Return a predictor, by name or by standard name, at its pressure level.

    Raises
    ------
    CoarseError
        If it is not there.
    """
    variable = next((dataset[n] for n in NAMES[name] if n in dataset.data_vars), None)
    if variable is None:
        known = STANDARD[name]
        variable = next((v for v in dataset.data_vars.values() if v.attrs.get("standard_name") in known), None)
    if variable is None:
        held = ", ".join(map(str, dataset.data_vars)) or "nothing"
        raise CoarseError(
            f"{source} has no {VARIABLES[name].long_name} ({' or '.join(NAMES[name][:2])}; it holds {held}): "
            "download it for the same times and grid, and merge the files"
        )
    return _at_level(variable, name, source)


def _at_level(variable: xr.DataArray, name: str, source: str) -> xr.DataArray:
    axis = next(
        (d for d in variable.dims if str(d) in ("plev", "level", "pressure_level", "isobaricInhPa", "lev")), None
    )
    if axis is None:
        return variable
    if name not in LEVEL:
        raise CoarseError(f"{source}: {variable.name} has levels ({axis}), but belongs to a column: choose one")
    coordinate = variable[axis]
    in_pa = plain_unit(str(coordinate.attrs.get("units", ""))) == "Pa" or float(coordinate.max()) > 2000
    hectopascal = coordinate.values.astype(float) / (100 if in_pa else 1)
    nearest = int(np.abs(hectopascal - LEVEL[name]).argmin())
    if abs(hectopascal[nearest] - LEVEL[name]) > 160:
        raise CoarseError(
            f"{source}: {variable.name} has no level near {LEVEL[name]:g} hPa "
            f"(nearest {hectopascal[nearest]:g}): add one"
        )
    return variable.isel({axis: nearest}, drop=True)


def convert(variable: xr.DataArray, name: str, seconds: float | None, source: str) -> xr.DataArray:
    """Return a predictor in CMIP's unit.

    Parameters
    ----------
    variable : xarray.DataArray
        With the attribute ``units``.
    name : str
        Which predictor it is.
    seconds : float or None
        Time step of the data; an amount of rain (ERA5's metres) fell over it if it is an hour, see :func:`_period`.
    source : str
        Names the file in messages.

    Raises
    ------
    CoarseError
        If the unit is missing or unknown, or the period that an amount needs is, or the values are no numbers.
    """
    if variable.dtype.kind not in "iuf":
        raise CoarseError(f"{source}: {variable.name} holds no numbers ({variable.dtype}): write it as numbers")
    found, want = variable.attrs.get("units"), VARIABLES[name].units
    if not found:
        raise CoarseError(f"{source}: {variable.name} has no units: set its attribute, for example {want!r}")
    unit = plain_unit(str(found))
    offset, factor = 0.0, FACTORS[name].get(unit)
    if name == "pr" and unit in AMOUNTS:
        factor = AMOUNTS[unit] / _period(variable, seconds, source)
    if name == "ta" and unit == "degC":
        factor, offset = 1.0, 273.15
    if factor is None:
        raise CoarseError(
            f"{source}: {variable.name} is in {found!r}, which is no unit of {name}: convert it to {want!r}"
        )
    return (variable * factor + offset).astype(np.float32).assign_attrs(about(name))


def _period(variable: xr.DataArray, seconds: float | None, source: str) -> float:
    """Return the seconds over which an amount fell, and refuse to guess.

    Fields six hours apart may hold the rain of six hours, or, as ERA5's do, of one; monthly means hold a day's.
    Only hourly fields, and sums over the time step by CF's ``cell_methods``, say what they are.
    """
    hours = variable.attrs.get("accumulation_hours")
    if hours is not None:
        if not _positive(hours):
            raise CoarseError(f"{source}: accumulation_hours of {variable.name} is {hours!r}: set hours above 0")
        return 3600.0 * float(hours)
    methods = str(variable.attrs.get("cell_methods", ""))
    if seconds and (seconds <= 3600 or "time: sum" in methods):
        return seconds
    known = f"fields {seconds / 3600:g} hours apart" if seconds else "an unknown time step"
    raise CoarseError(
        f"{source}: {variable.name} is an amount ({variable.attrs['units']}) over an unknown time, with {known}: "
        "set its attribute accumulation_hours (1 for ERA5's hours, 24 for sums of a day and ERA5's monthly means)"
    )


def _positive(value: object) -> bool:
    try:
        return float(str(value)) > 0
    except ValueError:
        return False


def about(name: str) -> Mapping[str, str]:
    """Return the attributes of a predictor."""
    v = VARIABLES[name]
    return {"units": v.units, "standard_name": v.standard_name, "long_name": v.long_name}
