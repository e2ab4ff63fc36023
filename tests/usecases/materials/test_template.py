"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(through_papermill: Callable[..., SimpleNamespace]) -> None:
    run = through_papermill("materials.ipynb", steps=20, formulas=2)
    metrics = run.metrics
    assert {"stable_flow", "stable_enumeration", "stable_search", "stable_substitution", "valid_flow"} <= metrics.keys()
    assert run.outputs >= {"scores.nc", "crystals.extxyz", "cif", "properties.nc", "generator.safetensors"}
    assert f"{100 * metrics['stable_flow']['value']:.0f} % end within" in run.answer
