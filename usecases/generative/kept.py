"""What a study leaves in its outputs as NetCDF, written small and read back whole. Called by the sectors' ``keep``."""

from __future__ import annotations

from pathlib import Path

import xarray as xr


class RecordError(FileNotFoundError):
    """A record without the outputs of a use case; the message names the file and the remedy."""


def write_kept(dataset: xr.Dataset, path: Path) -> None:
    """Write a dataset, its larger arrays of numbers compressed."""
    numbers = [name for name, v in dataset.data_vars.items() if v.dtype.kind in "fiu" and v.ndim > 1]
    dataset.to_netcdf(path, engine="netcdf4", encoding={name: {"zlib": True, "complevel": 4} for name in numbers})


def kept_path(outputs: Path | str, name: str) -> Path:
    """Return where one of the files of a record lies.

    Raises
    ------
    RecordError
        If the record does not hold it.
    """
    path = Path(outputs) / name
    if not path.exists():
        raise RecordError(f"the record has no {name} ({path.parent}): run the study part of the template first")
    return path


def read_kept(outputs: Path | str, name: str) -> xr.Dataset:
    """Read one of the NetCDF files of a record into memory.

    Raises
    ------
    RecordError
        If the record does not hold it.
    """
    return xr.load_dataset(kept_path(outputs, name), engine="netcdf4")
