"""Sentinel-2 scenes: Cloud-Optimised GeoTIFF bands and the STAC items that name them. Called by *Your own data*.

Green canopy cover, which AquaCrop grows, is the vegetation index (NDVI) scaled between bare soil and full canopy
(Gutman & Ignatov 1998, Int J Remote Sens 19:1533). Items follow STAC 1.0 with the EO extension; the assets are found by
their band's common name. Numbers become reflectance by the scale and offset that the item or the file names: since
processing baseline 04.00 (January 2022) Sentinel-2's carry an offset of -0.1, which biases the index where it is left.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

SOIL, FULL = 0.15, 0.90  # NDVI of bare soil and of a closed canopy
MOST = 1024  # pixels on a side; larger scenes are read from their overviews
Linear = tuple[float, float]  # scale and offset


class SceneError(ValueError):
    """A scene that cannot be used; the message names the file and the remedy."""


def is_tiff(head: bytes) -> bool:
    """Tell by the first bytes, TIFF or BigTIFF in either byte order."""
    return head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def read_stac(path: Path) -> xr.DataArray:
    """Return the green canopy cover of a STAC item whose assets lie on this computer.

    Raises
    ------
    SceneError
        If it is no item, has no red and near-infrared bands, or they cannot be read.
    """
    try:
        item = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise SceneError(f"{path} is no JSON ({error}): give a STAC item") from error
    if not isinstance(item, dict) or item.get("type") != "Feature" or "stac_version" not in item:
        raise SceneError(
            f"{path} is no STAC item (type Feature with stac_version): give an item, not a collection or catalogue"
        )
    if not isinstance(item.get("assets"), dict):
        raise SceneError(f"{path} has no assets by name: give a STAC item whose 'assets' is an object")
    red, nir = (_asset(item, name, path) for name in ("red", "nir"))
    cover = _cover(*_pair(*((_named(path, asset), _told(asset, item, path)) for asset in (red, nir))), path)
    when = item.get("properties", {}).get("datetime")
    return cover.assign_attrs(source=str(item.get("id", path.name)), datetime=str(when))


def _asset(item: dict[str, Any], common: str, path: Path) -> dict[str, Any]:
    """Return the asset of a band, with ``common`` among its keys for what is said about it."""
    for name, asset in item.get("assets", {}).items():
        bands = [b for key in ("bands", "eo:bands") for b in asset.get(key, [])]
        names = {b.get("common_name") or b.get("eo:common_name") for b in bands}
        if common in names or (not bands and name == common):
            return {**asset, "common": common}
    raise SceneError(
        f"{path} has no asset with the common name {common!r} (it has {', '.join(item.get('assets', {}))})"
    )


def _named(path: Path, asset: dict[str, Any]) -> Path:
    """Return the file of an asset."""
    href = str(asset.get("href", ""))
    if "://" in href and not href.startswith("file://"):
        raise SceneError(
            f"{path}: the {asset['common']} band lies at {href}: download it beside the item and name the file"
        )
    return (path.parent / href.removeprefix("file://")).resolve()


def _told(asset: dict[str, Any], item: dict[str, Any], path: Path) -> Linear | None:
    """Return the scale and offset that an item names: the raster extension's, or those of its processing baseline."""
    about = next((b for key in ("raster:bands", "bands") for b in asset.get(key, []) if isinstance(b, dict)), {})
    scale, offset = (about.get(k, about.get(f"raster:{k}")) for k in ("scale", "offset"))
    if scale is not None or offset is not None:
        try:
            return float(1 if scale is None else scale), float(offset or 0)
        except (TypeError, ValueError):
            raise SceneError(
                f"{path} has scale {scale!r} and offset {offset!r}, which are no numbers: correct raster:bands"
            ) from None
    said = item.get("properties", {})
    baseline = str(said.get("s2:processing_baseline") or said.get("processing:version") or "0").lstrip("vN")
    shifted = baseline[:2].isdigit() and int(baseline[:2]) >= 4 and not said.get("earthsearch:boa_offset_applied")
    return (1e-4, -0.1) if shifted else None


def _pair(red: tuple[Path, Linear | None], nir: tuple[Path, Linear | None]) -> tuple[xr.DataArray, xr.DataArray]:
    first, second = (read_band(p, 1, told) for p, told in (red, nir))
    if first.shape != second.shape or first.attrs["crs"] != second.attrs["crs"]:
        raise SceneError(f"{red[0].name} and {nir[0].name} differ in size or projection: give bands of one resolution")
    return first, second


def read_bands(path: Path) -> xr.DataArray:
    """Return the green canopy cover of one GeoTIFF of two bands, red and near infrared."""
    import rasterio

    with _opened(path) as source:
        count = source.count
    if count != 2:
        raise SceneError(
            f"{path} has {count} band{'s'[: count > 1]}: give red and near infrared in one file and nothing else, or a "
            "STAC item of both"
        )
    try:
        return _cover(read_band(path, 1), read_band(path, 2), path).assign_attrs(source=path.name)
    except rasterio.errors.RasterioError as error:
        raise SceneError(f"{path} cannot be read ({error}): copy it again") from error


def read_band(path: Path, band: int = 1, told: Linear | None = None) -> xr.DataArray:
    """Return one band (y, x) as reflectance, from an overview where the file is large; no-data values are NaN.

    Parameters
    ----------
    path : Path
        A GeoTIFF.
    band : int
        Its number, from 1.
    told : (float, float), optional
        Scale and offset of reflectance; by default the file's own, else a ten-thousandth for whole numbers.

    Raises
    ------
    SceneError
        If it is no readable GeoTIFF with a projection.
    """
    import rasterio
    import rioxarray

    with _opened(path) as source:
        if source.crs is None:
            raise SceneError(f"{path} has no projection: export it as a GeoTIFF with its coordinate reference system")
        size, levels = max(source.shape), source.overviews(band)
        own = (source.scales[band - 1], source.offsets[band - 1])
    level = next((i for i, factor in enumerate(levels) if size / factor <= MOST), None)
    options: dict[str, Any] = {} if size <= MOST or level is None else {"overview_level": level}
    try:
        data: Any = rioxarray.open_rasterio(path, masked=True, **options)
        values = data.sel(band=band).load()
    except (rasterio.errors.RasterioError, KeyError) as error:
        raise SceneError(f"{path} cannot be read ({str(error).splitlines()[0]}): copy it again") from error
    return _reflectance(values, told or (own if own != (1.0, 0.0) else None), data.rio.crs, path)


def _reflectance(values: xr.DataArray, told: Linear | None, crs: Any, path: Path) -> xr.DataArray:
    unit = "degree" if crs.is_geographic else "m"
    # Whole numbers are reflectance times 10,000, as Sentinel-2 products have them.
    scale, offset = told or (1e-4 if np.nanmax(values.values, initial=0) > 2 else 1.0, 0.0)
    made = values.drop_vars(["band", "spatial_ref"], errors="ignore") * scale + offset
    coords = {axis: (axis, values[axis].values, {"units": unit}) for axis in ("y", "x")}
    return made.assign_coords(coords).assign_attrs(units="1", crs=str(crs), source=path.name)


def _opened(path: Path) -> Any:
    import rasterio

    if not path.exists():
        raise SceneError(f"there is no {path}: put the band where the item says, or correct the item")
    try:
        return rasterio.open(path)
    except rasterio.errors.RasterioIOError as error:
        raise SceneError(f"{path} is no readable GeoTIFF ({str(error).splitlines()[0]}): copy it again") from error


def _cover(red: xr.DataArray, nir: xr.DataArray, path: Path) -> xr.DataArray:
    """Return green canopy cover [1] from reflectances."""
    index = (nir - red) / (nir + red).where(nir + red > 0)
    if not np.isfinite(index.values).any():
        raise SceneError(
            f"{path} has no pixel with red and near infrared, all is empty: choose another scene or cut-out"
        )
    cover = ((index - SOIL) / (FULL - SOIL)).clip(0, 1)
    return cover.assign_attrs(units="1", long_name="green canopy cover", crs=red.attrs["crs"])
