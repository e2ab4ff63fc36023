"""Figures of the study and the dashboard, each with its alternative text. Called by the template.

Every function returns ``(Figure, alt)``. Truth is drawn in blue, what a method finds in orange (Okabe and Ito's
colours, safe for colour-blind readers), and the line styles differ too.
"""

from __future__ import annotations

from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .acquisition import Array
from .relaxometry import LESION
from .report import change, clear_changes
from .sites import SITES, UNSEEN_SITE

Drawn = tuple[Figure, str]
TRUTH, FOUND = "#56B4E9", "#E69F00"
#: Colour and shape of a site's mark.
MARKS = {"A": ("#0072B2", "o"), "B": ("#009E73", "s"), "C": ("#D55E00", "D")}


def _slice(
    axes: Axes, image: Array, truth: NDArray[np.bool_] | None = None, found: NDArray[np.bool_] | None = None
) -> None:
    axes.imshow(image, cmap="gray", vmin=-3.0, vmax=4.0, origin="lower")
    for mask, colour, style in ((truth, TRUTH, "solid"), (found, FOUND, "dashed")):
        if mask is not None and mask.any():
            axes.contour(mask, [0.5], colors=colour, linewidths=1.4, linestyles=style)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _bar(axes: Axes, spacing: float) -> None:
    """Draw a bar of 5 cm, the unit of a picture without axes."""
    axes.plot([2, 2 + 50 / spacing], [2, 2], color="white", linewidth=2)
    axes.text(2, 3.2, "5 cm", color="white", fontsize=9, va="bottom")


def _spacing(dataset: xr.Dataset) -> float:
    return float(abs(dataset["x"][1] - dataset["x"][0]))


def sites_figure(test: xr.Dataset, case: int = 0) -> Drawn:
    """Show one patient scanned at every site; the truth is outlined in the last panel."""
    names = [str(s) for s in test["site"].values]
    fig = Figure(figsize=(6.4, 2.7), layout="constrained")
    panels = np.atleast_1d(fig.subplots(1, len(names)))
    truth = test["label"].values[case] == LESION
    for axes, name in zip(panels, names, strict=True):
        _slice(axes, test["image"].sel(site=name).values[case], truth if name == UNSEEN_SITE else None)
        axes.set_title(f"{name}: {SITES[name].description.split(', ')[1]}", fontsize=11)
    _bar(panels[0], _spacing(test))
    fig.suptitle("One patient, three scanners: lesions change their colour", x=0.01, ha="left", fontweight="bold")
    return fig, (
        "The same lesions are bright at site A, dark at B and less bright than fluid at C; three slices of one "
        f"simulated patient with {float(test['lesion_load'][case]):.0f} mL of lesions, outlined in blue at C."
    )


def synthetic_figure(synthetic: xr.Dataset, count: int = 6) -> Drawn:
    """Show synthetic scans with the lesions that they were drawn for."""
    count = min(count, synthetic.sizes["case"])
    fig = Figure(figsize=(6.4, 2.0), layout="constrained")
    panels = np.atleast_1d(fig.subplots(1, count))
    for axes, case in zip(panels, range(count), strict=True):
        one = synthetic.isel(case=case)
        _slice(axes, one["image"].values, one["label"].values == LESION)
        axes.set_title(f"{one['sequence'].item()}\nTE {float(one['te']):.0f} ms", fontsize=9)
    fig.suptitle("Synthetic scans (AI-generated), lesions known", x=0.01, ha="left", fontweight="bold")
    return fig, f"AI-generated slices with known lesions in many contrasts; {count} slices, lesions outlined in blue."


def scores_figure(scores: xr.Dataset) -> Drawn:
    """Show the mean Dice of every method at every site, with the bootstrap interval over patients.

    One column of large type, because a phone shows it 288 pixels wide; sites differ in colour, shape and letter.
    """
    names, sites = [str(m) for m in scores["segmenter"].values], [str(s) for s in scores["site"].values]
    fig = Figure(figsize=(5.0, 0.62 * len(names) + 1.5), layout="constrained")
    axes = fig.subplots()
    for i, name in enumerate(names):
        if i:
            axes.axhline(i - 0.5, color="#dfe5ea", linewidth=0.8)
        for k, site in enumerate(sites):
            height = i + 0.3 * (k - (len(sites) - 1) / 2)
            _mark(axes, scores.sel(segmenter=name, site=site), height, site, whole=i == 0)
    axes.set(xlim=(-0.03, 1.0), ylim=(len(names) - 0.5, -0.5))
    axes.set_xlabel("Dice [1], mean and 95 % interval", fontsize=13)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelsize=13)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    fig.suptitle(fill(finding(scores), 46), x=0.01, ha="left", fontweight="bold", fontsize=14)
    means = scores["mean"]
    cells = "; ".join(
        f"{m} " + ", ".join(f"{s} {float(means.sel(segmenter=m, site=s)):.2f}" for s in sites) for m in names
    )
    return fig, f"{finding(scores)}; dots with 95 % intervals over patients, Dice from 0 to 1: {cells}."


def _mark(axes: Axes, at: xr.Dataset, height: float, site: str, whole: bool) -> None:
    """Draw a mean with its interval, and its site's letter on the side that has room."""
    mean, low, high = (float(at[name]) for name in ("mean", "low", "high"))
    unseen = site == UNSEEN_SITE
    colour, shape = MARKS.get(site, ("#000000", "v"))
    error = [[max(mean - low, 0)], [max(high - mean, 0)]]
    axes.errorbar(mean, height, xerr=error, fmt=shape, color=colour, markersize=7, label=site)
    left = mean > 0.5
    axes.annotate(
        f"{site} {'unseen' if unseen else 'training'}" if whole else site,
        (low if left else high, height),
        xytext=(-7 if left else 7, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=13,
        fontweight="bold" if unseen else "normal",
    )


def finding(scores: xr.Dataset) -> str:
    """Return what the scores say about the unseen site, and its price elsewhere, in few words computed from them."""
    verb, before, after, _, _ = change(scores)
    said = f"Synthetic scans {verb} Dice at {UNSEEN_SITE} ({before:.2f} to {after:.2f})"
    falls = [f"{site} ({before:.2f} to {after:.2f})" for site, (before, after) in clear_changes(scores)[0].items()]
    joint = "but" if verb == "raise" else "and"
    return f"{said} {joint} lower it at {' and '.join(falls)}" if falls else said


def failures_figure(scans: xr.Dataset, scores: xr.Dataset, count: int = 4) -> Drawn:
    """Show the unseen site's worst slices of the main flow mix."""
    method = str(scores.attrs["main_mix"])
    values = scores["dice"].sel(segmenter=method, site=UNSEEN_SITE).values
    worst = np.argsort(values)[: min(count, len(values))]
    fig = Figure(figsize=(6.4, 2.5), layout="constrained")
    panels = np.atleast_1d(fig.subplots(1, len(worst)))
    at = scans.sel(site=UNSEEN_SITE)
    for axes, case in zip(panels, worst, strict=True):
        _slice(axes, at["image"].values[case], at["label"].values[case] == LESION, at["mask_mix"].values[case] > 0)
        axes.set_title(f"Dice {values[case]:.2f}\n{float(scans['lesion_load'][case]):.0f} mL", fontsize=10)
    _bar(panels[0], _spacing(scans))
    fig.suptitle(f"Worst at C ({method}): blue truth, orange found", x=0.01, ha="left", fontweight="bold", fontsize=12)
    return fig, (
        f"Where {method} fails at the unseen site; its {len(worst)} worst slices, Dice "
        f"{values[worst].min():.2f} to {values[worst].max():.2f}, truth in blue, prediction in dashed orange."
    )


def draw_answer(
    image: Array, truth: NDArray[np.bool_], found: NDArray[np.bool_], score: float, site: str, method: str
) -> Drawn:
    """Show a slice with the truth beside the same slice with what a segmenter finds; called by the live answer."""
    fig = Figure(figsize=(6.4, 3.6), layout="constrained")
    left, right = fig.subplots(1, 2)
    _slice(left, image, truth)
    _slice(right, image, None, found)
    left.set_title("Truth", fontsize=12, color="#0072B2")
    right.set_title("Found", fontsize=12, color="#B35C00")
    says = "no lesion to find" if not truth.any() else f"Dice {0.0 if np.isnan(score) else score:.2f}"
    fig.suptitle(f"{says} at {site}", x=0.01, ha="left", fontweight="bold")
    return (
        fig,
        f"{says} at {site}, segmenter {method}; two slices, {truth.sum()} lesion pixels, {found.sum()} found.",
    )


def scan_figure(image: Array, found: NDArray[np.bool_], source: str) -> Drawn:
    """Show an own slice and what a segmenter finds in it."""
    fig = Figure(figsize=(3.2, 3.4), layout="constrained")
    _slice(fig.subplots(), image, None, found)
    fig.suptitle(f"{found.sum()} pixels called lesion", x=0.01, ha="left", fontweight="bold", fontsize=12)
    return fig, f"{found.sum()} pixels of {source} are called lesion, outlined in orange; one axial slice."
