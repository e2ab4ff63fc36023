"""The goals of climate downscaling over seeds, a row a method: simulation, training and test anew for every seed.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/climate.py [--profile default] [--seeds 0-4]

Seeds that a record in ``runs/`` holds already (same profile and version, completed) are not run again. Mean over seeds
with the 95 % interval of Student's t; the interval of a single seed is unknown.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import xarray as xr

from genai4eu.usecases.climate_downscaling.evaluate import MODEL, SUMMARY, best_baseline, free_errors, gain, summary

sys.path.insert(0, str(Path(__file__).parents[3]))  # -P leaves the folder out that this stands in
from tests.benchmarks.studies import arguments, completed, interval

TEMPLATE = "climate"
GOALS = {"crps": "-20 % of the best", "spread_skill": "0.9-1.1", "spectrum_db": "< 1", "p999": "0.9-1.1", "water": "0"}


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
    options = arguments(__doc__).parse_args()
    records = completed(TEMPLATE, ("factor", "flow_steps", "data"), options.profile, options.seeds)
    runs = [xr.load_dataset(record.outputs / "scores.nc") for record in records]
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
