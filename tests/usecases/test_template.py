"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from genai4eu.usecases.health_imaging.readers import ScanError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "templates" / "health_imaging.ipynb"


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(house: Path) -> None:
    command = [sys.executable, "-P", "-m", "papermill", str(TEMPLATE), "out.ipynb", "-p", "profile", "smoke"]
    done = subprocess.run([*command, "-p", "seed", "3", "-k", "python3"], cwd=house, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (folder,) = (house / "scratch").iterdir()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {"dice_a_flow", "dice_c_flow", "dice_c_classical", "dice_c_randomised", "dice_c_forest"} <= metrics.keys()
    assert (metrics["hd95_c_flow"]["unit"], metrics["surface_dice_c_mixture"]["unit"]) == ("mm", "1")
    assert {p.name for p in (folder / "outputs").iterdir()} >= {"scores.nc", "scans.nc", "explorer.nc", "segmenters"}
    cells = nbformat.read(house / "out.ipynb", as_version=4).cells
    (said,) = next(c for c in cells if c.get("id") == "dashboard-answer").outputs
    shown = f"{metrics['dice_c_classical']['value']:.2f} to {metrics['dice_c_flow']['value']:.2f}"
    assert shown in said.data["text/markdown"]


def test_a_bad_path_is_told_before_anything_is_trained(house: Path) -> None:
    parameters, setup = [c for c in nbformat.read(TEMPLATE, as_version=4).cells if c.cell_type == "code"][:2]
    scope: dict[str, object] = {}
    exec(parameters.source, scope)
    scope["data"] = str(house / "none.nii")
    with pytest.raises(ScanError, match=r"there is no scan at .*none\.nii"):
        exec(setup.source, scope)
