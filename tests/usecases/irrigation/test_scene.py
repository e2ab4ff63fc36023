"""Satellite scenes as STAC items and GeoTIFF, good and broken ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.shutil
import xarray as xr
from rasterio.transform import from_origin

from genai4eu.usecases.irrigation import figures
from genai4eu.usecases.irrigation.readers import SceneError, load


def _band(path: Path, values: Any, count: int = 1, crs: str | None = "EPSG:32633") -> Path:
    stack = np.broadcast_to(values, (count, *np.shape(values)[-2:]))
    with rasterio.open(
        path, "w", driver="GTiff", height=stack.shape[1], width=stack.shape[2], count=count, dtype="uint16", nodata=0,
        crs=crs, transform=from_origin(500_000, 5_000_000, 10, 10), tiled=True, blockxsize=16, blockysize=16,
    ) as out:  # fmt: skip
        out.write(stack.astype(np.uint16))
    return path


def _item(folder: Path, **assets: Any) -> Path:
    bands = {"B04": "red", "B08": "nir"}
    named = {n: {"href": f"./{n}.tif", "eo:bands": [{"name": n, "common_name": c}]} for n, c in bands.items()}
    item: dict[str, Any] = {
        "type": "Feature", "stac_version": "1.0.0", "id": "S2B_33TWM_20210714", "assets": named | assets,
        "properties": {"datetime": "2021-07-14T10:00:00Z"}, "geometry": None, "links": [],
    }  # fmt: skip
    path = folder / "item.json"
    path.write_text(json.dumps(item))
    return path


def test_a_stac_item_becomes_canopy_cover_in_metres(tmp_path: Path) -> None:
    red = np.full((32, 32), 500)
    red[:, 16:] = 2000
    red[0, 0] = 0  # no data
    _band(tmp_path / "B04.tif", red)
    _band(tmp_path / "B08.tif", np.full((32, 32), 3500))
    cover = load(_item(tmp_path))
    assert isinstance(cover, xr.DataArray)
    index = (3500 - 500) / (3500 + 500)
    assert float(cover[5, 5]) == pytest.approx((index - 0.15) / 0.75, abs=1e-3)
    assert float(cover[5, 20]) < float(cover[5, 5])
    assert np.isnan(cover[0, 0])
    assert cover["x"].attrs["units"] == "m"
    assert cover.attrs["source"] == "S2B_33TWM_20210714"
    fig, alt = figures.map_figure(cover)
    assert "Canopy covers" in fig.get_suptitle()
    assert "S2B_33TWM" in alt


def test_a_cloud_optimised_geotiff_of_two_bands(tmp_path: Path) -> None:
    both = np.stack([np.full((64, 64), 600), np.full((64, 64), 3000)])
    _band(tmp_path / "plain.tif", both, count=2)
    rasterio.shutil.copy(tmp_path / "plain.tif", tmp_path / "cog.tif", driver="COG")
    xr.testing.assert_allclose(load(tmp_path / "cog.tif"), load(tmp_path / "plain.tif"))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def _with(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: _item(f, B08={"href": "./B08.tif"}), r"item\.json has no asset with the common name 'nir'"),
        (lambda f: (f / "B08.tif").unlink(), r"B08\.tif: put the band where the item says"),
        (lambda f: _cut(f / "B08.tif"), r"B08\.tif"),
        (lambda f: _band(f / "B08.tif", np.ones((8, 8))), r"B04\.tif and B08\.tif differ in size"),
        (lambda f: _band(f / "B08.tif", np.ones((32, 32)), crs=None), r"B08\.tif has no projection"),
        (lambda f: (f / "item.json").write_text('{"type": "Collection"}'), r"item\.json is no STAC item"),
        (lambda f: _with(f / "item.json", assets=[]), r"item\.json has no assets by name"),
        (lambda f: (f / "item.json").write_text('{"type": '), r"item\.json is no JSON"),
        (
            lambda f: _item(f, B04={"href": "https://example.org/B04.tif", "eo:bands": [{"common_name": "red"}]}),
            r"item\.json: the red band lies at https://example\.org/B04\.tif: download it",
        ),
    ],
)
def test_a_broken_scene_is_one_clear_line(spoil: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    for name in ("B04", "B08"):
        _band(tmp_path / f"{name}.tif", np.full((32, 32), 900))
    path = _item(tmp_path)
    spoil(tmp_path)
    with pytest.raises(SceneError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("properties", "band", "shift"),
    [
        ({}, {}, 0),
        ({}, {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}, 1000),
        ({}, {"bands": [{"eo:common_name": "any", "raster:scale": 1e-4, "raster:offset": -0.1}]}, 1000),
        ({"s2:processing_baseline": "05.09"}, {}, 1000),
        ({"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": True}, {}, 0),
        ({"s2:processing_baseline": "02.14"}, {}, 0),
    ],
)
def test_the_offset_of_reflectance_is_heeded(
    properties: dict[str, Any], band: dict[str, Any], shift: int, tmp_path: Path
) -> None:
    names = {"B04": ("red", 500), "B08": ("nir", 3500)}
    assets = {}
    for name, (common, value) in names.items():
        _band(tmp_path / f"{name}.tif", np.full((32, 32), value + shift))
        assets[name] = {"href": f"./{name}.tif", "eo:bands": [{"common_name": common}], **band}
    path = _item(tmp_path, **assets)
    cover = load(_with(path, properties=properties))
    assert isinstance(cover, xr.DataArray)
    assert float(cover[5, 5]) == pytest.approx((0.75 - 0.15) / 0.75, abs=1e-3)


def test_an_offset_that_is_no_number_is_told(tmp_path: Path) -> None:
    assets = {}
    for name, common in (("B04", "red"), ("B08", "nir")):
        _band(tmp_path / f"{name}.tif", np.full((32, 32), 500))
        about = {"eo:bands": [{"common_name": common}], "raster:bands": [{"offset": "abc"}]}
        assets[name] = {"href": f"./{name}.tif", **about}
    with pytest.raises(ValueError, match=r"item\.json has scale None and offset 'abc', which are no numbers"):
        load(_item(tmp_path, **assets))


def test_a_files_own_offset_is_heeded(tmp_path: Path) -> None:
    path = _band(tmp_path / "both.tif", np.stack([np.full((32, 32), 1500), np.full((32, 32), 4500)]), count=2)
    with rasterio.open(path, "r+") as out:
        out.scales, out.offsets = (1e-4, 1e-4), (-0.1, -0.1)
    cover = load(path)
    assert isinstance(cover, xr.DataArray)
    assert float(cover[5, 5]) == pytest.approx((0.75 - 0.15) / 0.75, abs=1e-3)


def test_an_empty_scene_and_one_of_other_bands_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"empty\.tif has no pixel with red and near infrared"):
        load(_band(tmp_path / "empty.tif", np.zeros((32, 32)), count=2))
    with pytest.raises(SceneError, match=r"four\.tif has 4 bands: give red and near infrared in one file and nothing"):
        load(_band(tmp_path / "four.tif", np.ones((32, 32)), count=4))


def test_a_single_band_alone_is_refused(tmp_path: Path) -> None:
    path = _band(tmp_path / "one.tif", np.ones((32, 32)))
    with pytest.raises(SceneError, match=r"one\.tif has 1 band: give red and near infrared"):
        load(path)
