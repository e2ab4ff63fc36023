"""The goals of climate downscaling over seeds, a row a method: simulation, training and test anew for every seed.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/climate.py [--profile default] [--seeds 0-4]

Seeds that a record in ``runs/`` holds already (same profile and version, completed) are not run again. Mean over seeds
with the 95 % interval of Student's t; the interval of a single seed is unknown.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

import genai4eu
from genai4eu import catalogue
from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs
from genai4eu.usecases.climate_downscaling.evaluate import (
    MODEL,
    SUMMARY,
    best_baseline,
    free_errors,
    gain,
    summary,
)

TEMPLATE = "climate"
GOALS = {"crps": "-20 % of the best", "spread_skill": "0.9-1.1", "spectrum_db": "< 1", "p999": "0.9-1.1", "water": "0"}


def seeds(text: str) -> list[int]:
    """Return the seeds of ``0-4`` or ``0,2,5``."""
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(part) for part in text.split(",")]


def recorded(profile: str, seed: int) -> Record | None:
    """Return a completed record of this study, if there is one."""
    version = catalogue.usecase(TEMPLATE).version
    for record in all_runs():
        info, values = record.info, record.parameters
        same = (info["template"], info["status"], info["usecase_version"]) == (TEMPLATE, "completed", version)
        plain = same and all(values[name] is None for name in ("factor", "flow_steps", "data"))
        if plain and (values["profile"], values["seed"]) == (profile, seed):
            return record
    return None


def interval(values: list[float]) -> str:
    """Return mean and half the 95 % interval over seeds."""
    if len(values) < 2:
        return f"{values[0]:.2f}"
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return f"{np.mean(values):.2f} ± {half:.2f}"


def table(runs: list[xr.Dataset], drive: str) -> pd.DataFrame:
    """Return the figures of merit over runs under one drive, a row a method, the goals in the last row."""
    each = [summary(run.sel(drive=drive)).sel(bound="value") for run in runs]
    names = each[0]["downscaling"].values
    cells = {
        f"{SUMMARY[k][1]} [{SUMMARY[k][0]}]": [interval([float(e[k].sel(downscaling=n)) for e in each]) for n in names]
        + [GOALS.get(k, "")]
        for k in SUMMARY
    }
    return pd.DataFrame(cells, index=[*names, "goal of the flow"])


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="default", help="sizes (default: default)")
    parser.add_argument("--seeds", type=seeds, default=[0, 1, 2, 3, 4], help="such as 0-4 or 0,2 (default: 0-4)")
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        record = recorded(options.profile, seed) or genai4eu.run(TEMPLATE, profile=options.profile, seed=seed)
        if record.info["status"] != "completed":
            sys.exit(f"run {record.id}: {record.info['error']}")
        print(f"seed {seed}: {record.id}, {record.info['duration']:.0f} s", file=sys.stderr)
        runs.append(xr.load_dataset(record.outputs / "scores.nc"))
    for drive in runs[0]["drive"].values:
        at = [run.sel(drive=drive) for run in runs]
        print(f"\n## Given: {drive}\n\n{table(runs, drive).to_string()}")
        won = interval([100 * gain(run)[0] for run in at])
        others = ", ".join({best_baseline(run) for run in at})
        print(f"\nCRPS of the {MODEL} below that of the best baseline ({others}): {won} %")
    errors = xr.concat([free_errors(run) for run in runs], "seed")
    for name in errors["free"].values:
        extreme, bands = (interval(errors[k].sel(free=name).values.tolist()) for k in ("p999", "spectrum_db"))
        print(
            f"\nCoarse model with weather of its own, {name}: P99.9 over that of truth {extreme}, spectrum {bands} dB"
        )
    flow = [run["crps"].sel(downscaling=MODEL).mean("case") for run in runs]
    loss = [float(crps.sel(drive="driven") / crps.sel(drive="perfect")) for crps in flow]
    print(f"\nLoss of CRPS when the coarse model drives: {interval([100 * (v - 1) for v in loss])} %")


if __name__ == "__main__":
    main()
