"""The simulated atmosphere: water, instability and splits, against what theory says."""

from __future__ import annotations

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from genai4eu.usecases.climate_downscaling import data
from genai4eu.usecases.climate_downscaling.simulator import CPU, SPACING, Atmosphere, Climate, beside, spun_up
from genai4eu.usecases.climate_downscaling.units import VARIABLES, mm_per_day

DRY = Climate(evaporation=0.0, friction=0.0)


def _atmosphere(climate: Climate, points: int = 32) -> Atmosphere:
    return Atmosphere(points, 64 * SPACING, climate)


def test_stream_functions_give_the_vorticity_back() -> None:
    model = _atmosphere(Climate())
    state = model.start(2, 0)
    upper, lower = model.stream(state)
    torch.testing.assert_close(-(model.k2 + 1) * upper + lower, state[:, 0], rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(-(model.k2 + 1) * lower + upper, state[:, 1], rtol=1e-4, atol=1e-3)


def test_what_evaporates_rains_or_stays() -> None:
    model = _atmosphere(Climate())
    state = model.run(model.start(2, 1), 12.0)
    mean_rain = model.rain(state).mean((1, 2))
    assert mean_rain.min() > 0
    step = model.run(state, model.dt)  # one step
    change = (step - state)[:, 2, 0, 0].real / model.points**2 / model.dt
    torch.testing.assert_close(change, model.climate.evaporation - mean_rain, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("waves", [1, 3])
def test_dry_waves_grow_as_phillips_model_says(waves: int) -> None:
    climate = dataclasses.replace(DRY, beta=0.3)
    model = _atmosphere(climate)
    k = 2 * math.pi * waves / model.length
    inversion = -np.linalg.inv(np.array([[k**2 + 1, -1], [-1, k**2 + 1]]))  # psi from q
    matrix = (
        -1j
        * k
        * (
            np.diag([climate.shear, 0])
            + np.diag([climate.beta + climate.shear, climate.beta - climate.shear]) @ inversion
        )
    )
    expected = np.linalg.eigvals(matrix).real.max()
    state = torch.zeros(1, 3, 32, 17, dtype=torch.complex64)
    state[0, :2, 0, waves] = torch.tensor([1.0, 0.5j]) * 1e-3
    state[0, 2, 0, 0] = -1e4  # far from saturation
    early = model.run(state, 20.0)
    late = model.run(early, 5.0)
    grown = torch.log(late[0, 0, 0, waves].abs() / early[0, 0, 0, waves].abs()).item()
    steps = round(5.0 / model.dt) * model.dt
    if expected > 0.05:
        assert grown / steps == pytest.approx(expected, rel=0.03)
    else:
        assert abs(grown / steps) < 0.15


def test_climates_beside_each_other_are_what_each_is_alone() -> None:
    climates = Climate(), Climate(shear=1.1, evaporation=0.9)
    together = spun_up(_atmosphere(beside(climates, 2, CPU)), 2, 5, 6, duration=4.0)
    alone = [spun_up(_atmosphere(c), 2, seed, duration=4.0) for c, seed in zip(climates, (5, 6), strict=True)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-3, atol=1e-2)
    assert (alone[0] - alone[1]).abs().max() > 1.0


def test_heating_warms_and_does_not_make_rain_of_nothing() -> None:
    model = _atmosphere(DRY)
    state = torch.zeros(1, 3, 32, 17, dtype=torch.complex64)
    assert model.rain(state).abs().max() == 0
    wet = _atmosphere(Climate(shear=0.0))
    moist = torch.zeros(1, 3, 32, 32)
    moist[0, 2, 16, 16] = 5.0
    tendency = wet.tendency(torch.fft.rfft2(moist))
    upper, lower = wet.stream(tendency)
    assert wet.grid(upper - lower)[0, 16, 16] > 0  # thicker where it condenses


def test_a_flow_that_outruns_the_step_is_refused() -> None:
    model = _atmosphere(Climate())
    with pytest.raises(FloatingPointError, match=r"outran the time step .*less shear"):
        model.run(model.start(1, 0) * 1e6, 2.0)


def test_grids_of_other_resolution_hold_the_same_waves() -> None:
    fine = _atmosphere(Climate(), 64)
    state = fine.start(1, 3)
    there = fine.regrid(state, 32)
    back = _atmosphere(Climate(), 32).regrid(there, 64)
    assert torch.equal(back[..., :10, :10], state[..., :10, :10])
    assert float((fine.grid(state).mean() - _atmosphere(Climate()).grid(there).mean()).abs()) < 1e-5


ONE = ((1.0, 1.0),)


def test_splits_are_other_weather_and_a_seed_the_same_bits(climate: SimpleNamespace) -> None:
    one, again = (data.simulate("test", 1, 1, 64, 3, climates=ONE, spin_up=20.0) for _ in range(2))
    assert one.identical(again)
    winds = [one["va"].values[0, 0]]
    winds += [
        data.simulate(split, 1, 1, 64, seed, climates=ONE, spin_up=20.0)["va"].values[0, 0]
        for split, seed in (("dashboard", 3), ("test", 4))
    ]
    winds += [*climate.test["va"].values[:, 0], *climate.training["va"].values[:, 0]]
    related = np.corrcoef(np.reshape(winds, (len(winds), -1)))
    assert np.abs(related - np.eye(len(winds))).max() < 0.8


def test_units_are_those_of_cmip_and_rain_is_about_that_of_the_globe(climate: SimpleNamespace) -> None:
    weather = climate.test
    assert {name: weather[name].attrs["units"] for name in VARIABLES} == {n: v.units for n, v in VARIABLES.items()}
    assert 0.5 < mm_per_day(float(weather["pr"].mean())) < 12
    assert float(weather["pr"].min()) >= 0
    assert 1 < float(weather["ua"].std()) < 40
    assert float(weather["x"][1] - weather["x"][0]) == pytest.approx(66.3, abs=0.1)
    coarse = data.coarsen(weather, 8)
    np.testing.assert_allclose(coarse["pr"].mean(("y", "x")), weather["pr"].mean(("y", "x")), rtol=1e-5)
    assert coarse["pr"].attrs["units"] == "kg m-2 s-1"


def test_the_coarse_model_errs_but_knows_the_weather(climate: SimpleNamespace) -> None:
    truth, ahead = data.coarsen(climate.test, 8), data.driven(climate.test, 8)
    np.testing.assert_allclose(truth["x"], ahead["x"])
    related = np.corrcoef(truth["va"].values.ravel(), ahead["va"].values.ravel())[0, 1]
    assert 0.5 < related < 0.999


def test_wrong_sizes_are_refused(climate: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="cannot simulate 3 runs on 64 points: give an even number"):
        data.simulate("test", 3, 1, 64, 0)
    with pytest.raises(ValueError, match="2 runs on 40 points"):
        data.simulate("test", 2, 1, 40, 0)
    with pytest.raises(ValueError, match="64 points along y cannot be averaged by 5"):
        data.coarsen(climate.test, 5)
    with pytest.raises(ValueError, match="no multiple"):
        data.driven(climate.test, 2)
