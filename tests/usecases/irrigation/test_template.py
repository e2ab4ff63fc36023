"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "templates" / "agrifood.ipynb"


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(house: Path) -> None:
    command = [sys.executable, "-P", "-m", "papermill", str(TEMPLATE), "out.ipynb", "-p", "profile", "smoke"]
    done = subprocess.run([*command, "-p", "seed", "3", "-k", "python3"], cwd=house, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (house / "scratch").iterdir()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"ratio_p99", "ratio_annual_sd", "crps_flow", "water_saved_weekly", "yield_change_weekly"} <= metrics.keys()
    kept = {"weather.nc", "yields.nc", "decision.nc", "chosen.csv", "years.nc", "emulator.nc", "plan.json"}
    assert kept <= {p.name for p in (folder / "outputs").iterdir()}
    cells = nbformat.read(house / "out.ipynb", as_version=4).cells
    (said,) = next(c for c in cells if c.get("id") == "dashboard-answer").outputs
    assert f"{metrics['water_saved_weekly']['value']:.0f} %" in said.data["text/markdown"]
