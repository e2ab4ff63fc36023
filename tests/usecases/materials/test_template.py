"""The template: its shape, and that it runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from genai4eu.usecases.materials import USECASE

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "templates" / "materials.ipynb"


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(TEMPLATE, as_version=4)


def test_the_dashboard_part_uses_no_variable_of_the_study_part(notebook: nbformat.NotebookNode) -> None:
    assert USECASE["template"] == f"genai4eu.templates/{TEMPLATE.name}"
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
    assert {"stable_flow", "stable_enumeration", "stable_search", "stable_substitution", "valid_flow"} <= metrics.keys()
    kept = {p.name for p in (folder / "outputs").iterdir()}
    assert kept >= {"scores.nc", "crystals.extxyz", "cif", "properties.nc", "generator.safetensors"}
    cells = nbformat.read(house / "out.ipynb", as_version=4).cells
    (said,) = next(c for c in cells if c.get("id") == "dashboard-answer").outputs
    assert f"{100 * metrics['stable_flow']['value']:.0f} % end within" in said.data["text/markdown"]
