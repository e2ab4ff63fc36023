"""The goals of health imaging over seeds, one run a seed, from the records: patients, training and test anew each time.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/health.py [--profile default] [--seeds 0-4]

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again. ± is half of Student's 95 % interval over seeds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import xarray as xr

from genai4eu.usecases.health_imaging.compare import paired, table
from genai4eu.usecases.health_imaging.evaluate import MEASURES
from genai4eu.usecases.health_imaging.sites import UNSEEN_SITE
from genai4eu.usecases.health_imaging.surface import MISSED

sys.path.insert(0, str(Path(__file__).parents[3]))  # -P leaves the folder out that this stands in
from tests.benchmarks.studies import arguments, completed

TEMPLATE = "health-imaging"
PLAIN = ("epochs", "labelled", "data")
#: What the flow's mix must beat at the unseen site by more than the interval; domain randomisation stands beside it.
TO_BEAT = ("real only", "Gaussian mixture", "random forest", "classical")


def figures(runs: list[xr.Dataset], measure: str) -> pd.DataFrame:
    """Return a row a method and a column a site: mean ± half of the interval over runs."""
    digits = 1 if measure == "hd95" else 2
    found = table(runs, measure)
    cells = {
        site: [
            f"{found.loc[m, (site, 'mean')]:.{digits}f} ± {found.loc[m, (site, 'half')]:.{digits}f}"
            for m in found.index
        ]
        for site in found.columns.unique(0)
    }
    return pd.DataFrame(cells, index=found.index)


def goals(runs: list[xr.Dataset]) -> pd.DataFrame:
    """Return how far the Dice of the flow's mix at the unseen site is above that of others, by seed and in the mean."""
    found = paired(runs, UNSEEN_SITE)
    better = [m in TO_BEAT and found.loc[m, "mean"] > found.loc[m, "half"] for m in found.index]
    words = {
        m: "reached" if good else "not reached" for m, good in zip(found.index, better, strict=True) if m in TO_BEAT
    }
    return found.assign(goal=[words.get(m, "") for m in found.index])


def main() -> None:
    """Run what is missing, then print the tables."""
    options = arguments(__doc__).parse_args()
    pd.set_option("display.width", 200)
    records = completed(TEMPLATE, PLAIN, options.profile, options.seeds)
    runs = [xr.load_dataset(record.outputs / "scores.nc") for record in records]
    for measure, (unit, name) in MEASURES.items():
        print(f"\n{name} [{unit}]\n{figures(runs, measure).to_string()}")
    print(f"\nShare of slices in which nothing was found (HD95 {MISSED:.0f} mm)\n{figures(runs, 'missed').to_string()}")
    print(f"\nDice of the flow's mix less that of others at {UNSEEN_SITE}, by seed\n{goals(runs).round(3).to_string()}")
    for name in ("nearest_distance_min", "nearer_share"):
        print(name, *(f"{record.metrics[name]['value']:.2f}" for record in records))


if __name__ == "__main__":
    main()
