"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

TEMPLATE = Path(__file__).resolve().parents[3] / "templates" / "robotics.ipynb"


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(house: Path) -> None:
    command = [sys.executable, "-P", "-m", "papermill", str(TEMPLATE), "out.ipynb", "-p", "profile", "smoke"]
    command += ["-p", "steps", "60", "-p", "demonstrations", "12", "-p", "seed", "3", "-k", "python3"]
    done = subprocess.run(command, cwd=house, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (house / "scratch").iterdir()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"success_flow", "collision_flow", "entropy_flow", "success_perceptron", "decision_ms"} <= metrics.keys()
    kept = {p.name for p in (folder / "outputs").iterdir()}
    assert kept >= {"scores.nc", "motions.nc", "demonstrations", "policies"}
    cells = nbformat.read(house / "out.ipynb", as_version=4).cells
    (said,) = next(c for c in cells if c.get("id") == "dashboard-answer").outputs
    shown = f"around the zone in {100 * metrics['success_flow']['value']:.0f} % of 8 new placements"
    assert shown in said.data["text/markdown"]
