"""One tiny study, made once: what most tests of the use case look at. And a made-up station, so that tests know it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from genai4eu.usecases.irrigation.sizes import PROFILES
from genai4eu.usecases.irrigation.weather import DAYS, dataset

TINY = dataclasses.replace(PROFILES["smoke"], steps=4, adapt=2, years=4, grown=2, design=12, intervals=(7,))


def make_weather(count: int = 12, seed: int = 0) -> xr.Dataset:
    """Return weather of a made-up warm place: showers come in spells, and years differ."""
    rng = np.random.default_rng(seed)
    turn = 2 * np.pi * np.arange(DAYS) / DAYS
    wet = np.zeros((count, DAYS), bool)
    for day in range(1, DAYS):
        wet[:, day] = rng.random(count) < np.where(wet[:, day - 1], 0.5, 0.15)
    rain = np.where(wet, rng.gamma(0.8, 8, wet.shape) + 0.2, 0) * rng.uniform(0.6, 1.4, (count, 1))
    mean = 14 - 11 * np.cos(turn) + rng.normal(0, 3, wet.shape)
    span = 10 - 4 * wet + rng.uniform(0, 3, wet.shape)
    et0 = 3.5 - 2.5 * np.cos(turn) + rng.uniform(0, 1, wet.shape)
    values = {"tmin": mean - span / 2, "tmax": mean + span / 2, "rain": rain, "et0": et0}
    return dataset(values, np.arange(2001, 2001 + count), source="made up")


def make_study(outputs: Path, seed: int = 0) -> SimpleNamespace:
    """Run the template's study part, small."""
    from genai4eu.usecases.irrigation import data, emulator, evaluate, keep, season, study, train

    weather = data.station(data.TARGET).isel(year=slice(-TINY.recent, None))
    base = train.pretrain([data.station("tunis")], TINY, seed)
    drawn = study.draw_all(weather, base, TINY, seed)
    table = evaluate.weather_table(drawn)
    plan = season.Plan(quota=400.0)
    judged = study.grow_all(drawn, plan, TINY)
    design = study.emulator_design(drawn, TINY, seed)
    grown = season.simulate(design)
    fast = emulator.fit_emulator(design, grown, seed, judged.shown)
    keep.keep_study(outputs, plan, seed, table, judged, drawn.pooled("flow"), fast)
    return SimpleNamespace(**locals(), sizes=TINY, make=make_study)


@pytest.fixture(scope="session")
def weather() -> xr.Dataset:
    return make_weather()


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make_study(tmp_path_factory.mktemp("study") / "outputs")
