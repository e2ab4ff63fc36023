"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from genai4eu.usecases.climate_downscaling.readers import CoarseError

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "templates" / "climate.ipynb"


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(house: Path) -> None:
    command = [sys.executable, "-P", "-m", "papermill", str(TEMPLATE), "out.ipynb", "-p", "profile", "smoke"]
    done = subprocess.run([*command, "-p", "seed", "3", "-k", "python3"], cwd=house, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (house / "scratch").iterdir()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"crps_flow", "crps_flow_driven", "crps_random_forest", "spectrum_db_flow"} <= metrics.keys()
    assert (metrics["crps_flow"]["unit"], metrics["spectrum_db_flow_free"]["unit"]) == ("mm/day", "dB")
    names = {p.name for p in (folder / "outputs").iterdir()}
    assert names >= {
        "scores.nc",
        "summary.nc",
        "worst.nc",
        "run.nc",
        "scenarios.nc",
        "coarse.nc",
        "downscaler.safetensors",
    }
    cells = nbformat.read(house / "out.ipynb", as_version=4).cells
    (said,) = next(c for c in cells if c.get("id") == "dashboard-answer").outputs
    assert (
        f"({metrics['crps_flow']['value']:.2f} to {metrics['crps_flow_driven']['value']:.2f}"
        in said.data["text/markdown"]
    )


def test_a_bad_path_is_told_before_anything_is_trained(house: Path) -> None:
    parameters, setup = [c for c in nbformat.read(TEMPLATE, as_version=4).cells if c.cell_type == "code"][:2]
    scope: dict[str, object] = {}
    exec(parameters.source, scope)
    scope["data"] = str(house / "none.nc")
    with pytest.raises(CoarseError, match=r"there is nothing at .*none\.nc"):
        exec(setup.source, scope)
