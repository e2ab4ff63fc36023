"""Weather: scores and back, months, calibration, generators, statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from genai4eu.usecases.irrigation import statistics
from genai4eu.usecases.irrigation.anomalies import Months
from genai4eu.usecases.irrigation.baseline import Wgen, year_bootstrap
from genai4eu.usecases.irrigation.calibration import calibrate, rank_scores
from genai4eu.usecases.irrigation.data import OTHERS, TARGET, folds, larswg, station
from genai4eu.usecases.irrigation.latents import WET, Scores
from genai4eu.usecases.irrigation.weather import MONTH, VARIABLES, WeatherError, from_days, monthly


def test_a_station_has_units_and_whole_years() -> None:
    found = station(TARGET)
    assert found["rain"].shape == (37, 365)
    assert {n: v.attrs["units"] for n, v in found.data_vars.items()} == {n: u for n, (u, _) in VARIABLES.items()}
    assert float(found["rain"].sum("day").mean()) == pytest.approx(414, abs=2)
    assert TARGET not in OTHERS
    assert larswg().shape == (100, 365)


def test_an_unknown_station_names_those_there_are() -> None:
    with pytest.raises(WeatherError, match="there is no station 'nowhere': choose champion, tunis"):
        station("nowhere")


def test_months_add_up_to_the_year(weather: xr.Dataset) -> None:
    np.testing.assert_allclose(monthly(weather["rain"].values).sum(1), weather["rain"].values.sum(1))
    assert np.bincount(MONTH).tolist() == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def test_folds_hold_out_every_year_once_and_share_none() -> None:
    parts = folds(np.arange(1982, 2019), 3)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(1982, 2019))
    assert all(not set(learn) & set(test) for learn, test in parts)
    with pytest.raises(ValueError, match="cannot be split into 3 folds"):
        folds(np.arange(10), 3)


def test_scores_are_normal_and_come_back_as_the_same_weather(weather: xr.Dataset) -> None:
    mapped = Scores(weather)
    scores = mapped.forward(weather, np.random.default_rng(0))
    assert abs(scores.mean((0, 2))).max() < 0.05
    assert abs(scores.std((0, 2)) - 1).max() < 0.05
    back = mapped.backward(scores, weather["year"].values)
    wet = weather["rain"].values >= WET
    np.testing.assert_array_equal(back["rain"].values > 0, wet)
    np.testing.assert_allclose(back["rain"].values[wet], weather["rain"].values[wet], rtol=1e-4)
    for name in ("tmin", "tmax", "et0"):
        np.testing.assert_allclose(back[name], weather[name], atol=0.02)


def test_the_score_of_a_dry_day_says_how_far_rain_is(weather: xr.Dataset) -> None:
    score = Scores(weather).forward(weather, np.random.default_rng(0))[:, 0]
    dry = weather["rain"].values < WET
    beside = dry[:, 1:-1] & ~(dry[:, :-2] & dry[:, 2:])
    inside = dry[:, 1:-1] & dry[:, :-2] & dry[:, 2:]
    for m in range(12):  # shares of dry days differ between months, and so do scores
        days = MONTH[1:-1] == m
        near, far = (score[:, 1:-1][:, days][where[:, days]] for where in (beside, inside))
        assert near.min() > far.max() - 1e-6


def test_rain_goes_beyond_the_record_and_temperatures_never_cross(weather: xr.Dataset) -> None:
    made = Scores(weather).backward(np.full((1, 4, 365), 4.0), np.array([1]))
    assert float(made["rain"].max()) > float(weather["rain"].max())
    wild = np.random.default_rng(0).normal(0, 4, (20, 4, 365))
    made = Scores(weather).backward(wild, np.arange(20))
    assert bool((made["tmin"] < made["tmax"]).all())
    assert float(made["rain"].min()) >= 0
    assert float(made["et0"].min()) > 0


def test_drawn_months_keep_mean_spread_and_the_ties_between_months() -> None:
    weather = station(TARGET)
    mapped = Scores(weather)
    months = Months(weather["rain"].values, mapped.forward(weather, np.random.default_rng(0)))
    drawn = months.draw(4000, np.random.default_rng(1))
    flat, seen = drawn.reshape(4000, -1), months.values.reshape(37, -1)
    np.testing.assert_allclose(flat.mean(0), seen.mean(0), atol=0.06)
    np.testing.assert_allclose(flat.std(0), seen.std(0), rtol=0.06)
    np.testing.assert_allclose(np.corrcoef(flat.T), np.corrcoef(seen.T), atol=0.12)
    # Cube roots keep their spread exactly, sums of cubes only nearly.
    assert months.totals(drawn).sum(1).std() == pytest.approx(weather["rain"].values.sum(1).std(), rel=0.12)
    assert len(np.unique(drawn[:, 0, 0])) == 4000  # no year comes back as it was


def test_calibration_gives_quantiles_months_and_spells_of_the_training_years(weather: xr.Dataset) -> None:
    mapped, rng = Scores(weather), np.random.default_rng(0)
    months = Months(weather["rain"].values, mapped.forward(weather, rng))
    drawn = months.draw(60, rng)
    rough = np.cumsum(rng.normal(0, 0.4, (60, 4, 365)), -1)  # far too smooth, and of no right size
    made = mapped.backward(calibrate(rough, drawn, months, mapped, rng), np.arange(60))
    got, want = statistics.statistics(made), statistics.statistics(weather)
    for name in ("p99", "wet_share", "annual_mean", "dry_spell"):
        assert got[name] == pytest.approx(want[name], rel=0.1), name
    totals = monthly(made["rain"].values)
    assert np.corrcoef(totals.ravel(), months.totals(drawn).ravel())[0, 1] > 0.9


def test_ranking_changes_no_order() -> None:
    rough = np.random.default_rng(0).exponential(size=(7, 4, 365))
    ranked = rank_scores(rough)
    days = MONTH == 4
    np.testing.assert_array_equal(rough[:, 2, days].ravel().argsort(), ranked[:, 2, days].ravel().argsort())


def test_wgen_gives_back_its_own_climate() -> None:
    truth = Wgen(station(TARGET)).draw(60, 0)
    again = statistics.statistics(Wgen(truth).draw(60, 1))
    own = statistics.statistics(truth)
    for name in ("wet_share", "dry_spell", "annual_mean", "et0_mean"):
        assert again[name] == pytest.approx(own[name], rel=0.06), name


def test_the_year_bootstrap_draws_whole_years(weather: xr.Dataset) -> None:
    drawn = year_bootstrap(weather, 30, 0)
    for i in range(3):
        np.testing.assert_array_equal(drawn["rain"][i], weather["rain"].sel(year=int(drawn["from_year"][i])))


def test_spells_by_hand() -> None:
    wet = np.zeros((1, 365), bool)
    wet[0, 10:13] = wet[0, 20] = True
    assert statistics.spells(wet, True).tolist() == [3, 1]
    assert statistics.spells(wet, False).tolist() == [10, 7, 344]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(rain=-1.0), r"f\.csv: rain is -1 mm/day, outside 0\.\.2000 on 2001-01-01"),
        (lambda t: t.assign(tmax=t.tmax + 273), r"f\.csv: tmax is 2\d\d(\.\d+)? degC, outside"),
        (lambda t: t.assign(tmin=t.tmax + 1), r"f\.csv: tmin is above tmax on 2001-01-01: check the columns"),
        (lambda t: t.assign(et0=np.nan), r"f\.csv: et0 is missing on 2001-01-01: fill it"),
        (lambda t: t.iloc[:100], r"f\.csv has no complete year"),
        (lambda t: pd.concat([t.iloc[:1], t]), r"f\.csv has 2001-01-01 twice"),
    ],
)
def test_weather_that_cannot_be_is_one_clear_line(change: object, message: str) -> None:
    days = pd.date_range("2001-01-01", "2001-12-31")
    table = pd.DataFrame({"tmin": 5.0, "tmax": 15.0, "rain": 1.0, "et0": 3.0}, index=days)
    assert from_days(table, "f.csv").sizes == {"year": 1, "day": 365}
    with pytest.raises(WeatherError, match=message):
        from_days(change(table), "f.csv")  # type: ignore[operator]
