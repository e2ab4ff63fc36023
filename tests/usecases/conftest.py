"""One tiny study, made once: what most tests of the use case look at."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from genai4eu.usecases.health_imaging.sizes import PROFILES

from ..patience import PAPERMILL

TINY = dataclasses.replace(PROFILES["smoke"], labelled=4, test=4, epochs=1, flow_epochs=1, steps=3, trees=4)


def make_study(outputs: Path, seed: int = 0) -> SimpleNamespace:
    """Run the template's study part, small."""
    from genai4eu.usecases.health_imaging import baseline, data, evaluate, keep, mixture, model, train

    real = data.labelled_slices(TINY.labelled, TINY.image, seed)
    test = data.cohort("test", TINY.test, TINY.image, seed, ("A", "B", "C"))
    flow = model.train_generator(real, TINY, seed)
    synthetic = model.synthesise(flow, real, max(TINY.ratios) * TINY.labelled, seed)
    segmenters = train.train_all(real, synthetic, TINY, seed)
    forest = baseline.train_forest(real, TINY.trees, seed)
    masks = {"random forest": baseline.predict_sites(forest, test)}
    masks |= {"Gaussian mixture": mixture.predict_sites(mixture.atlas(real), test)}
    masks |= {name: keep.predict_sites(model, test) for name, model in segmenters.items()}
    scores = evaluate.score(masks, test)
    keep.keep_study(outputs, TINY, seed, scores, test, masks, real, synthetic, segmenters)
    return SimpleNamespace(real=real, test=test, synthetic=synthetic, scores=scores, outputs=outputs, make=make_study)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what needs the study out of ``make test-quick``: to train takes a while, however small."""
    for item in items:
        if "study" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make_study(tmp_path_factory.mktemp("study") / "outputs")


@pytest.fixture
def through_papermill(house: Path) -> Callable[..., SimpleNamespace]:
    """Run a shipped template's smallest size with stock papermill, from a folder that is not its own.

    Returns its metrics, the names in its outputs, and what the dashboard part answers.
    """
    folder = Path(__file__).resolve().parents[2] / "templates"

    def run(name: str, **parameters: object) -> SimpleNamespace:
        command = [*PAPERMILL, str(folder / name), "out.ipynb", "-k", "python3"]
        for key, value in ({"profile": "smoke", "seed": 3} | parameters).items():
            command += ["-p", key, str(value)]
        done = subprocess.run(command, cwd=house, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        (record,) = (house / "scratch").iterdir()
        cells = nbformat.read(house / "out.ipynb", as_version=4).cells
        (said,) = next(c for c in cells if c.get("id") == "dashboard-answer").outputs
        return SimpleNamespace(
            metrics=json.loads((record / "metrics.json").read_text()),
            outputs={p.name for p in (record / "outputs").iterdir()},
            answer=said.data["text/markdown"],
        )

    return run
