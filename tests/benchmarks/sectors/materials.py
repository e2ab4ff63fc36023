"""The materials goals over seeds, one run a seed, from the records: a row a method.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/materials.py [--profile default] [--seeds 0-4]

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again. Intervals are 95 % of Student's t over seeds; differences are paired by seed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from genai4eu.usecases.materials.propose import FLOW, METHODS

sys.path.insert(0, str(Path(__file__).parents[3]))  # -P leaves the folder out that this stands in
from tests.benchmarks.studies import arguments, completed, interval

TEMPLATE = "materials"


def share(values: list[float]) -> str:
    """Return mean and interval of shares, in per cent."""
    return interval(values, 0, 100)


def table(runs: list[xr.Dataset]) -> pd.DataFrame:
    """Return the goals' table."""
    rows = {}
    for method in METHODS:
        some = [run.sel(proposer=method) for run in runs]
        stable = [float(s["stable"]) for s in some]
        flow = [float(run["stable"].sel(proposer=FLOW)) for run in runs]
        rows[method] = {
            "near the hull [%]": share(stable),
            "flow minus it": "" if method == FLOW else share([f - s for f, s in zip(flow, stable, strict=True)]),
            "near, no training type [%]": share([float(s["new"]) for s in some]),
            "displacement [Å]": interval([float(s["moved"].median()) for s in some], 2),
            "valid [%]": share([run.attrs["valid"] for run in runs]) if method == FLOW else "",
            "unique [%]": share([run.attrs["unique"] for run in runs]) if method == FLOW else "",
            "relaxed a seed": int(np.mean([float(s["relaxed"]) for s in some])),
        }
    return pd.DataFrame(rows).T


def main() -> None:
    """Run what is missing, then print the table."""
    options = arguments(__doc__).parse_args()
    records = completed(TEMPLATE, ("steps", "formulas", "data"), options.profile, options.seeds)
    runs = [xr.load_dataset(record.outputs / "scores.nc") for record in records]
    print(table(runs).to_string())


if __name__ == "__main__":
    main()
