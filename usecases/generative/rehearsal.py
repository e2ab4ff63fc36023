"""What every dashboard does before it shows its first answer, done once with data of no record.

A process whose forks become kernels calls it before it forks: what libraries make at their first use, and the memory
that they touch, is then shared by all kernels, where each would make a copy of its own. Called by the sectors'
``rehearsal``.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure

from .kept import read_kept, write_kept


def rehearse() -> None:
    """Read a dataset, draw a figure, ask a network."""
    scores = _read()
    _draw(scores)
    _ask()


def _read() -> xr.Dataset:
    """Write a small dataset, and read it as a record's: words, numbers, and a choice among them."""
    rng = np.random.default_rng(0)
    made = xr.Dataset(
        {"score": (("learner", "case"), rng.random((3, 40), np.float32), {"units": "1"})},
        coords={"learner": ["one", "two", "three"], "case": np.arange(40)},
        attrs={"seed": 0},
    )
    with tempfile.TemporaryDirectory() as folder:
        write_kept(made, Path(folder) / "scores.nc")
        read = read_kept(folder, "scores.nc")
    read["score"].sel(learner="two").mean("case").item()
    read["score"].isel(case=slice(0, 4)).quantile([0.1, 0.9], "case").to_dataframe("score")
    return read


def _draw(scores: xr.Dataset) -> None:
    """Draw the kinds of marks that dashboards have, and make a picture of them."""
    fig = Figure(figsize=(6, 4), layout="constrained")
    left, right = fig.subplots(1, 2)
    values = scores["score"].values
    left.errorbar([0, 1, 2], values.mean(1), yerr=values.std(1), fmt="o", label="mean")
    left.bar([0, 1, 2], values.mean(1), alpha=0.3)
    left.fill_between([0, 1, 2], values.min(1), values.max(1), alpha=0.2)
    left.set(xlabel="learner", ylabel="score [1]", xticks=[0, 1, 2], xticklabels=scores["learner"].values)
    left.legend()
    left.annotate("$10^{-3}$", (0, 0))  # numbers as powers are set by another program
    image = right.imshow(values, aspect="auto")
    right.contour(values, [0.5])
    right.scatter([0, 1], [0, 1])
    fig.colorbar(image, ax=right)
    right.set_yscale("log")
    right.set_ylim(0.1, 3)
    fig.suptitle("A title", fontweight="bold")
    fig.savefig(io.BytesIO(), format="png", dpi=100)


@torch.no_grad()
def _ask() -> None:
    """Let layers of the usual kinds compute, with seeded numbers."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)  # loads what torch defers until then; one thread, as a fork would lack any other
        layers = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.GroupNorm(4, 8), torch.nn.SiLU())
        layers(torch.randn(1, 1, 16, 16))
        torch.nn.Linear(8, 8)(torch.randn(1, 8))
