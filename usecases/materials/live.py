"""The live answer: draw new crystals with the stored flow and weigh them. Called by the dashboard's controls.

Everything comes from the record and the package; nothing is relaxed, which would take seconds: new crystals are weighed
as drawn, beside the relaxed ones of the record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import torch
import xarray as xr
from matplotlib.figure import Figure
from pymatgen.core import Structure

from .draw import draw_crystal
from .evaluate import valid
from .formulas import by_name
from .hull import whole_hull
from .keep import kept_crystals, read_kept
from .model import CrystalFlow
from .physics import evaluate
from .propose import FLOW
from .train import draw, load_generator

STEPS = 20
MOST = 1.5  # eV/atom, where the axis ends


@lru_cache(maxsize=4)
def _generator(outputs: Path) -> CrystalFlow:
    return load_generator(outputs / "generator.safetensors")[0]


@lru_cache(maxsize=4)
def _scores(outputs: Path) -> xr.Dataset:
    return read_kept(outputs, "scores.nc")


@lru_cache(maxsize=256)
def _drawn(outputs: Path, formula: str, units: int, count: int) -> tuple[tuple[Structure, float], ...]:
    """Return new crystals and their energies above the hull as drawn, the lowest first."""
    made = draw(_generator(outputs), by_name()[formula], count, 7, STEPS, units)
    hull, weighed = whole_hull(), []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for one in made:
            if valid(one):
                energy = evaluate(one)[0] / len(one)
                weighed.append((one, hull.above(one.composition, energy)))
    finally:
        torch.set_num_threads(threads)
    return tuple(sorted(weighed, key=lambda pair: pair[1]))


def best_match(outputs: Path, volts: float, cutoff: float) -> str:
    """Return the formula whose recorded crystal below ``cutoff`` comes nearest to ``volts``, or the lowest."""
    table = _scores(outputs).sel(proposer=FLOW)[["above", "volts"]].to_dataframe().reset_index().dropna()
    if _holds_lithium(outputs):
        table = table[table["volts"] > 0]
    if table.empty:
        return str(_scores(outputs)["formula"].values[0])
    near = table[table["above"] <= cutoff]
    if near.empty:
        return str(table.loc[table["above"].idxmin(), "formula"])
    return str(near.loc[(near["volts"] - volts).abs().idxmin(), "formula"])


def _holds_lithium(outputs: Path) -> bool:
    """Tell whether any recorded crystal has a voltage against lithium."""
    return bool((_scores(outputs).sel(proposer=FLOW)["volts"] > 0).any())


def respond(
    outputs: Path | str, formula: str, volts: float, cutoff: float, samples: int, units: int
) -> tuple[Figure, str]:
    """Draw new crystals of a formula beside the record's relaxed ones.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    formula : str
        Such as "LiCoO2"; "" takes what comes nearest to ``volts``.
    volts : float
        Voltage against lithium that is wanted, V.
    cutoff : float
        Energy above the hull that counts as near, eV/atom.
    samples : int
        How many new crystals.
    units : int
        Formula units in a cell.

    Returns
    -------
    figure : matplotlib.figure.Figure
    alt : str
        What it shows, in words.
    """
    where = Path(outputs)
    name = formula or best_match(where, volts, cutoff)
    at = _scores(where).sel(proposer=FLOW, formula=name)
    relaxed = at["above"].values[np.isfinite(at["above"].values)]
    made = _drawn(where, name, units, samples)
    fig = Figure(figsize=(4.8, 3.8), layout="constrained")  # small, so that its words can be read on a phone
    left, right = fig.subplots(1, 2, width_ratios=(1.25, 1))
    _strip(left, [above for _, above in made], relaxed, cutoff)
    draw_crystal(right, made[0][0] if made else _recorded(where, name))
    right.set_title("lowest as drawn" if made else "relaxed", fontsize=12)
    near = int((relaxed <= cutoff).sum())
    says = f"{name}: {near} of {len(relaxed)} relaxed crystals within {cutoff:.2f} eV/atom"
    fig.suptitle(fill(says, 46), x=0.01, ha="left", fontweight="bold", fontsize=13)
    lowest = f"; the lowest of {len(made)} new ones is {made[0][1]:.2f} eV/atom above as drawn" if made else ""
    stated = at["volts"].values[at["volts"].values > 0]
    voltage = f"; {stated.mean():.1f} V against lithium, {volts:.1f} wanted" if len(stated) else ""
    return (
        fig,
        f"{says}{lowest}{voltage}. Dots on an axis of energy above the hull, and a picture of the lowest new cell.",
    )


def _recorded(outputs: Path, name: str) -> Structure:
    from pymatgen.io.ase import AseAtomsAdaptor

    return AseAtomsAdaptor.get_structure(next(a for a in kept_crystals(outputs) if a.info["formula"] == name))


def _strip(axes: Any, drawn: list[float], relaxed: Any, cutoff: float) -> None:
    axes.axvspan(-0.2, cutoff, color="#d9ecf7", zorder=0)
    for height, values, inside, label in (
        (1, drawn, "white", "new, as drawn"),
        (0, relaxed, "#0072B2", "recorded, relaxed"),
    ):
        spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(len(values))
        axes.plot(
            np.clip(values, -0.2, MOST),
            height + spread,
            "o",
            color="#0072B2",
            markerfacecolor=inside,
            markersize=7,
            clip_on=False,
        )
        axes.text(MOST, height + 0.32, label, ha="right", fontsize=12)
    axes.set(xlim=(-0.2, MOST), ylim=(-0.6, 1.7), yticks=[], xticks=np.arange(0, MOST + 0.1, 0.5))
    axes.set_xlabel("above the hull [eV/atom];\nshaded: near", fontsize=12)
    axes.spines["left"].set_visible(False)


def controls(outputs: Path | str, choice: Callable[..., Any], span: Callable[..., Any]) -> dict[str, Any]:
    """Return the dashboard's controls by argument name of :func:`respond`.

    Parameters
    ----------
    outputs : path
        Outputs of the record: only its formulas can be chosen.
    choice, span : callable
        Makers of a choice and of a slider, ``genai4eu.widgets.Choice`` and ``Range``; handed in, so that the science
        needs no widgets.
    """
    names = [str(n) for n in _scores(Path(outputs))["formula"].values]
    lithium = _holds_lithium(Path(outputs))
    picked = "nearest to the voltage" if lithium else "lowest above the hull"
    wanted = "Against lithium; picks the formula unless you name one."
    nothing = "Picks nothing here: no recorded crystal has a voltage against lithium."
    return {
        "formula": choice("Formula", {picked: "", **{n: n for n in names}}, value="",
                          help="Formulas of the test, which the flow never saw in training."),
        "volts": span("Target voltage", 1, 5, step=0.5, value=3.5, unit="V", help=wanted if lithium else nothing),
        "cutoff": span("Hull cutoff", 0, 0.2, step=0.02, value=0.1, unit="eV/atom",
                       help="How far above the hull still counts as near."),
        "samples": span("New crystals", 8, 64, step=8, value=8, unit="", help="How many the flow draws now."),
        "units": span("Formula units", 1, 3, step=1, value=1, unit="",
                      help="In one cell; a cell holds at most 12 atoms, and fewer are drawn where that is exceeded."),
    }  # fmt: skip
