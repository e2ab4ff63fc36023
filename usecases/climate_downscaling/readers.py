"""Own coarse fields: NetCDF and Zarr of CMIP or ERA5, in CMIP's names and units. Called by *Your own data*.

Any calendar is read: times of a 360-day or no-leap year come as ``cftime`` objects. Every failure is one
:class:`.naming.CoarseError` line that names the file and the remedy.
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


def load_coarse(path: str | Path) -> xr.Dataset:
    """Read coarse fields.

    Parameters
    ----------
    path : str or Path
        A NetCDF file or a Zarr store (folder or .zip) with precipitation, water vapour path, temperature and wind, by
        CMIP's or ERA5's names and units; fields on pressure levels are taken at 500 (temperature) and 750 hPa (wind).

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
    dataset = _ordered(_opened(path), path)
    seconds = _step(dataset)
    fields = {name: convert(find(dataset, name, str(path)), name, seconds, str(path)) for name in VARIABLES}
    for name, field in fields.items():
        _check(field, name, path)
    calendar = (
        dataset["time"].dt.calendar if "time" in dataset.coords and dataset["time"].dtype.kind in "MO" else "none"
    )
    result = xr.Dataset(fields, attrs={"source": str(path), "calendar": calendar})
    return result.transpose("time", "y", "x").drop_vars([c for c in result.coords if c not in result.dims])


def _opened(path: Path) -> xr.Dataset:
    zarr = path.is_dir() or path.suffix in (".zip", ".zarr")
    try:
        return xr.open_zarr(path, consolidated=None).load() if zarr else xr.load_dataset(path, engine="netcdf4")
    except Exception as error:  # noqa: BLE001  # the engines raise many kinds, and each means the same to the user
        kind = "a Zarr store" if zarr else "a NetCDF file"
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        remedy = (
            "make its time units CF (such as 'days since 2000-01-01')"
            if "decod" in reason
            else "copy or export it again"
        )
        raise CoarseError(f"{path} cannot be read as {kind} ({reason}): {remedy}") from None


def _ordered(dataset: xr.Dataset, path: Path) -> xr.Dataset:
    """Return the dataset with dimensions time, y, x, both axes evenly rising."""
    for axis, names in AXES.items():
        found = next((n for n in names if n in dataset.dims), None)
        if found is None:
            raise CoarseError(f"{path} has no axis {' or '.join(names[1:3])}: regrid it to latitude and longitude")
        dataset = dataset.rename({found: axis}) if found != axis else dataset
        if axis not in dataset.coords:
            raise CoarseError(f"{path} has no values along {found}: add the coordinate")
        dataset = dataset.sortby(axis)
        steps = np.diff(dataset[axis].values.astype(float))
        if len(steps) < LEAST - 1 or not np.all(steps > 0) or np.ptp(steps) > 0.1 * steps.mean():
            raise CoarseError(f"{path}: {found} is no even axis of at least {LEAST} cells: regrid it to an even grid")
    found = next((n for n in TIMES if n in dataset.dims), None)
    if found is None:
        named = next((n for n in TIMES if n in dataset.coords), None)
        return dataset.expand_dims(named or "time").rename({named: "time"} if named and named != "time" else {})
    return dataset.rename({found: "time"}) if found != "time" else dataset


def _step(dataset: xr.Dataset) -> float | None:
    """Return the time step in seconds, where there is an even one."""
    if dataset.sizes["time"] < 2 or "time" not in dataset.coords:
        return None
    steps = np.diff(dataset["time"].values)
    if dataset["time"].dtype.kind == "M":
        seconds = steps / np.timedelta64(1, "s")
    elif dataset["time"].dtype.kind == "O":
        seconds = np.array([step.total_seconds() for step in steps])
    else:
        return None
    return float(np.median(seconds)) if np.ptp(seconds) < 0.2 * np.median(seconds) else None


def _check(field: xr.DataArray, name: str, path: Path) -> None:
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
