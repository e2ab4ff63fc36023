"""The goals of health imaging over seeds, one run a seed, from the records: patients, training and test anew each time.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/health.py [--profile default] [--seeds 0-4] [--equation]

With ``--equation`` it also trains, for each seed, a segmenter on the same label maps and protocols without the flow:
flat tissues as the signal equation predicts them. What the flow adds is the difference.

Records that are there already (same profile, seed and use-case version, completed) are used as they are, so that the
command can be stopped and begun again. ± is half of Student's 95 % interval over seeds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from genai4eu.usecases.health_imaging.compare import paired, t_interval, table
from genai4eu.usecases.health_imaging.data import cohort, labelled_slices
from genai4eu.usecases.health_imaging.evaluate import MEASURES, score
from genai4eu.usecases.health_imaging.keep import predict_sites
from genai4eu.usecases.health_imaging.labels import contrast_map, new_labels
from genai4eu.usecases.health_imaging.sites import SITES, UNSEEN_SITE, draw_protocols
from genai4eu.usecases.health_imaging.sizes import PROFILES
from genai4eu.usecases.health_imaging.surface import MISSED
from genai4eu.usecases.health_imaging.train import train_segmenter

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


def without_flow(profile: str, seed: int) -> xr.Dataset:
    """Return the scores of a segmenter trained on what the signal equation alone makes of the flow's labels."""
    sizes = PROFILES[profile]
    count = max(sizes.ratios) * sizes.labelled
    real = labelled_slices(sizes.labelled, sizes.image, seed)
    rng = np.random.default_rng([seed, 202])  # as in model.synthesise, so that protocols are the same
    labels, protocols = new_labels(real, count, seed), draw_protocols(count, rng)
    images = np.stack([contrast_map(label, p, rng) for label, p in zip(labels, protocols, strict=True)])
    made = xr.Dataset({"image": (("case", "y", "x"), images), "label": (("case", "y", "x"), labels)})
    test = cohort("test", sizes.test, sizes.image, seed, tuple(SITES))
    return score({"equation": predict_sites(train_segmenter(real, made, sizes.epochs, sizes, seed), test)}, test)


def ablation(runs: list[xr.Dataset], alone: list[xr.Dataset]) -> None:
    """Print the means of the equation alone, and what the flow adds to it at the unseen site."""
    for measure in MEASURES:
        print(f"\nEquation alone, {measure}\n{figures(alone, measure).to_string()}")
        pairs = zip(runs, alone, strict=True)
        values = [
            float((r[measure].sel(segmenter=r.main_mix) - a[measure]).sel(site=UNSEEN_SITE).mean()) for r, a in pairs
        ]
        mean, half = t_interval(values)
        print(f"the flow's mix at {UNSEEN_SITE} less that: {mean:+.3f} ± {half:.3f}")


def main() -> None:
    """Run what is missing, then print the tables."""
    parser = arguments(__doc__)
    parser.add_argument("--equation", action="store_true", help="train without the flow too, and compare")
    options = parser.parse_args()
    pd.set_option("display.width", 200)
    records = completed(TEMPLATE, PLAIN, options.profile, options.seeds)
    runs = [xr.load_dataset(record.outputs / "scores.nc") for record in records]
    for measure, (unit, name) in MEASURES.items():
        print(f"\n{name} [{unit}]\n{figures(runs, measure).to_string()}")
    print(f"\nShare of slices in which nothing was found (HD95 {MISSED:.0f} mm)\n{figures(runs, 'missed').to_string()}")
    print(f"\nDice of the flow's mix less that of others at {UNSEEN_SITE}, by seed\n{goals(runs).round(3).to_string()}")
    for name in ("nearest_distance_min", "nearer_share"):
        print(name, *(f"{record.metrics[name]['value']:.2f}" for record in records))
    if options.equation:
        ablation(runs, [without_flow(options.profile, seed) for seed in options.seeds])


if __name__ == "__main__":
    main()
