"""One tiny study, made once: what most tests of the use case look at."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from genai4eu.usecases.materials.sizes import PROFILES

TINY = dataclasses.replace(PROFILES["smoke"], formulas=2, steps=8, evaluations=3, trees=5)


def make_study(outputs: Path, seed: int = 0) -> SimpleNamespace:
    """Run the template's study part, small."""
    from genai4eu.usecases.materials import evaluate, forest, keep, propose, train

    known = train.training_frames(6)
    chosen = propose.test_formulas(TINY.formulas, seed)
    model = train.train_generator(known, TINY, seed)
    drawn = propose.draws(model, chosen, TINY, seed)
    proposed = propose.propose(drawn, known, chosen, TINY, seed)
    relaxed = propose.check(proposed, TINY)
    scores = evaluate.score(proposed, relaxed, chosen).assign_attrs(evaluate.drawn(drawn))
    properties = forest.predict(TINY.trees, seed)
    keep.keep_study(outputs, TINY, seed, scores, relaxed, chosen, model, properties)
    return SimpleNamespace(
        known=known, chosen=chosen, model=model, scores=scores, relaxed=relaxed, proposed=proposed, outputs=outputs,
        properties=properties, make=make_study,
    )  # fmt: skip


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make_study(tmp_path_factory.mktemp("materials") / "outputs")
