"""One tiny study of the robot, made once: what most tests of the use case look at."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from genai4eu.usecases.robot_manipulation.sizes import PROFILES

TINY = dataclasses.replace(
    PROFILES["smoke"], demonstrations=8, fewer=(4,), test=4, starts=2, repeats=2, steps=20, batch=32, width=32, depth=1
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Call slow what looks at the study: it has to be simulated and trained first."""
    for item in items:
        if "robot" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


def make_study(outputs: Path, seed: int = 0) -> SimpleNamespace:
    """Run the template's study part, small."""
    from genai4eu.usecases.robot_manipulation import data, evaluate, keep, task, train

    shown = data.demonstrations(TINY.demonstrations, seed)
    flows = train.train_flows(shown, TINY, seed)
    policies = {"flow": flows[TINY.demonstrations], **train.train_others(shown, TINY, seed)}
    tasks = task.draw_tasks("test", TINY.test, seed)
    tested, repeated = train.try_all(policies, tasks, TINY, seed)
    scores = evaluate.score(tested, repeated, TINY.starts)
    scores = keep.keep_study(outputs, TINY, seed, scores, tested, repeated, shown, flows)
    return SimpleNamespace(
        sizes=TINY, shown=shown, policies=policies, tasks=tasks, tested=tested, repeated=repeated, scores=scores,
        outputs=outputs, make=make_study,
    )  # fmt: skip


@pytest.fixture(scope="session")
def robot(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return make_study(tmp_path_factory.mktemp("robot") / "outputs")
