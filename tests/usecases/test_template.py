"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(through_papermill: Callable[..., SimpleNamespace]) -> None:
    run = through_papermill("health_imaging.ipynb", epochs=1)
    metrics = run.metrics
    assert {"dice_a_flow", "dice_c_flow", "dice_c_classical", "dice_c_randomised", "dice_c_forest"} <= metrics.keys()
    assert (metrics["hd95_c_flow"]["unit"], metrics["surface_dice_c_mixture"]["unit"]) == ("mm", "1")
    assert run.outputs >= {"scores.nc", "scans.nc", "patient.nc", "explorer.nc", "segmenters"}
    assert f"{metrics['dice_c_classical']['value']:.2f} to {metrics['dice_c_flow']['value']:.2f}" in run.answer
