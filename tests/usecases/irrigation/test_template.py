"""The template runs to the end in a fresh kernel, study and dashboard part."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from ...patience import PAPERMILL

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "templates" / "agrifood.ipynb"


def test_own_data_is_read_before_anything_trains() -> None:
    code = [c for c in nbformat.read(TEMPLATE, as_version=4).cells if c.cell_type == "code"]
    read, trained = (next(i for i, c in enumerate(code) if w in c.source) for w in ("own.read(data)", "train.pretrain"))
    assert read < trained


@pytest.mark.slow
def test_bad_own_data_ends_the_run_before_it_trains(house: Path) -> None:
    (house / "own.csv").write_text("date,tmin,tmax,rain,et0\n2001-01-01,1,2,3,furlong\n")
    command = [*PAPERMILL, str(TEMPLATE), "out.ipynb", "-p", "profile", "smoke"]
    done = subprocess.run(
        [*command, "-p", "data", "own.csv", "-k", "python3"], cwd=house, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "own.csv: et0 is missing on 2001-01-01" in done.stderr
    ran = [c.id for c in nbformat.read(house / "out.ipynb", as_version=4).cells if c.get("execution_count")]
    assert "setup" in ran and "flow" not in ran


@pytest.mark.slow
def test_stock_papermill_runs_it_from_elsewhere(through_papermill: Callable[..., SimpleNamespace]) -> None:
    run = through_papermill("agrifood.ipynb")
    metrics = run.metrics
    assert {"ratio_p99", "ratio_annual_sd", "crps_flow", "water_saved_weekly", "yield_change_weekly"} <= metrics.keys()
    units = {metrics[n]["unit"] for n in ("crps_flow", "water_saved_weekly", "yield_change_weekly")}
    assert units == {"t/ha", "%"}
    kept = {"weather.nc", "yields.nc", "decision.nc", "chosen.csv", "years.nc", "emulator.nc", "plan.json"}
    assert kept <= run.outputs
    assert f"{metrics['water_saved_weekly']['value']:.0f} %" in run.answer
