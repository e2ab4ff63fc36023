"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(through_papermill: Callable[..., SimpleNamespace]) -> None:
    run = through_papermill("climate.ipynb", flow_steps=10)
    metrics = run.metrics
    assert {"crps_flow", "crps_flow_driven", "crps_random_forest", "spectrum_db_flow"} <= metrics.keys()
    assert (metrics["crps_flow"]["unit"], metrics["spectrum_db_flow_free"]["unit"]) == ("mm/day", "dB")
    fields = {f"{name}.nc" for name in ("scores", "summary", "worst", "run", "scenarios", "coarse")}
    assert run.outputs >= fields | {"downscaler.safetensors"}
    assert f"({metrics['crps_flow']['value']:.2f} to {metrics['crps_flow_driven']['value']:.2f}" in run.answer
