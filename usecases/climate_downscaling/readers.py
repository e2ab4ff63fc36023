"""Own coarse fields: NetCDF and Zarr of CMIP or ERA5, in CMIP's names and units. Called by *Your own data*.

Any calendar is read: times of a 360-day or no-leap year come as ``cftime`` objects. Only the times that are asked for
are loaded. Every failure is one :class:`.naming.CoarseError` line that names the file and the remedy.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from .naming import CoarseError, convert, find
from .units import VARIABLES

__all__ = ["CoarseError", "CoarseNotFoundError", "load_coarse", "write_cmip"]
AXES = {"y": ("y", "lat", "latitude", "rlat"), "x": ("x", "lon", "longitude", "rlon")}
TIMES = ("time", "valid_time")
LEAST = 4  # cells on a side


class CoarseNotFoundError(CoarseError, FileNotFoundError):
    """There is nothing at the path."""


def load_coarse(path: str | Path, times: int | None = None) -> xr.Dataset:
    """Read coarse fields.

    Parameters
    ----------
    path : str or Path
        A NetCDF file or a Zarr store (folder or .zip) with precipitation, water vapour path, temperature and wind, by
        CMIP's or ERA5's names and units; fields on pressure levels are taken at 500 (temperature) and 750 hPa (wind).
    times : int, optional
        How many of the first times to read; all by default.

    Returns
    -------
    xarray.Dataset
        ``pr``, ``prw``, ``ta``, ``ua``, ``va`` (time, y, x), float32, in CMIP's units, south to north and west to east;
        attribute ``calendar``. What follows is done by :func:`.own.like_training`.

    Raises
    ------
    CoarseNotFoundError
        If nothing is at ``path``.
    CoarseError
        If it holds no such fields, or broken ones.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise CoarseNotFoundError(f"there is nothing at {path}: check it; it is a path on the computer of the kernel")
    with _opened(path) as opened:
        dataset = _ordered(opened, path)
        seconds = _step(dataset, path)
        chosen = {
            name: find(dataset, name, str(path)).isel({"time": slice(times)}, missing_dims="ignore")
            for name in VARIABLES
        }
        anomalies = {name for name, field in chosen.items() if _is_anomaly(field)}
        fields = {name: convert(_loaded(field, path), name, seconds, str(path)) for name, field in chosen.items()}
    for name, field in fields.items():
        _check(field, name, path, name in anomalies)
    calendar = (
        dataset["time"].dt.calendar if "time" in dataset.coords and dataset["time"].dtype.kind in "MO" else "none"
    )
    result = xr.Dataset(fields, attrs={"source": str(path), "calendar": calendar})
    return result.transpose("time", "y", "x").drop_vars([c for c in result.coords if c not in result.dims])


def _opened(path: Path) -> xr.Dataset:
    zarr = _is_zarr(path)
    try:
        return xr.open_zarr(path, consolidated=None) if zarr else xr.open_dataset(path, engine="netcdf4")
    except Exception as error:  # noqa: BLE001  # the engines raise many kinds, and each means the same to the user
        raise _unreadable(path, error) from None


def _loaded(field: xr.DataArray, path: Path) -> xr.DataArray:
    try:
        return field.load()
    except Exception as error:  # noqa: BLE001  # as above: a file cut short is found here
        raise _unreadable(path, error) from None


def _is_zarr(path: Path) -> bool:
    return path.is_dir() or path.suffix in (".zip", ".zarr")


def _unreadable(path: Path, error: Exception) -> CoarseError:
    kind = "a Zarr store" if _is_zarr(path) else "a NetCDF file"
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    remedy = (
        "make its time units CF (such as 'days since 2000-01-01')" if "decod" in reason else "copy or export it again"
    )
    return CoarseError(f"{path} cannot be read as {kind} ({reason}): {remedy}")


def _is_anomaly(field: xr.DataArray) -> bool:
    """Return whether a field says of itself that it is a deviation, as this study's own predictors do."""
    return any("anomaly" in str(field.attrs.get(key, "")) for key in ("standard_name", "long_name"))


def _ordered(dataset: xr.Dataset, path: Path) -> xr.Dataset:
    """Return the dataset with dimensions time, y, x, both axes evenly rising."""
    for axis, names in AXES.items():
        found = next((n for n in names if n in dataset.dims), None)
        if found is None:
            raise CoarseError(f"{path} has no axis {' or '.join(names[1:3])}: regrid it to latitude and longitude")
        dataset = dataset.rename({found: axis}) if found != axis else dataset
        if axis not in dataset.coords:
            raise CoarseError(f"{path} has no values along {found}: add the coordinate")
        if axis == "x" and found != "x":  # a region across the meridian where longitudes start anew: 358, 359, 0, 1
            around = np.unwrap(dataset[axis].values.astype(float), period=360.0)
            dataset = dataset.assign_coords(x=(axis, around, dataset[axis].attrs))
        dataset = dataset.sortby(axis)
        steps = np.diff(dataset[axis].values.astype(float))
        if len(steps) < LEAST - 1 or not np.all(steps > 0) or np.ptp(steps) > 0.1 * steps.mean():
            raise CoarseError(f"{path}: {found} is no even axis of at least {LEAST} cells: regrid it to an even grid")
    found = next((n for n in TIMES if n in dataset.dims), None)
    if found is None:
        named = next((n for n in TIMES if n in dataset.coords), None)
        return dataset.expand_dims(named or "time").rename({named: "time"} if named and named != "time" else {})
    return dataset.rename({found: "time"}) if found != "time" else dataset


def _step(dataset: xr.Dataset, path: Path) -> float | None:
    """Return the time step in seconds, where there is an even one; refuse times that do not rise."""
    if dataset.sizes["time"] < 2 or "time" not in dataset.coords:
        return None
    steps = np.diff(dataset["time"].values)
    if dataset["time"].dtype.kind == "M":
        seconds = steps / np.timedelta64(1, "s")
    elif dataset["time"].dtype.kind == "O":
        seconds = np.array([step.total_seconds() for step in steps])
    else:
        return None
    if seconds.min() <= 0:
        raise CoarseError(f"{path} has times that are doubled or out of order: sort them, and keep each once")
    return float(np.median(seconds)) if np.ptp(seconds) < 0.2 * np.median(seconds) else None


#: What the air holds, in the predictor's unit; beyond lies a wrong unit. Anomalies are not held against it.
RANGES = {"prw": (-0.01, 150.0), "ta": (150.0, 350.0), "ua": (-300.0, 300.0), "va": (-300.0, 300.0)}


def _check(field: xr.DataArray, name: str, path: Path, anomaly: bool) -> None:
    """Refuse what would give a picture and no answer."""
    extra = [str(d) for d in field.dims if d not in ("time", "y", "x")]
    if extra:
        raise CoarseError(f"{path}: {name} has the dimension {extra[0]}: choose one of its values")
    if not np.isfinite(field.values).all():
        raise CoarseError(f"{path}: {name} has missing values: fill them, or cut the region to where there are values")
    if name == "pr" and float(field.min()) < -1e-6:
        raise CoarseError(
            f"{path}: rain is negative ({float(field.min()):.2g} kg m-2 s-1): was it packed, or differenced?"
        )
    if name == "pr" and float(field.max()) > 0.1:
        raise CoarseError(f"{path}: rain reaches {float(field.max()) * 86400:.0f} mm/day: check its units attribute")
    low, high = float(field.min()), float(field.max())
    if name in RANGES and not anomaly and not (RANGES[name][0] <= low and high <= RANGES[name][1]):
        wanted = "{:g} to {:g}".format(*RANGES[name])
        raise CoarseError(
            f"{path}: {name} is {low:.4g} to {high:.4g} {VARIABLES[name].units}, and air has {wanted}: "
            "check its units attribute"
        )


def write_cmip(coarse: xr.Dataset, path: Path) -> Path:
    """Write predictors of one run, (time, y, x), as NetCDF with CF metadata, times in a 360-day calendar.

    Parameters
    ----------
    coarse : xarray.Dataset
        From :func:`.data.coarsen`, one run of it.
    path : Path
        Of the file.
    """
    held = coarse[list(VARIABLES)].drop_vars("run", errors="ignore")
    held["time"].attrs = {"units": "days since 2001-01-01", "calendar": "360_day", "standard_name": "time"}
    for axis in ("y", "x"):
        held[axis].attrs |= {"standard_name": f"projection_{axis}_coordinate", "axis": axis.upper()}
    held.attrs |= {"Conventions": "CF-1.11", "source": "moist two-layer quasi-geostrophic model, simulated"}
    held.to_netcdf(path, engine="netcdf4")
    return path
