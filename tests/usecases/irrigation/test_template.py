"""The template: its shape, and that it runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from genai4eu.usecases.irrigation import USECASE

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "templates" / "agrifood.ipynb"
ALLOWED = {"parameters", "dashboard", "hide-input", "remove-cell"}


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(TEMPLATE, as_version=4)


def _lines(source: str) -> int:
    return sum(1 for line in source.splitlines() if line.strip() and not line.strip().startswith("#"))


def test_it_is_short_clean_and_tagged(notebook: nbformat.NotebookNode) -> None:
    code = [c for c in notebook.cells if c.cell_type == "code"]
    assert sum(_lines(c.source) for c in code) <= 60
    assert max(_lines(c.source) for c in code) <= 10
    assert all(not c.outputs and c.execution_count is None for c in code)
    assert {tag for c in notebook.cells for tag in c.metadata.get("tags", [])} <= ALLOWED
    assert notebook.metadata.kernelspec.name == "genai4eu"
    assert USECASE["template"] == f"genai4eu.templates/{TEMPLATE.name}"


def test_the_dashboard_part_uses_no_variable_of_the_study_part(notebook: nbformat.NotebookNode) -> None:
    cells = [c.source for c in notebook.cells if c.cell_type == "code" and "dashboard" in c.metadata.get("tags", [])]
    tree = ast.parse("\n".join(cells))
    bound = {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name)]
    bound |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    assert {n.id for n in names if isinstance(n.ctx, ast.Load)} <= bound


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
