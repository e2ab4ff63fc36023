"""Scores against what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from genai4eu.usecases.climate_downscaling import evaluate
from genai4eu.usecases.climate_downscaling.units import DAY


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_crps_of_a_normal_ensemble_is_the_closed_form() -> None:
    members = _rng().normal(size=(10, 40_000)).astype(np.float32)
    value = evaluate.crps(members, np.zeros(40_000, np.float32)).mean()
    assert value == pytest.approx((math.sqrt(2) - 1) / math.sqrt(math.pi), abs=0.005)


def test_fair_crps_favours_no_size_and_one_member_is_the_absolute_error() -> None:
    truth = _rng().normal(size=30_000).astype(np.float32)
    members = np.random.default_rng(1).normal(size=(20, 30_000)).astype(np.float32)
    two, twenty = (evaluate.crps(members[:n], truth).mean() for n in (2, 20))
    assert two == pytest.approx(twenty, abs=0.015)
    np.testing.assert_allclose(evaluate.crps(members[:1], truth), np.abs(members[0] - truth))


def test_crps_by_hand() -> None:
    members = np.array([[0.0], [2.0], [5.0]], np.float32)
    expected = (1 + 1 + 4) / 3 - (2 + 5 + 3) / 6
    assert evaluate.crps(members, np.array([1.0], np.float32))[0] == pytest.approx(expected)


def test_a_wave_is_found_at_its_number_with_its_variance() -> None:
    x = np.arange(32) * 2 * np.pi / 32
    field = (3 * np.cos(5 * x)[None, :] + 0 * x[:, None]).astype(np.float32)
    power = evaluate.spectrum(field[None])[0]
    assert power[4] == pytest.approx(4.5, rel=1e-5)
    assert power.sum() == pytest.approx(4.5, rel=1e-5)
    assert evaluate.spectrum(field.T[None])[0][4] == pytest.approx(4.5, rel=1e-5)


def test_the_spectrum_of_noise_adds_up_to_its_variance_within_the_circle() -> None:
    field = _rng().normal(size=(8, 64, 64)).astype(np.float32)
    assert 0.7 < evaluate.spectrum(field).sum(1).mean() < 0.85  # pi/4 of the square


def test_fractions_skill_forgives_a_step_and_not_a_leap() -> None:
    truth = np.zeros((1, 32, 32), np.float32)
    truth[:, 10:14, 10:14] = 30.0
    skill = []
    for shift in (0, 1, 12):
        error, reference = evaluate.fractions_skill(np.roll(truth, shift, 2)[None], truth, 20.0)
        skill.append(1 - error[0] / reference[0])
    assert skill[0] == 1
    assert 0.5 < skill[1] < 1
    assert skill[2] == 0


def test_ranks_are_even_for_a_true_ensemble_also_where_all_is_dry() -> None:
    drawn = np.maximum(_rng().normal(size=(10, 50_000)), 0).astype(np.float32)
    counts = evaluate.ranks(drawn[1:], drawn[0])
    assert counts.sum() == 50_000
    assert np.abs(counts / counts.mean() - 1).max() < 0.06


def test_water_error_is_that_of_cell_means() -> None:
    coarse = np.array([[[1.0, 2.0], [3.0, 4.0]]], np.float32)
    fine = coarse.repeat(4, 1).repeat(4, 2)[None]
    assert evaluate.water_error(fine, coarse)[0] == 0
    assert evaluate.water_error(fine + 0.5, coarse)[0] == pytest.approx(0.5)


def _scores(inflation: float = 1.0) -> xr.Dataset:
    """Score an ensemble that is exchangeable with truth, spread by ``inflation``, and a constant."""
    rng = _rng()
    base = rng.gamma(0.5, 6.0, size=(1, 12, 32, 32))
    noise = rng.normal(size=(9, 12, 32, 32))
    fields = (base + 20 + noise * np.r_[1.0, [inflation] * 8][:, None, None, None]) / DAY
    axes = {"y": np.arange(32.0), "x": np.arange(32.0)}
    data = xr.DataArray(fields[:, None], dims=("member", "run", "time", "y", "x"), coords=axes)
    coarse = data.isel(member=0).coarsen(y=8, x=8).mean().to_dataset(name="pr")
    flat = xr.full_like(data.isel(member=slice(1)), float(data.mean()))
    return evaluate.score(
        {"flat": flat, "flow": data.isel(member=slice(1, None))}, data.isel(member=0, drop=True), coarse, 25.0
    )


@pytest.mark.parametrize(("inflation", "low", "high"), [(1.0, 0.98, 1.02), (0.5, 0.4, 0.6), (2.0, 1.5, 2.2)])
def test_spread_over_skill_tells_honest_from_bold_and_timid(inflation: float, low: float, high: float) -> None:
    over = evaluate.summary(_scores(inflation))["spread_skill"].sel(downscaling="flow")
    assert low < float(over.sel(bound="value")) < high


def test_the_summary_holds_every_figure_with_an_interval_around_it() -> None:
    scores = _scores()
    over = evaluate.summary(scores)
    for name in evaluate.SUMMARY:
        value, low, high = over[name].sel(downscaling="flow").values
        assert low - 1e-9 <= value <= high + 1e-9 or name == "spectrum_db", name
        assert over[name].attrs["units"]
    assert float(over["p999"].sel(downscaling="flow", bound="value")) == pytest.approx(1, abs=0.03)
    assert float(over["spectrum_db"].sel(downscaling="flow", bound="value")) < 1
    assert evaluate.best_baseline(scores) == "flat"
    share, low, high = evaluate.gain(scores)
    assert low < share < high
    assert share > 0.5
