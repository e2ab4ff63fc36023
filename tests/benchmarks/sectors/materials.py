"""The materials goals over seeds, one run a seed, from the records: a row a method.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/materials.py [--profile default] [--seeds 0-4]

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again. Intervals are 95 % of Student's t over seeds; differences are paired by seed.
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
from genai4eu.usecases.materials.propose import FLOW, METHODS

TEMPLATE = "materials"


def recorded(profile: str, seed: int) -> Record | None:
    """Return a completed record of this study, if there is one."""
    version = catalogue.usecase(TEMPLATE).version
    for record in all_runs():
        info, values = record.info, record.parameters
        same = (info["template"], info["status"], info["usecase_version"]) == (TEMPLATE, "completed", version)
        plain = all(values[name] is None for name in ("steps", "formulas", "data"))
        if same and plain and (values["profile"], values["seed"]) == (profile, seed):
            return record
    return None


def seeds(text: str) -> list[int]:
    """Return the seeds of "0-4" or "0,2,5"."""
    ends = [part.partition("-") for part in text.split(",")]
    return [n for first, _, last in ends for n in range(int(first), int(last or first) + 1)]


def spread(values: list[float], digits: int = 0, scale: float = 100) -> str:
    """Return mean and 95 % interval of Student's t, as text."""
    some = scale * np.array(values)
    half = stats.t.ppf(0.975, len(some) - 1) * some.std(ddof=1) / len(some) ** 0.5 if len(some) > 1 else np.nan
    return f"{some.mean():.{digits}f} ± {half:.{digits}f}"


def table(runs: list[xr.Dataset]) -> pd.DataFrame:
    """Return the goals' table."""
    rows = {}
    for method in METHODS:
        some = [run.sel(proposer=method) for run in runs]
        stable = [float(s["stable"]) for s in some]
        flow = [float(run["stable"].sel(proposer=FLOW)) for run in runs]
        rows[method] = {
            "near the hull [%]": spread(stable),
            "flow minus it": "" if method == FLOW else spread([f - s for f, s in zip(flow, stable, strict=True)]),
            "near, no training type [%]": spread([float(s["new"]) for s in some]),
            "displacement [Å]": spread([float(s["moved"].median()) for s in some], 2, 1),
            "valid [%]": spread([run.attrs["valid"] for run in runs]) if method == FLOW else "",
            "unique [%]": spread([run.attrs["unique"] for run in runs]) if method == FLOW else "",
            "relaxed a seed": int(np.mean([float(s["relaxed"]) for s in some])),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="default", help="sizes (default: default)")
    parser.add_argument("--seeds", type=seeds, default=[0, 1, 2, 3, 4], help="one run each (default: 0-4)")
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        record = recorded(options.profile, seed) or genai4eu.run(TEMPLATE, profile=options.profile, seed=seed)
        if record.info["status"] != "completed":
            sys.exit(f"run {record.id}: {record.info['error']}")
        print(f"seed {seed}: {record.id}, {record.info['duration']:.0f} s", file=sys.stderr)
        runs.append(xr.load_dataset(record.outputs / "scores.nc"))
    print(table(runs).to_string())


if __name__ == "__main__":
    main()
