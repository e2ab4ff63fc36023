"""The goals of the agrifood sector over seeds, one run a seed, from the records.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/agrifood.py [--profile default] [--seeds 0-4]

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again. The split is the same for all seeds: what differs is training and drawing.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
import xarray as xr

import genai4eu
from genai4eu import catalogue
from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs
from genai4eu.usecases.irrigation.decide import MARGIN, savings
from genai4eu.usecases.irrigation.statistics import GOAL

TEMPLATE = "agrifood"
PLAIN = ("steps", "years", "data")


def seeds(text: str) -> list[int]:
    """Return the seeds of "0-4" or "0,2,3"."""
    first, _, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if last else [int(s) for s in text.split(",")]


def recorded(profile: str, seed: int) -> Record | None:
    """Return a completed record of this study, if there is one."""
    version = catalogue.usecase(TEMPLATE).version
    for record in all_runs():
        info, values = record.info, record.parameters
        same = (info["template"], info["status"], info["usecase_version"]) == (TEMPLATE, "completed", version)
        if same and all(values[n] is None for n in PLAIN) and (values["profile"], values["seed"]) == (profile, seed):
            return record
    return None


def _spread(values: list[float], digits: int) -> str:
    """Return the mean and, of several runs, the 95 % t-interval of the mean."""
    from scipy import stats

    mean = float(np.mean(values))
    if len(values) < 2:
        return f"{mean:.{digits}f}"
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{mean:.{digits}f} ± {half:.{digits}f}"


def weather(records: list[Record]) -> pd.DataFrame:
    """Return ratios to held-out years, a row a method, and in how many runs all five are within a tenth."""
    runs = [xr.load_dataset(r.outputs / "weather.nc")["value"] for r in records]
    rows = {}
    for method in [str(c) for c in runs[0]["column"].values[3:]]:
        ratios = {}
        for n in GOAL:
            mine, truth = ([float(r.sel(statistic=n, column=c)) for r in runs] for c in (method, "held-out"))
            ratios[n] = [a / b for a, b in zip(mine, truth, strict=True)]
        rows[method] = {n: _spread(v, 3) for n, v in ratios.items()}
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
            "CRPS [t/ha]": _spread([m["crps"] for m in means], 3),
            "fair CRPS [t/ha]": _spread([m["fair"] for m in means], 3),
            "flow lower by [%]": _spread([100 * (1 - f / m["crps"]) for f, m in zip(flow, means, strict=True)], 1),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def decisions(records: list[Record]) -> pd.DataFrame:
    """Return water and yield of every policy on held-out years, and what the recommended threshold saves against it."""
    runs = [xr.load_dataset(r.outputs / "decision.nc") for r in records]
    rows = {}
    for policy in [str(p) for p in runs[0]["policy"].values]:
        means = {n: [float(r[n].sel(policy=policy).mean()) for r in runs] for n in ("irrigation", "yield")}
        rows[policy] = {"irrigation [mm]": _spread(means["irrigation"], 0), "yield [t/ha]": _spread(means["yield"], 2)}
        if policy not in ("recommended", "rainfed"):
            tables = [savings(r.sel(policy="recommended"), r.sel(policy=policy)) for r in runs]
            rows[policy]["water saved [%]"] = _spread([float(t.loc["water", "mean"]) for t in tables], 1)
            rows[policy]["yield change [%]"] = _spread([float(t.loc["yield", "mean"]) for t in tables], 2)
    return pd.DataFrame.from_dict(rows, orient="index").fillna("")


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="default", help="sizes (default: default)")
    parser.add_argument("--seeds", type=seeds, default=seeds("0-4"), help="such as 0-4 or 0,2 (default: 0-4)")
    options = parser.parse_args()
    records = []
    for seed in options.seeds:
        record = recorded(options.profile, seed) or genai4eu.run(TEMPLATE, profile=options.profile, seed=seed)
        if record.info["status"] != "completed":
            sys.exit(f"run {record.id}: {record.info['error']}")
        chosen = pd.read_csv(record.outputs / "chosen.csv")["recommended"].tolist()
        print(f"seed {seed}: {record.id}, {record.info['duration']:.0f} s, thresholds {chosen} % TAW", file=sys.stderr)
        records.append(record)
    print("Weather, ratios to held-out years\n" + weather(records).to_string())
    print("\nRainfed yield on held-out years\n" + yields(records).to_string())
    print("\nPolicies on held-out years\n" + decisions(records).to_string())
    print(
        f"\nMean of {len(records)} seeds, ± half a 95 % interval over seeds; equal yield: within {100 * MARGIN:.0f} %."
    )


if __name__ == "__main__":
    main()
