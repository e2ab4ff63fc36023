"""Figures of the study and the dashboard, each with its alternative text. Called by the template.

Every function returns ``(Figure, alt)``. Colours are Okabe and Ito's, safe for colour-blind readers; shapes and labels
tell the same, and atoms of one cell carry their symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pymatgen.core import Structure

from .data import Frame
from .draw import draw_crystal
from .hull import CUTOFF, training_hull
from .propose import FLOW, METHODS
from .report import finding

Drawn = tuple[Figure, str]
#: Colour and shape of a method's mark.
_LOOKS = (("#0072B2", "o"), ("#009E73", "s"), ("#D55E00", "D"), ("#0072B2", "^"), ("#D55E00", "d"), ("#5C6670", "v"))
MARKS = dict(zip(METHODS, _LOOKS, strict=True))


def frames_figure(known: Sequence[Frame]) -> Drawn:
    """Show how far above their own hull the training frames lie, for crystals of oxygen, sulphur, and halogens."""
    hull = training_hull()
    above = {name: [] for name in ("oxides", "sulphides", "halides")}  # type: dict[str, list[float]]
    for frame in known:
        names = {e.symbol for e in frame.structure.composition.elements}
        kind = "halides" if names & {"F", "Cl"} else "sulphides" if "S" in names else "oxides"
        above[kind].append(hull.above(frame.structure.composition, frame.energy))
    fig = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = fig.subplots()
    edges = np.linspace(0, 0.8, 33).tolist()
    clipped = [np.clip(v, 0, 0.799) for v in above.values()]
    axes.hist(clipped, edges, stacked=True, color=["#0072B2", "#E69F00", "#009E73"], label=list(above))
    axes.axvline(CUTOFF, color="#1b2733", linestyle="--", linewidth=1)
    axes.set(xlabel="above the training frames' hull [eV/atom]; last bar: beyond", ylabel="frames")
    axes.legend()
    near = float(np.mean([v < CUTOFF for some in above.values() for v in some]))
    fig.suptitle(f"{100 * near:.0f} % of the training frames lie within {CUTOFF} eV/atom of their hull",
                 x=0.01, ha="left", fontweight="bold", fontsize=13)  # fmt: skip
    return fig, (
        f"{100 * near:.0f} % of {len(known)} training frames are within {CUTOFF} eV/atom of their hull; histogram of "
        "energies from 0 to 0.8 eV/atom by anion."
    )


def crystals_figure(some: Sequence[Structure], titles: Sequence[str], heading: str, width: float = 6.4) -> Drawn:
    """Show crystals as the flow draws them; ``width`` is in inches."""
    fig = Figure(figsize=(width, 2.6), layout="constrained")
    panels = np.atleast_1d(fig.subplots(1, len(some)))
    for axes, one, title in zip(panels, some, titles, strict=True):
        draw_crystal(axes, one)
        axes.set_title(title, fontsize=11)
    fig.suptitle(heading, x=0.01, ha="left", fontweight="bold", fontsize=13)
    return (
        fig,
        f"{heading}; {len(some)} cells seen in perspective: {'; '.join(t.replace(chr(10), ', ') for t in titles)}.",
    )


def viewed_figure(crystals: Sequence[dict[str, Any]], count: int = 3) -> Drawn:
    """Show the first of the crystals that a viewer gets, for pages where no script runs."""
    some = [Structure(c["lattice"], c["elements"], c["places"]) for c in crystals[:count]]
    names, heading = [c["name"] for c in crystals[:count]], _nearest(crystals[:count])
    fig, alt = crystals_figure(some, names, heading, width=4.4)  # a phone shows it 288 pixels wide
    return fig, f"{alt} {' '.join(c['alt'] for c in crystals[:count])}"


def _nearest(crystals: Sequence[dict[str, Any]]) -> str:
    near = any(c["above"] < CUTOFF for c in crystals)
    return "The flow's crystals nearest to the hull" if near else "No crystal here is near the hull: the nearest"


def scores_figure(scores: xr.Dataset) -> Drawn:
    """Show the share near the hull of every method with its interval, and what of it is in no training type.

    One column of large type, because a phone shows it 288 pixels wide.
    """
    fig = Figure(figsize=(5.0, 5.2), layout="constrained")
    axes = fig.subplots()
    for i, method in enumerate(METHODS):
        _mark(axes, scores.sel(proposer=method), i, *MARKS[method])
    axes.set(xlim=(-3, 103), ylim=(len(METHODS) - 0.4, -0.6))
    axes.set_xlabel("tries within 0.1 eV/atom of the hull [%],\nmean and 95 % interval over formulas", fontsize=13)
    axes.set_yticks(range(len(METHODS)), [m.replace(" ", "\n") for m in METHODS])
    axes.tick_params(labelsize=13)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    title = finding(scores)
    fig.suptitle(fill(title, 46), x=0.01, ha="left", fontweight="bold", fontsize=14)
    shares = {m: [100 * float(scores[n].sel(proposer=m)) for n in ("stable", "new")] for m in METHODS}
    cells = "; ".join(f"{m} {near:.0f} %, in no training type {new:.0f} %" for m, (near, new) in shares.items())
    return fig, f"{title}; dots with 95 % intervals over {scores.sizes['formula']} formulas: {cells}."


def _mark(axes: Axes, at: xr.Dataset, height: float, colour: str, shape: str) -> None:
    share, low, high, new = (100 * float(at[name]) for name in ("stable", "stable_low", "stable_high", "new"))
    error = [[max(share - low, 0)], [max(high - share, 0)]]
    axes.errorbar(share, height, xerr=error, fmt=shape, color=colour, markersize=9, label="all tries")
    kept = "in no training type"
    axes.plot(new, height + 0.28, shape, markerfacecolor="white", color=colour, markersize=7, label=kept)
    if at["proposer"].item() == FLOW:
        axes.annotate(kept, (new, height + 0.28), xytext=(8, 0), textcoords="offset points",
                      va="center", fontsize=12)  # fmt: skip


def failures_figure(scores: xr.Dataset, crystals: dict[str, Structure], count: int = 3) -> Drawn:
    """Show the formulas for which the flow's best proposal stays farthest above the hull."""
    best = scores["above"].sel(proposer=FLOW).min("try")
    known = best.sel(formula=[n for n in best["formula"].values if n in crystals])
    worst = known.sortby(known, ascending=False)[:count]
    names = [str(n) for n in worst["formula"].values]
    titles = [f"{n}\n{float(v):.2f} eV/atom" for n, v in zip(names, worst.values, strict=True)]
    heading = "Where the flow fails: farthest above the hull"
    return crystals_figure([crystals[n] for n in names], titles, heading)
