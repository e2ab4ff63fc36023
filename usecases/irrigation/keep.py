"""What a study leaves in its run's outputs, and how the dashboard finds it again. Called by both parts of the template.

Everything is data that other tools read::

    weather.nc      statistics of weather by method, with those of the record and their bootstrap interval
    yields.nc       CRPS of rainfed yield by method and held-out year
    decision.nc     held-out seasons by policy, and the frontier of drawn years and of the record
    chosen.csv      what each fold chose
    years.nc        drawn years of the calibrated flow (AI-generated), from which the controls are answered
    emulator.nc     the emulator of the live part
    plan.json       crop, soil, depth and quota of the study
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ..generative.kept import RecordError as RecordError
from ..generative.kept import kept_path, write_kept
from ..generative.kept import read_kept as read_kept
from .emulator import Emulator
from .evaluate import Judged
from .season import Plan
from .statistics import STATISTICS

SHOWN = 150  # drawn years that are kept


def keep_study(
    outputs: Path, plan: Plan, seed: int, table: pd.DataFrame, judged: Judged, years: xr.Dataset, emulator: Emulator
) -> None:
    """Write everything that the dashboard part and later comparisons need into ``outputs``."""
    outputs.mkdir(parents=True, exist_ok=True)
    units = [STATISTICS[name][0] for name in table.index]
    weather = xr.DataArray(table.to_numpy(), dims=("statistic", "column"), name="value").to_dataset()
    weather = weather.assign_coords(
        statistic=list(table.index), column=list(table.columns), units=("statistic", units)
    ).assign_attrs(seed=seed)
    write_kept(weather, outputs / "weather.nc")
    write_kept(judged.yields.assign_attrs(seed=seed), outputs / "yields.nc")
    held = xr.concat(list(judged.held.values()), pd.Index(list(judged.held), name="policy"))
    drawn = judged.frontier.rename({n: f"drawn_{n}" for n in judged.frontier.data_vars})
    record = judged.record.rename({n: f"record_{n}" for n in judged.record.data_vars})
    write_kept(xr.merge([held, drawn, record]).assign_attrs(seed=seed), outputs / "decision.nc")
    judged.chosen.to_csv(outputs / "chosen.csv")
    step = max(1, years.sizes["year"] // SHOWN)
    write_kept(years.isel(year=slice(0, step * SHOWN, step)).astype(np.float32), outputs / "years.nc")
    write_kept(emulator.data, outputs / "emulator.nc")
    (outputs / "plan.json").write_text(json.dumps(asdict(plan), indent=1) + "\n", encoding="utf-8")


def read_chosen(outputs: Path | str) -> pd.DataFrame:
    """Read what each fold chose."""
    return pd.read_csv(kept_path(outputs, "chosen.csv"), index_col="fold")


def read_plan(outputs: Path | str) -> Plan:
    """Read the plan of the study."""
    return Plan(**json.loads(kept_path(outputs, "plan.json").read_text(encoding="utf-8")))


def read_emulator(outputs: Path | str) -> Emulator:
    """Read the emulator of a record."""
    return Emulator(read_kept(outputs, "emulator.nc"))
