"""Own coarse fields: files as CMIP and ERA5 have them, in several units and calendars, and broken ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from genai4eu.usecases.climate_downscaling.naming import convert, plain_unit
from genai4eu.usecases.climate_downscaling.own import read_own
from genai4eu.usecases.climate_downscaling.readers import CoarseError, CoarseNotFoundError, load_coarse, write_cmip
from genai4eu.usecases.climate_downscaling.sizes import Sizes
from genai4eu.usecases.climate_downscaling.units import VARIABLES

LAT, LON = np.arange(40.0, 52.0, 2.0), np.arange(0.0, 16.0, 2.0)
SHAPE = (3, len(LAT), len(LON))


def _values(seed: int, low: float, high: float) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, SHAPE)


def cmip(calendar: str = "360_day") -> xr.Dataset:
    """Return a day by day dataset as the CMIP6 archive has it, wind and temperature on levels in Pa."""
    times = xr.date_range("2000-02-28", periods=3, freq="D", calendar=calendar, use_cftime=True)
    plev = ("plev", [85000.0, 70000.0, 50000.0], {"units": "Pa", "positive": "down"})
    levels = {name: _values(i, -20, 20)[:, None] + np.zeros((1, 3, 1, 1)) for i, name in enumerate(("ua", "va"))}
    four = ("time", "plev", "lat", "lon")
    return xr.Dataset(
        {
            "pr": (("time", "lat", "lon"), _values(5, 0, 3e-4), {"units": "kg m-2 s-1"}),
            "prw": (("time", "lat", "lon"), _values(6, 5, 40), {"units": "kg m-2"}),
            "ta": (four, np.stack([_values(7, 240, 260) + 20 * i for i in (2, 1, 0)], 1), {"units": "K"}),
            **{n: (four, v + np.array([30, 10, 0])[:, None, None], {"units": "m s-1"}) for n, v in levels.items()},
        },
        coords={
            "time": times, "plev": plev, "lat": ("lat", LAT, {"units": "degrees_north"}),
            "lon": ("lon", LON, {"units": "degrees_east"}),
        },
    )  # fmt: skip


def era5() -> xr.Dataset:
    """Return the same as ERA5 has it: hourly metres, valid_time, north first, levels in hPa."""
    of = cmip().rename(time="valid_time", lat="latitude", lon="longitude", plev="pressure_level")
    of = of.rename(pr="tp", prw="tcwv", ta="t", ua="u", va="v")
    of = of.assign_coords(
        valid_time=pd.date_range("2020-01-01", periods=3, freq="h"),
        pressure_level=("pressure_level", [850.0, 700.0, 500.0], {"units": "hPa"}),
    )
    of["tp"] = (of["tp"] * 3600 / 1000).assign_attrs(units="m", standard_name="unknown")
    for name, units in {"tcwv": "kg m**-2", "u": "m s**-1", "v": "m s**-1"}.items():
        of[name].attrs["units"] = units
    return of.sortby("latitude", ascending=False)


@pytest.mark.parametrize("calendar", ["360_day", "noleap", "standard"])
def test_cmip_files_are_read_in_any_calendar(calendar: str, tmp_path: Path) -> None:
    source = cmip(calendar)
    source.to_netcdf(tmp_path / "day.nc")
    read = load_coarse(tmp_path / "day.nc")
    assert read.attrs["calendar"] in (calendar, "proleptic_gregorian")
    assert read["pr"].dims == ("time", "y", "x")
    np.testing.assert_allclose(read["pr"], source["pr"], rtol=1e-6)
    np.testing.assert_allclose(read["ua"], source["ua"].isel(plev=1), rtol=1e-6)  # 700 hPa is nearest to 750
    np.testing.assert_allclose(read["ta"], source["ta"].isel(plev=2), rtol=1e-6)
    if calendar == "360_day":
        assert str(read["time"].values[2]).startswith("2000-02-30")


def test_era5_is_read_as_the_same_fields(tmp_path: Path) -> None:
    cmip().to_netcdf(tmp_path / "cmip.nc")
    era5().to_netcdf(tmp_path / "era5.nc")
    a, b = load_coarse(tmp_path / "cmip.nc"), load_coarse(tmp_path / "era5.nc")
    for name, variable in VARIABLES.items():
        np.testing.assert_allclose(a[name], b[name], rtol=1e-5, err_msg=name)
        assert b[name].attrs["units"] == variable.units
    assert b["y"].values[0] < b["y"].values[-1]


@pytest.mark.parametrize("name", ["store", "store.zarr"])
def test_zarr_stores_are_read(name: str, tmp_path: Path) -> None:
    cmip().to_zarr(tmp_path / name)
    cmip().to_netcdf(tmp_path / "day.nc")
    a, b = load_coarse(tmp_path / name), load_coarse(tmp_path / "day.nc")
    np.testing.assert_array_equal(a["va"], b["va"])
    assert a.attrs["calendar"] == "360_day"


@pytest.mark.parametrize(
    ("name", "unit", "value", "expected"),
    [
        ("pr", "mm/day", 86_400, 1), ("pr", "mm d-1", 86_400, 1), ("pr", "kg m**-2 s**-1", 1, 1),
        ("pr", "mm/hr", 3600, 1),
        ("pr", "m", 3.6, 1), ("pr", "mm", 3600, 1), ("pr", "m s-1", 1e-3, 1), ("pr", "kg/m2/s", 2, 2),
        ("prw", "mm", 3, 3), ("prw", "cm", 3, 30), ("ta", "degC", 0, 273.15), ("ta", "degrees_C", 1, 274.15),
        ("ua", "km/h", 36, 10),
        ("va", "m/s", 7, 7),
    ],
)  # fmt: skip
def test_units_are_converted(name: str, unit: str, value: float, expected: float) -> None:
    field = xr.DataArray([float(value)], dims="x", name=name, attrs={"units": unit})
    assert float(convert(field, name, 3600.0, "file")[0]) == pytest.approx(expected, rel=1e-6)


def test_spellings_of_units() -> None:
    assert plain_unit("m s**-1") == plain_unit("m/s") == plain_unit("m s^-1") == "m s-1"
    assert plain_unit("kg m**-2 s**-1") == "kg m-2 s-1"


def _drop(name: str) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda d: d.drop_vars(name)


def _units(name: str, units: str | None) -> Callable[[xr.Dataset], xr.Dataset]:
    def change(d: xr.Dataset) -> xr.Dataset:
        d[name].attrs.pop("units")
        return d if units is None else d.assign({name: d[name].assign_attrs(units=units)})

    return change


def _missing(d: xr.Dataset) -> xr.Dataset:
    d["prw"][0, 0, 0] = np.nan
    return d


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_drop("prw"), "has no water vapour path.*prw or tcwv.*it holds pr, ta.*download it"),
        (_units("pr", None), "pr has no units: set its attribute"),
        (_units("pr", "furlong"), "pr is in 'furlong', which is no unit of pr: convert it to 'kg m-2 s-1'"),
        (_units("pr", "mm/s"), ""),
        (lambda d: d.assign(pr=d["pr"] * 1e4), "rain reaches .* mm/day: check its units"),
        (lambda d: d.assign(pr=d["pr"] - 1e-3), "rain is negative"),
        (lambda d: d.assign(ta=d["ta"] - 273.15), "ta is .* K, and air has 150 to 350: check its units"),
        (lambda d: d.assign(ua=d["ua"] * 1e30), r"ua is .* m s-1, and air has -300 to 300: check its units"),
        (lambda d: d.isel(time=[0, 0, 1]), "has times that are doubled or out of order: sort them"),
        (lambda d: d.assign(pr=d["pr"].astype(str)), "pr holds no numbers .*: write it as numbers"),
        (_missing, "prw has missing values: fill them"),
        (lambda d: d.isel(plev=slice(2, 3)), "ua has no level near 750 hPa .nearest 500.: add one"),
        (lambda d: d.isel(lat=slice(2)), "lat is no even axis of at least 4 cells"),
        (lambda d: d.isel(lat=[0, 1, 2, 5]), "lat is no even axis"),
        (lambda d: d.rename(lat="cell"), "has no axis lat or latitude: regrid"),
        (lambda d: d.expand_dims(member=2), "has the dimension member: choose one"),
        (
            lambda d: d.isel(time=[0]).assign(pr=d["pr"].isel(time=[0]).assign_attrs(units="m")),
            "an amount .m. over an unknown time, with an unknown time step: set its attr",
        ),
    ],
)  # fmt: skip
def test_broken_files_are_told_in_one_line(
    change: Callable[[xr.Dataset], xr.Dataset], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "odd.nc"
    change(cmip()).to_netcdf(path)
    if not message:
        assert load_coarse(path)["pr"].attrs["units"] == "kg m-2 s-1"
        return
    with pytest.raises(CoarseError, match=message) as caught:
        load_coarse(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_of_fields_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CoarseNotFoundError, match=r"there is nothing at .*kernel"):
        load_coarse(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("latitude longitude")
    cmip().to_netcdf(tmp_path / "whole.nc")
    (tmp_path / "cut.nc").write_bytes((tmp_path / "whole.nc").read_bytes()[:3000])
    (tmp_path / "empty").mkdir()
    for name, kind in (("text.nc", "NetCDF file"), ("cut.nc", "NetCDF file"), ("empty", "Zarr store")):
        with pytest.raises(
            CoarseError, match=f"{name} cannot be read as a {kind} .*: copy or export it again"
        ) as caught:
            load_coarse(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_time_units_that_are_none_are_told(tmp_path: Path) -> None:
    odd = cmip().assign_coords(time=("time", [0, 1, 2], {"units": "fortnights since dawn"}))
    odd.to_netcdf(tmp_path / "odd.nc")
    with pytest.raises(CoarseError, match=r"odd\.nc cannot be read .*: make its time units CF"):
        load_coarse(tmp_path / "odd.nc")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    coarse = cmip().isel(plev=0, drop=True).rename(lat="y", lon="x").assign_coords(time=[0.5, 1.0, 1.5])
    read = load_coarse(write_cmip(coarse, tmp_path / "coarse.nc"))
    for name in VARIABLES:
        np.testing.assert_allclose(read[name], coarse[name], rtol=1e-6)
    assert read.attrs["calendar"] == "360_day"


def _rain(units: str, seconds: float | None, **attrs: object) -> float:
    field = xr.DataArray([3.6], dims="x", name="tp", attrs={"units": units, **attrs})
    return float(convert(field, "pr", seconds, "file")[0])


@pytest.mark.parametrize("hours", [3, 6, 24, 30 * 24])
def test_the_period_of_an_amount_is_asked_for_and_never_guessed(hours: int) -> None:
    with pytest.raises(CoarseError, match=rf"tp is an amount .m. over .*, with fields {hours} hours apart"):
        _rain("m", 3600.0 * hours)
    assert _rain("m", 3600.0 * hours, accumulation_hours=1) == pytest.approx(1)
    assert _rain("mm", 3600.0 * hours, cell_methods="time: sum") == pytest.approx(1e-3 / hours)
    with pytest.raises(CoarseError, match="accumulation_hours of tp is 'often': set hours above 0"):
        _rain("m", 3600.0, accumulation_hours="often")


@pytest.mark.parametrize("start", [350.0, -6.0])
def test_a_region_across_greenwich_is_one_region(start: float, tmp_path: Path) -> None:
    source = cmip()
    across = source.assign_coords(lon=("lon", (start + 2.0 * np.arange(len(LON))) % 360, source["lon"].attrs))
    across.sortby("lon").to_netcdf(tmp_path / "across.nc")  # as archives cut it: 0 .. 4, 350 .. 358
    np.testing.assert_allclose(load_coarse(tmp_path / "across.nc")["pr"], source["pr"], rtol=1e-6)


def test_only_the_times_that_are_asked_for_are_read(tmp_path: Path) -> None:
    source = cmip()
    source["pr"][2] = np.nan
    source.to_netcdf(tmp_path / "day.nc")
    np.testing.assert_allclose(load_coarse(tmp_path / "day.nc", times=2)["pr"], source["pr"][:2], rtol=1e-6)
    with pytest.raises(CoarseError, match="pr has missing values"):
        load_coarse(tmp_path / "day.nc")


def test_anomalies_are_not_held_against_the_range_of_air(tmp_path: Path) -> None:
    source = cmip()
    source["ta"] = (source["ta"] - 260).assign_attrs(units="K", long_name="temperature, anomaly")
    source.to_netcdf(tmp_path / "anomaly.nc")
    assert float(load_coarse(tmp_path / "anomaly.nc")["ta"].max()) < 100


def test_cells_that_do_not_fit_the_networks_are_told_before_training(tmp_path: Path) -> None:
    cmip().isel(lat=slice(5)).to_netcdf(tmp_path / "odd.nc")
    assert read_own(tmp_path / "odd.nc", Sizes(factor=8)).sizes["time"] == 2
    with pytest.raises(CoarseError, match=r"odd\.nc has 5 cells along y: cut the region so that 2 divides them"):
        read_own(tmp_path / "odd.nc", Sizes(factor=4))
