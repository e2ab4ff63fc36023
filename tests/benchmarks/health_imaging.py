"""Dice by method and site over seeds, one run a seed, from the records.

Run it::

    .venv/bin/python -P tests/benchmarks/health_imaging.py [--profile default] [--seeds 0 1 2]

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again.
"""

from __future__ import annotations

import argparse
import sys

import xarray as xr

import genai4eu
from genai4eu import catalogue
from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs
from genai4eu.usecases.health_imaging import evaluate

TEMPLATE = "health-imaging"


def recorded(profile: str, seed: int) -> Record | None:
    """Return a completed record of this study, if there is one."""
    version = catalogue.usecase(TEMPLATE).version
    for record in all_runs():
        info = record.info
        same = (info["template"], info["status"], info["usecase_version"]) == (TEMPLATE, "completed", version)
        values = record.parameters
        plain = all(values[name] is None for name in ("epochs", "labelled", "data"))
        if same and plain and (values["profile"], values["seed"]) == (profile, seed):
            return record
    return None


def main() -> None:
    """Run what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="default", help="sizes (default: default)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one run each (default: 0 1 2)")
    options = parser.parse_args()
    records = []
    for seed in options.seeds:
        record = recorded(options.profile, seed) or genai4eu.run(TEMPLATE, profile=options.profile, seed=seed)
        if record.info["status"] != "completed":
            sys.exit(f"run {record.id}: {record.info['error']}")
        print(f"seed {seed}: {record.id}, {record.info['duration']:.0f} s", file=sys.stderr)
        records.append(record)
    print(evaluate.table([xr.load_dataset(record.outputs / "scores.nc") for record in records]).to_string())


if __name__ == "__main__":
    main()
