"""What the course on medical imaging shows of finished runs, in small files. Called by whoever records them anew.

``python -P -m genai4eu.usecases.health_imaging.recorded FOLDER RUN RUN …`` with the folders of completed runs of the
template that differ in their seed alone writes::

    scores.nc       Dice by seed, method, patient and site
    synthetic.nc    the synthetic labelled scans that the first seed's run kept
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from ..generative.kept import read_kept, write_kept


def record(folder: Path, runs: Sequence[Path]) -> None:
    """Write what the course shows of ``runs`` into ``folder``.

    Raises
    ------
    ValueError
        If the runs differ in more than their seed, or two have the same.
    """
    told = [json.loads((run / "parameters.json").read_text(encoding="utf-8")) for run in runs]
    seeds = [int(values.pop("seed")) for values in told]
    if len(set(seeds)) < len(seeds) or any(values != told[0] for values in told):
        raise ValueError("the runs must differ in their seed, and in nothing else")
    found = dict(sorted(zip(seeds, runs, strict=True)))
    scores = [read_kept(run / "outputs", "scores.nc") for run in found.values()]
    about = {"runs": ", ".join(run.name for run in found.values()), "profile": str(told[0]["profile"])}
    kept = xr.concat([one[["dice", "missed"]] for one in scores], "seed", join="exact").assign_coords(seed=list(found))
    main = scores[0].attrs["main_mix"]
    write_kept(kept.drop_attrs(deep=False).assign_attrs(main_mix=main, **about), folder / "scores.nc")
    first = read_kept(next(iter(found.values())) / "outputs", "synthetic.nc")
    write_kept(first.assign_attrs(about, seed=next(iter(found))), folder / "synthetic.nc")


if __name__ == "__main__":
    record(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
