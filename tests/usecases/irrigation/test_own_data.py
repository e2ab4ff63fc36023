"""Own data: standard-conforming small files of every format, and broken ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from genai4eu.usecases.irrigation import era5
from genai4eu.usecases.irrigation.aquacrop_text import read_larswg
from genai4eu.usecases.irrigation.readers import DataNotFoundError, WeatherError, example_path, load

DAYS = pd.date_range("2001-01-01", "2002-12-31")


def _table() -> pd.DataFrame:
    rain = np.where(np.arange(len(DAYS)) % 5 == 0, 7.5, 0.0)
    return pd.DataFrame({"tmin": 4.0, "tmax": 16.0, "rain": rain, "et0": 3.0}, index=DAYS)


def _line(error: pytest.ExceptionInfo[Exception], path: Path) -> None:
    """Hold that a failure is one line that names the file and a remedy."""
    assert str(path.name) in str(error.value)
    assert "\n" not in str(error.value)
    assert ": " in str(error.value)


def test_aquacrops_own_file() -> None:
    found = load(example_path())
    assert found["year"].values.tolist() == list(range(1979, 2002))  # 2002 ends in May and is left out
    raw = pd.read_csv(example_path(), sep=r"\s+")
    first = raw[raw["Year"] == 1979]
    assert float(found["rain"].sel(year=1979).sum()) == pytest.approx(first["Prcp(mm)"].sum())


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_with_any_separator_and_usual_names(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    table = _table().set_axis(["MinTemp (degC)", "TX", "Precipitation[mm]", "ET0"], axis=1).rename_axis("date")
    table.to_csv(path, sep=separator)
    found = load(path)
    assert found.sizes == {"year": 2, "day": 365}
    assert float(found["rain"].sel(year=2001).sum()) == pytest.approx(7.5 * 73)
    assert found["tmax"].attrs["units"] == "degC"


def test_csv_in_kelvin_and_metres_is_converted(tmp_path: Path) -> None:
    table = _table()
    table = pd.DataFrame(
        {"tmin (K)": table.tmin + 273.15, "tmax (K)": table.tmax + 273.15, "rain (m)": table.rain / 1000, "et0": 3.0}
    ).assign(year=DAYS.year, month=DAYS.month, day=DAYS.day)
    table.to_csv(tmp_path / "own.csv", index=False)
    found = load(tmp_path / "own.csv")
    assert float(found["tmin"].mean()) == pytest.approx(4.0)
    assert float(found["rain"].max()) == pytest.approx(7.5)


@pytest.mark.parametrize(
    ("header", "factor", "shift"),
    [
        ("rain (inch)", 25.4, 0), ("rain [cm]", 10, 0), ("rain [m]", 1000, 0), ("pr (kg m-2 s-1)", 86400, 0),
        ("pr (kg m**-2 s**-1)", 86400, 0), ("rain [0.1 mm]", 0.1, 0), ("rain (mm/day)", 1, 0), ("rain", 1, 0),
        ("tmin (degF)", 1 / 1.8, -32), ("tmin [°F]", 1 / 1.8, -32), ("tmin [K]", 1, -273.15), ("tmin (°C)", 1, 0),
    ],
)  # fmt: skip
def test_units_in_any_bracket_are_converted(header: str, factor: float, shift: float, tmp_path: Path) -> None:
    table = _table()
    name = "tmin" if header.startswith("tmin") else "rain"
    ours = table[name].copy()
    table[name] = ours / factor - shift
    table.rename(columns={name: header}).rename_axis("date").to_csv(tmp_path / "own.csv")
    found = load(tmp_path / "own.csv")
    np.testing.assert_allclose(found[name].values.ravel(), ours, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rain": "rain (furlong)"}, r"own\.csv: the unit 'furlong' of column 'rain \(furlong\)' is unknown: give mm"),
        ({"tmax": "tmax [mm]"}, r"own\.csv: the unit 'mm' of column 'tmax \[mm\]' is unknown: give degC"),
        ({"et0": "et0 (J m-2)"}, r"own\.csv: the unit 'J m-2' of column"),
    ],
)
def test_an_unknown_unit_is_refused(change: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    _table().rename(columns=change).rename_axis("date").to_csv(path)
    with pytest.raises(WeatherError, match=message) as caught:
        load(path)
    _line(caught, path)


def test_rain_of_no_unit_that_cannot_be_millimetres_is_refused(tmp_path: Path) -> None:
    table = _table()
    table.assign(rain=table.rain / 1000).rename_axis("date").to_csv(tmp_path / "own.csv")
    with pytest.raises(WeatherError, match=r"own\.csv: rain never exceeds 0\.0075 mm: name its unit"):
        load(tmp_path / "own.csv")


def test_decimal_commas_and_dates_without_dashes_are_read(tmp_path: Path) -> None:
    _table().set_axis(DAYS.strftime("%Y%m%d")).rename_axis("date").to_csv(tmp_path / "own.csv", sep=";", decimal=",")
    found = load(tmp_path / "own.csv")
    assert found["year"].values.tolist() == [2001, 2002]
    assert float(found["rain"].max()) == 7.5


BROKEN_TEXT: dict[str, tuple[Callable[[str], str], str]] = {
    "no column": (lambda t: t.replace("et0", "sunshine"), r"own\.csv has no column for et0 \(it has .*sunshine"),
    "no date": (lambda t: t.replace("date", "when"), r"own\.csv has no dates: give a column 'date'"),
    "bad date": (
        lambda t: t.replace("2001-03-01", "2001-02-30"),
        r"own\.csv has a date that is none \('2001-02-30'\): wr",
    ),
    "other date": (
        lambda t: t.replace("2001-03-01", "01.03.2001"),
        r"none \('01\.03\.2001'\): write dates as 2020-01-31",
    ),
    "word": (lambda t: t.replace("7.5", "wet"), r"own\.csv: rain is missing on 2001-01-01"),
    "gap": (lambda t: "\n".join(t.splitlines()[:300]), r"own\.csv has no complete year"),
    "only zeros": (lambda t: "\x00" * 50, r"own\.csv is neither text, NetCDF nor GeoTIFF"),
    "empty": (lambda t: "", r"own\.csv is neither text, NetCDF nor GeoTIFF"),
}


@pytest.mark.parametrize("kind", BROKEN_TEXT)
def test_a_broken_table_is_one_clear_line(kind: str, tmp_path: Path) -> None:
    change, message = BROKEN_TEXT[kind]
    path = tmp_path / "own.csv"
    path.write_text(change(_table().rename_axis("date").to_csv()))
    with pytest.raises(WeatherError, match=message) as caught:
        load(path)
    _line(caught, path)


def test_broken_aquacrop_and_larswg_files_are_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "weather.txt"
    text = example_path().read_text()
    path.write_text("\n".join(text.splitlines()[:400]).replace("1\t1\t1979", "x\t1\t1979"))
    with pytest.raises(WeatherError, match=r"weather\.txt is no AquaCrop weather file") as caught:
        load(path)
    _line(caught, path)
    path.write_text("1 1 2 3 4 5\n" * 3)
    with pytest.raises(WeatherError, match="has 6 columns and 3 days: LARS-WG writes 6 and whole years"):
        read_larswg(path)
    with pytest.raises(DataNotFoundError, match="there is no file at"):
        load(tmp_path / "none.csv")


def _era5(path: Path, full: bool = True, change: Callable[[xr.Dataset], xr.Dataset] = lambda d: d) -> Path:
    """Write a year and a few hours of hourly ERA5, as the Climate Data Store does: 2 x 2 points, valid_time."""
    time = pd.date_range("2020-12-31 00:00", "2022-01-01 06:00", freq="h")
    hour = time.hour.to_numpy()
    shape = (len(time), 2, 2)

    def grid(values: Any, units: str) -> tuple[tuple[str, ...], Any, dict[str, str]]:
        spread = np.broadcast_to(np.asarray(values, np.float32).reshape(-1, 1, 1), shape).copy()
        return (("valid_time", "latitude", "longitude"), spread, {"units": units})

    warm = 288.15 + 6 * np.sin((hour - 9) * np.pi / 12)
    # rain of the hour that ends at midnight: it belongs to the day that ends
    rain = np.where((hour == 0) & (time.day == 2), 0.005, 0.0)
    values = {"t2m": grid(warm, "K"), "tp": grid(rain, "m")}
    if full:
        sun = np.where((hour > 6) & (hour < 19), 1.6e6, 0)
        values |= {"d2m": grid(np.full(len(time), 281.15), "K"), "ssrd": grid(sun, "J m**-2")}
        values |= {"u10": grid(np.full(len(time), 2.0), "m s**-1"), "v10": grid(np.full(len(time), 1.0), "m s**-1")}
    coords = {"valid_time": time, "latitude": [45.25, 45.0], "longitude": [7.0, 7.25]}
    change(xr.Dataset(values, coords=coords)).to_netcdf(path, engine="netcdf4")
    return path


def test_era5_becomes_days_with_units(tmp_path: Path) -> None:
    found = load(_era5(tmp_path / "era5.nc"))
    assert found["year"].values.tolist() == [2021]
    assert float(found["tmin"].mean()) == pytest.approx(15 - 6, abs=0.1)
    assert float(found["tmax"].mean()) == pytest.approx(15 + 6, abs=0.1)
    assert float(found["rain"].sum()) == pytest.approx(12 * 5)
    assert np.flatnonzero(found["rain"].values[0])[0] == 0  # midnight of 2 January ends 1 January
    assert 2 < float(found["et0"].mean()) < 7
    less = load(_era5(tmp_path / "less.nc", full=False))
    assert not np.allclose(less["et0"], found["et0"])  # Hargreaves in place of Penman-Monteith


def test_a_download_that_ends_at_eleven_keeps_its_last_year(tmp_path: Path) -> None:
    path = _era5(tmp_path / "era5.nc", change=lambda d: d.sel(valid_time="2021"))
    found = load(path)
    assert found["year"].values.tolist() == [2021]
    assert float(found["rain"].sum()) == pytest.approx(12 * 5 + 0, abs=1e-3)


def _by_hour(d: xr.Dataset) -> xr.Dataset:
    """Give each third day 6 mm in its tenth to fifteenth hour, as ERA5 stamps them."""
    before = d.valid_time.to_index() - pd.Timedelta(hours=1)
    wet = (before.dayofyear % 3 == 0) & (before.hour >= 9) & (before.hour < 15)
    return d.assign(tp=(0 * d.tp + xr.DataArray(np.where(wet, 0.001, 0), dims="valid_time")).assign_attrs(units="m"))


def _as_land(d: xr.Dataset) -> xr.Dataset:
    day = (d.valid_time.to_index() - pd.Timedelta(seconds=1)).floor("D")
    for name in ("tp", "ssrd"):
        summed = pd.DataFrame(d[name].values.reshape(len(day), -1)).groupby(day).cumsum().to_numpy()
        d = d.assign({name: d[name].copy(data=summed.reshape(d[name].shape))})
    return d


def test_amounts_since_midnight_of_era5_land_give_the_same_days(tmp_path: Path) -> None:
    hourly = load(_era5(tmp_path / "era5.nc", change=_by_hour))
    land = load(_era5(tmp_path / "land.nc", change=lambda d: _as_land(_by_hour(d))))
    assert float(hourly["rain"].sum()) == pytest.approx(6 * 121, rel=1e-4)
    for name in ("rain", "et0"):
        np.testing.assert_allclose(land[name], hourly[name], rtol=1e-4)


def test_preliminary_and_final_months_side_by_side_are_joined(tmp_path: Path) -> None:
    def apart(d: xr.Dataset) -> xr.Dataset:
        final = d.valid_time < np.datetime64("2021-10-01")
        return xr.concat([d.where(final), d.where(~final)], pd.Index([1, 5], name="expver"))

    split, plain = (load(_era5(tmp_path / n, change=c)) for n, c in (("a.nc", apart), ("b.nc", lambda d: d)))
    for name in ("tmin", "tmax", "rain", "et0"):
        np.testing.assert_allclose(split[name], plain[name], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop_vars("tp"), r"era5\.nc has no tp \(it has t2m"),
        (lambda d: d.assign(t2m=d.t2m.assign_attrs(units="degC")), r"era5\.nc: t2m is in 'degC', not in 'K'"),
        (lambda d: d.isel(valid_time=slice(None, None, 24)), r"era5\.nc has a value every 1 days"),
        (
            lambda d: d.isel(valid_time=slice(None, None, 6)),
            r"every 0 days 06:00:00, of which tp is no whole amount: req",
        ),
        (
            lambda d: d.isel(valid_time=np.delete(np.arange(d.sizes["valid_time"]), 1000)),
            r"23 of 24 hours on 2021-02-10",
        ),
        (lambda d: d.where(d.valid_time != d.valid_time[1000]), r"era5\.nc has 23 of 24 hours on 2021-02-10: request"),
        (lambda d: xr.concat([d, d.isel(valid_time=[5])], "valid_time"), r"era5\.nc has 2020-12-31 05:00:00 twice"),
        (lambda d: d.where(d.latitude > 45.1), r"era5\.nc has no value of t2m at its middle grid point \(45, 7\.25\)"),
        (lambda d: d.expand_dims(number=2), r"era5\.nc has a dimension 'number' besides time and place"),
        (
            lambda d: d.assign_coords(
                valid_time=xr.date_range("2001-01-01", periods=8791, freq="h", calendar="360_day")
            ),
            r"era5\.nc has times of another calendar",
        ),
        (lambda d: d.rename(valid_time="step"), r"era5\.nc has no time or latitude"),
        (lambda d: d.isel(valid_time=slice(2000)), r"era5\.nc has no complete year"),
    ],
)
def test_era5_that_lacks_something_is_one_clear_line(
    change: Callable[[xr.Dataset], xr.Dataset], message: str, tmp_path: Path
) -> None:
    path = _era5(tmp_path / "era5.nc", full=False, change=change)
    with pytest.raises(WeatherError, match=message) as caught:
        load(path)
    _line(caught, path)


def test_a_cut_netcdf_is_one_clear_line(tmp_path: Path) -> None:
    path = _era5(tmp_path / "era5.nc", full=False)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeatherError, match=r"era5\.nc cannot be read as NetCDF") as caught:
        load(path)
    _line(caught, path)


def test_evapotranspiration_is_that_of_fao_56() -> None:
    """Examples 8 and 18 of Allen et al. 1998: 32.2 MJ at 20 degrees south, 3.9 mm at Uccle on 6 July."""
    september = pd.DatetimeIndex(["2001-09-03"])
    assert era5.extraterrestrial(september, -20)[0] == pytest.approx(32.2, abs=0.1)
    day = pd.DataFrame({"tmin": [12.3], "tmax": [21.5]}, index=pd.DatetimeIndex(["2001-07-06"]))
    dew = 237.3 * np.log(1.409 / 0.6108) / (17.27 - np.log(1.409 / 0.6108))
    found = era5.penman_monteith(day, np.array([dew]), np.array([2.78]), np.array([22.07]), 50.8, 100)
    assert found[0] == pytest.approx(3.9, abs=0.1)


def test_too_few_years_are_refused(tmp_path: Path) -> None:
    from genai4eu.usecases.irrigation import own
    from genai4eu.usecases.irrigation.model import WeatherNet
    from genai4eu.usecases.irrigation.sizes import PROFILES

    sizes = PROFILES["smoke"]
    path = tmp_path / "own.csv"
    _table().rename_axis("date").to_csv(path)
    with pytest.raises(WeatherError, match=r"own\.csv has 2 complete years: give at least 8"):
        own.show(load(path), WeatherNet(sizes.width, sizes.dilations), sizes, 0)
    with pytest.raises(WeatherError, match=r"own\.csv has 2 complete years: give at least 8"):
        own.read(path)
    assert own.read(None).sizes["year"] == 23
    shutil.rmtree(tmp_path)
