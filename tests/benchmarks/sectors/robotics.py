"""Success, collision and both entropies of every policy over seeds, with the time of a decision.

Run it::

    .venv/bin/python -P tests/benchmarks/sectors/robotics.py [--profile default] [--seeds 0-4] [--keep FOLDER]

A seed has demonstrations, trainings and test placements of its own. With ``--keep``, what a seed gave is written there
and not computed again, so that the command can be stopped and begun again.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path

import pandas as pd
import xarray as xr

from genai4eu.usecases.robot_manipulation import data, evaluate, task, train
from genai4eu.usecases.robot_manipulation.sizes import PROFILES

sys.path.insert(0, str(Path(__file__).parents[3]))  # -P leaves the folder out that this stands in
from tests.benchmarks.studies import arguments


def study(profile: str, seed: int) -> xr.Dataset:
    """Return the scores of one seed, with the time of a decision and the rates under a blurred camera."""
    sizes = dataclasses.replace(PROFILES[profile], fewer=())
    shown = data.demonstrations(sizes.demonstrations, seed)
    flows = train.train_flows(shown, sizes, seed)
    policies = {"flow": flows[sizes.demonstrations], **train.train_others(shown, sizes, seed)}
    tasks = task.draw_tasks("test", sizes.test, seed)
    tested, repeated = train.try_all(policies, tasks, sizes, seed)
    scores = evaluate.score(tested, repeated, sizes.starts)
    times = evaluate.decision_times(policies, tested["flow"])
    blurred = train.try_blurred(policies, tasks, seed)
    names = scores["policy"].values.tolist()
    extra = {"decision_ms": [times.get(n, float("nan")) for n in names]}
    for what in ("success", "collision"):
        rates = {name: float(judged[what].mean()) for name, judged in blurred.items()}
        extra[f"blurred_{what}"] = [rates.get(n, float("nan")) for n in names]
    return scores.assign({k: ("policy", v) for k, v in extra.items()})


def kept(folder: Path | None, profile: str, seed: int) -> xr.Dataset:
    """Return what a seed gave, from the folder where it is there."""
    path = folder / f"{profile}-{seed}.nc" if folder else None
    if path and path.exists():
        return xr.load_dataset(path)
    begun = time.perf_counter()
    scores = study(profile, seed)
    print(f"seed {seed}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        scores.map(lambda v: v.astype("i1") if v.dtype == bool else v, keep_attrs=True).to_netcdf(path)
    return scores


def main() -> None:
    """Run what is missing, then print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--keep", type=Path, help="folder for what a seed gave")
    options = parser.parse_args()
    runs = [kept(options.keep, options.profile, seed) for seed in options.seeds]
    pd.set_option("display.width", 200)
    count = runs[0].sizes["episode"]
    print(f"{len(runs)} seeds, {count} test placements each; ± half of Student's 95 % interval over seeds")
    print(evaluate.table(runs).round(3).to_string())
    names = ("decision_ms", "blurred_success", "blurred_collision")
    more = {name: xr.concat([r[name] for r in runs], "run").mean("run").to_series() for name in names}
    print(pd.DataFrame(more).round(3).to_string())


if __name__ == "__main__":
    main()
