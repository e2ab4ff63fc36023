"""The goals of the agrifood sector over seeds, one run a seed, from the records.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/agrifood.py [--profile default] [--seeds 0-4]

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again. The split is the same for all seeds: what differs is training and drawing.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import xarray as xr

from genai4eu.runs.record import Record
from genai4eu.usecases.irrigation.decide import MARGIN, savings
from genai4eu.usecases.irrigation.statistics import GOAL

sys.path.insert(0, str(Path(__file__).parents[3]))  # -P leaves the folder out that this stands in
from tests.benchmarks.studies import arguments, completed, interval

TEMPLATE = "agrifood"
PLAIN = ("steps", "years", "data")


def weather(records: list[Record]) -> pd.DataFrame:
    """Return ratios to the record, a row a method, and in how many runs all five are within a tenth."""
    runs = [xr.load_dataset(r.outputs / "weather.nc")["value"] for r in records]
    rows = {}
    for method in [str(c) for c in runs[0]["column"].values[3:]]:
        ratios = {}
        for n in GOAL:
            mine = [float(r.sel(statistic=n, column=method)) for r in runs]
            truth = [float(r.sel(statistic=n).isel(column=0)) for r in runs]  # the record's, whatever it is called
            ratios[n] = [a / b for a, b in zip(mine, truth, strict=True)]
        rows[method] = {n: interval(v, 3) for n, v in ratios.items()}
        good = sum(all(abs(v[i] - 1) <= 0.1 for v in ratios.values()) for i in range(len(runs)))
        rows[method]["all within 10 %"] = f"{good} of {len(runs)}"
    return pd.DataFrame.from_dict(rows, orient="index")


def yields(records: list[Record]) -> pd.DataFrame:
    """Return CRPS of rainfed yield on held-out years, a row a method, and how much the flow's is lower."""
    runs = [xr.load_dataset(r.outputs / "yields.nc") for r in records]
    rows = {}
    for method in runs[0]["generator"].values:
        means = [{n: float(r[n].sel(generator=method).mean()) for n in ("crps", "fair")} for r in runs]
        flow = [float(r["crps"].sel(generator="flow").mean()) for r in runs]
        rows[str(method)] = {
            "CRPS [t/ha]": interval([m["crps"] for m in means], 3),
            "fair CRPS [t/ha]": interval([m["fair"] for m in means], 3),
            "flow lower by [%]": interval([100 * (1 - f / m["crps"]) for f, m in zip(flow, means, strict=True)], 1),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def decisions(records: list[Record]) -> pd.DataFrame:
    """Return water and yield of every policy on held-out years, and what the recommended threshold saves against it."""
    runs = [xr.load_dataset(r.outputs / "decision.nc") for r in records]
    rows = {}
    for policy in [str(p) for p in runs[0]["policy"].values]:
        means = {n: [float(r[n].sel(policy=policy).mean()) for r in runs] for n in ("irrigation", "yield")}
        rows[policy] = {
            "irrigation [mm]": interval(means["irrigation"], 0),
            "yield [t/ha]": interval(means["yield"], 2),
        }
        if policy not in ("recommended", "rainfed"):
            tables = [savings(r.sel(policy="recommended"), r.sel(policy=policy)) for r in runs]
            rows[policy]["water saved [%]"] = interval([float(t.loc["water", "mean"]) for t in tables], 1)
            rows[policy]["yield change [%]"] = interval([float(t.loc["yield", "mean"]) for t in tables], 2)
    return pd.DataFrame.from_dict(rows, orient="index").fillna("")


def main() -> None:
    """Run what is missing, then print the tables."""
    options = arguments(__doc__).parse_args()
    records = completed(TEMPLATE, PLAIN, options.profile, options.seeds)
    for record in records:
        print(record.id, "recommends [% TAW]", *pd.read_csv(record.outputs / "chosen.csv")["recommended"])
    print(
        "Weather, ratios to the record (of which every year taught two folds of three)\n" + weather(records).to_string()
    )
    print("\nRainfed yield on held-out years\n" + yields(records).to_string())
    print("\nPolicies on held-out years\n" + decisions(records).to_string())
    print(
        f"\nMean of {len(records)} seeds, ± half a 95 % interval over seeds; equal yield: within {100 * MARGIN:.0f} %."
    )


if __name__ == "__main__":
    main()
