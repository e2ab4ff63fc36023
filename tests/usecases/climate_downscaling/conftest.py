"""One tiny study, made once: what most tests of the use case look at."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from genai4eu.usecases.climate_downscaling.sizes import PROFILES

TINY = dataclasses.replace(
    PROFILES["smoke"], points=64, factor=8, runs=2, snapshots=2, test_snapshots=2, regression_steps=2, flow_steps=3,
    batch=2, channels=(8,), members=3, sampling=1, trees=3, moistures=(1.0, 1.2),
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call slow what looks at the study: it has to be simulated and trained first."""
    for item in items:
        if "climate" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


def make_study(outputs: Path, seed: int = 0) -> SimpleNamespace:
    """Run the template's study part, small."""
    from genai4eu.usecases.climate_downscaling import data, forecast, keep, train

    training, validation, test = (
        data.simulate(split, 1, TINY.snapshots, TINY.points, seed, climates=((1.0, 1.0),), spin_up=20.0)
        for split in ("training", "validation", "test")
    )
    model = train.train_downscaler(training, TINY, seed)
    baselines = forecast.fit_baselines(training, TINY, seed)
    scores, members = forecast.study(model, baselines, test, validation, TINY, seed)
    keep.keep_study(outputs, TINY, seed, scores, test, members, model)
    return SimpleNamespace(
        training=training, test=test, model=model, scores=scores, members=members, outputs=outputs, make=make_study
    )


@pytest.fixture(scope="session")
def climate(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make_study(tmp_path_factory.mktemp("climate") / "outputs")
