"""What a study leaves in its run's outputs, and how the dashboard finds it again. Called by both parts of the template.

Everything is data that other tools read: NetCDF for numbers and fields, safetensors with JSON for the downscaler::

    scores.nc          figures of merit by drive (perfect, driven, adjusted), method and snapshot
    summary.nc         the same over all snapshots, with 95 % intervals
    worst.nc           the snapshots with the largest errors: coarse rain, truth, members
    run.nc             one test run: members and truth, to move through
    scenarios.nc       coarse fields and truth of a few climates, from runs in no other set, for the controls
    coarse.nc          one run of the coarse test fields as CMIP would store them: the example of own data
    downscaler.*       both networks
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from ..generative.kept import RecordError as RecordError
from ..generative.kept import read_kept as read_kept
from ..generative.kept import write_kept
from .data import Progress, coarsen, no_progress, simulate
from .evaluate import MODEL, summary
from .model import Downscaler, save_downscaler
from .readers import write_cmip
from .sizes import Sizes
from .units import VARIABLES

WORST, SHOWN = 3, 3  # snapshots that are kept, and members of each


def keep_study(
    outputs: Path,
    sizes: Sizes,
    seed: int,
    scores: xr.Dataset,
    test: xr.Dataset,
    members: xr.DataArray,
    model: Downscaler,
    progress: Progress = no_progress,
) -> None:
    """Write everything that the dashboard part and later comparisons need into ``outputs``."""
    outputs.mkdir(parents=True, exist_ok=True)
    write_kept(scores.assign_attrs(seed=seed, question="fine rain from a coarse model"), outputs / "scores.nc")
    drives = [summary(scores.sel(drive=d)) for d in scores["drive"].values]
    write_kept(xr.concat(drives, scores["drive"]), outputs / "summary.nc")
    coarse = coarsen(test, sizes.factor)
    write_kept(worst(scores, test, coarse, members), outputs / "worst.nc")
    one = test[["pr"]].rename(pr="truth").assign(members=(members.dims, members.values, members.attrs))
    write_kept(one.isel(run=[0]).astype(np.float32), outputs / "run.nc")
    write_kept(scenarios(sizes, seed, progress), outputs / "scenarios.nc")
    write_cmip(coarse.isel(run=0), outputs / "coarse.nc")
    save_downscaler(model, outputs / "downscaler.safetensors")


def worst(scores: xr.Dataset, test: xr.Dataset, coarse: xr.Dataset, members: xr.DataArray) -> xr.Dataset:
    """Return the snapshots in which the flow's CRPS is largest.

    Returns
    -------
    xarray.Dataset
        ``truth`` (case, y, x), ``coarse`` (case, yc, xc), ``members`` (case, member, y, x) and ``mean``, all in
        kg m-2 s-1, and ``crps`` (case) in mm/day.
    """
    values = scores["crps"].sel(drive="perfect", downscaling=MODEL)
    picked = np.argsort(-values.values)[:WORST]
    rain = {"units": VARIABLES["pr"].units}
    flat = {
        n: _flat(a)[picked]
        for n, a in (("truth", test["pr"]), ("coarse", coarse["pr"]), ("mean", members.mean("member")))
    }
    drawn = np.stack([_flat(members.isel(member=m))[picked] for m in range(min(SHOWN, members.sizes["member"]))], 1)
    return xr.Dataset(
        {
            "truth": (("case", "y", "x"), flat["truth"], rain),
            "coarse": (("case", "yc", "xc"), flat["coarse"], rain),
            "mean": (("case", "y", "x"), flat["mean"].astype(np.float32), rain),
            "members": (("case", "member", "y", "x"), drawn, rain),
            "crps": ("case", values.values[picked], {"units": "mm/day"}),
        },
        coords={"y": test["y"], "x": test["x"]},
    )


def _flat(rain: xr.DataArray) -> np.ndarray:
    return np.asarray(rain.values).reshape(-1, *rain.shape[-2:])


def scenarios(sizes: Sizes, seed: int, progress: Progress = no_progress) -> xr.Dataset:
    """Return a snapshot of each climate: the predictors, (shear, moisture, yc, xc), and ``truth`` (…, y, x)."""
    pairs = tuple((s, m) for s in sizes.shears for m in sizes.moistures)
    fine = simulate("dashboard", len(pairs), 1, sizes.points, seed, progress, pairs, sizes.spin_up).isel(time=0)
    coarse = coarsen(fine, sizes.factor).rename(y="yc", x="xc").drop_vars(["run", "time"])
    shape = (len(sizes.shears), len(sizes.moistures))
    dims = ("shear", "moisture")
    data = {n: ((*dims, "yc", "xc"), v.values.reshape(*shape, *v.shape[-2:]), v.attrs) for n, v in coarse.items()}
    truth = ((*dims, "y", "x"), fine["pr"].values.reshape(*shape, *fine["pr"].shape[-2:]), fine["pr"].attrs)
    axes = {
        "yc": coarse["yc"],
        "xc": coarse["xc"],
        "y": fine["y"].drop_vars(["time"]),
        "x": fine["x"].drop_vars(["time"]),
    }
    return xr.Dataset(
        {**data, "truth": truth}, coords={"shear": list(sizes.shears), "moisture": list(sizes.moistures), **axes}
    )
