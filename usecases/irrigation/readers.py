"""Own data: weather and satellite scenes in the field's formats. Called by *Your own data*.

What a file is, is told by its content: NetCDF and TIFF by their first bytes, a STAC item by its JSON, AquaCrop's text
by its first line; other text is read as CSV. Every failure is one line that names the file and the remedy.
"""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from .aquacrop_text import looks_like_aquacrop, read_aquacrop
from .data import data_folder
from .era5 import read_era5
from .scene import SceneError, is_tiff, read_bands, read_stac
from .table import read_table
from .weather import WeatherError

__all__ = ["DataNotFoundError", "SceneError", "WeatherError", "example_path", "load"]


class DataNotFoundError(FileNotFoundError):
    """There is no such file; the message names the path."""


def load(path: str | Path) -> xr.Dataset | xr.DataArray:
    """Read weather or a scene.

    Parameters
    ----------
    path : str or Path
        AquaCrop or CSV weather, ERA5 NetCDF, a GeoTIFF (Cloud-Optimised or not) of red and near infrared, a STAC item.

    Returns
    -------
    xarray.Dataset or xarray.DataArray
        Weather as :func:`.weather.dataset` has it, or green canopy cover (y, x).

    Raises
    ------
    DataNotFoundError
        If nothing is at ``path``.
    WeatherError, SceneError
        If it cannot be used.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataNotFoundError(f"there is no file at {path}: check it; it is a path on the computer of the kernel")
    with path.open("rb") as file:
        head = file.read(512)
    if is_tiff(head):
        return read_bands(path)
    if head[:4] == b"\x89HDF" or head[:3] == b"CDF":
        return read_era5(path)
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if text.startswith("{"):
        return read_stac(path)
    if not text or "\x00" in text:
        raise WeatherError(f"{path} is neither text, NetCDF nor GeoTIFF by its content: give one of these")
    return read_aquacrop(path) if looks_like_aquacrop(text.splitlines()[0]) else read_table(path)


def example_path() -> Path:
    """Return another station that aquacrop ships, for those who have no data of their own at hand."""
    return data_folder() / "tunis_climate.txt"
