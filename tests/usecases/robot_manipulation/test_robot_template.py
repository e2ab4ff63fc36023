"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(through_papermill: Callable[..., SimpleNamespace]) -> None:
    run = through_papermill("robotics.ipynb", steps=60, demonstrations=12)
    metrics = run.metrics
    assert {"success_flow", "collision_flow", "entropy_flow", "success_perceptron", "decision_ms"} <= metrics.keys()
    assert run.outputs >= {"scores.nc", "motions.nc", "demonstrations", "policies"}
    assert f"around the zone in {100 * metrics['success_flow']['value']:.0f} % of 8 new placements" in run.answer
