"""Figures of the study and the dashboard, each with its alternative text. Called by the template.

Every function returns ``(Figure, alt)``. All are seen from above, turned so that the travel goes from left to right:
MuJoCo's own renderer needs a display, and the question is where the hand went. Clean ways are blue, ways through the
zone vermilion and dashed (Okabe and Ito's colours, safe for colour-blind readers).
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray

from .environment import STEP
from .evaluate import MAIN
from .report import PERCEPTRON, percent, rate

Array = NDArray[np.float64]
Drawn = tuple[Figure, str]
CLEAN, THROUGH, ZONE = "#0072B2", "#D55E00", "#C9CED6"
LIFTED = 0.46  # m, above which the cube is carried


def travel_frame(way: Array, zone: Array) -> tuple[Array, Array]:
    """Return ways and goal as seen from the zone's axis, the travel along x, in cm.

    Parameters
    ----------
    way : ndarray, shape (episode, time, 6)
        Tool and cube in m.
    zone : ndarray, shape (episode, 5)
        Zone x, y, radius and goal x, y in m.

    Returns
    -------
    cube : ndarray, shape (episode, time, 2)
    goal : ndarray, shape (episode, 2)
    """
    along = zone[:, 3:5] - way[:, 0, 3:5]
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    axes = np.stack([along, np.stack([-along[:, 1], along[:, 0]], -1)], 1)  # rows: along, across
    cube = np.einsum("eij,etj->eti", axes, way[..., 3:5] - zone[:, None, :2])
    goal = np.einsum("eij,ej->ei", axes, zone[:, 3:5] - zone[:, :2])
    return 100 * cube, 100 * goal


def entered(way: Array, zone: Array) -> NDArray[np.bool_]:
    """Return which ways (episode) have the tool or the cube in the zone."""
    tool = np.linalg.norm(way[..., 0:2] - zone[:, None, :2], axis=-1)
    cube = np.linalg.norm(way[..., 3:5] - zone[:, None, :2], axis=-1)
    return np.asarray(np.minimum(tool, cube).min(1) < zone[:, 2])


def fan(axes: Axes, way: Array, zone: Array, whole: bool = True) -> None:
    """Draw the cube's ways around the zone from above; the travel goes from left to right, in cm."""
    cube, goal = travel_frame(way, zone)
    axes.add_patch(
        Circle((0, 0), 100 * float(zone[0, 2]), facecolor=ZONE, edgecolor="#7a8794", hatch="////", linewidth=1)
    )
    for line, bad in zip(cube, entered(way, zone), strict=True):
        axes.plot(*line.T, color=THROUGH if bad else CLEAN, linestyle="--" if bad else "-", linewidth=1.2, alpha=0.75)
    axes.plot(*cube[0, 0], "s", color="black", markersize=7)
    axes.plot(*goal[0], "*", color="black", markersize=11)
    _make_room(axes, cube)
    if whole:
        axes.set_xlabel("along the travel [cm]", fontsize=13)
        axes.set_ylabel("across [cm]", fontsize=13)
        for name, place in (("cube", cube[0, 0]), ("goal", goal[0])):
            axes.annotate(name, place, (0, -18), textcoords="offset points", ha="center", fontsize=13)


def _make_room(axes: Axes, cube: Array) -> None:
    """Set limits in cm that hold the ways, alike on both sides of the zone; axes that share them grow together."""
    most = []
    for i, least, limits, free in (
        (0, 22.0, axes.get_xlim(), axes.get_autoscalex_on()),
        (1, 17.0, axes.get_ylim(), axes.get_autoscaley_on()),
    ):
        most.append(max(least, 1.05 * float(np.abs(cube[..., i]).max()), 0.0 if free else limits[1]))
    axes.set(xlim=(-most[0], most[0]), ylim=(-most[1], most[1]), aspect="equal")


def demonstrations_figure(shown: xr.Dataset, count: int = 60) -> Drawn:
    """Show the ways of some demonstrations around their zones, left and right."""
    states = [
        shown["state"].values[shown["episode"].values == i] for i in range(min(count, int(shown["episode"].max()) + 1))
    ]
    fig = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = fig.subplots()
    lefts = 0
    for s in states:
        cube, _ = travel_frame(s[None, :, 0:6], s[:1, [13, 14, 15, 10, 11]])
        _make_room(axes, cube)
        left = cube[0, np.abs(cube[0, :, 0]).argmin(), 1] > 0
        lefts += int(left)
        axes.plot(
            *cube[0].T, color=CLEAN if left else "#009E73", linestyle="-" if left else "--", linewidth=0.9, alpha=0.7
        )
    for r in (3, 10):
        axes.add_patch(Circle((0, 0), r, fill=False, edgecolor="#7a8794", linestyle=":"))
    axes.annotate("zones, 3 to 10 cm", (0, 0), ha="center", va="center", fontsize=10)
    axes.set(xlabel="along the travel [cm]", ylabel="across [cm]")
    for height, align, word, colour in ((0.97, "top", f"left, {lefts}", CLEAN),
                                        (0.03, "bottom", f"right, {len(states) - lefts}", "#00785A")):  # fmt: skip
        axes.text(0.04, height, word, transform=axes.transAxes, va=align, color=colour, fontsize=12)
    title = f"The same task shown two ways: {lefts} times left of the zone, {len(states) - lefts} times right"
    fig.suptitle(fill(title, 52), x=0.01, ha="left", fontweight="bold")
    return fig, f"{title}; ways of the carried cube from above, zones of 3 to 10 cm radius, axes in cm around the zone."


def scores_figure(scores: xr.Dataset) -> Drawn:
    """Show success and collision of every policy, with Wilson's 95 % intervals. One column, to be read on a phone."""
    names = [str(p) for p in scores["policy"].values]
    fig = Figure(figsize=(5.0, 0.6 * len(names) + 1.7), layout="constrained")
    axes = fig.subplots()
    for i, name in enumerate(names):
        if i:
            axes.axhline(i - 0.5, color="#dfe5ea", linewidth=0.8)
        for what, colour, shape, shift in (("success", CLEAN, "o", -0.16), ("collision", THROUGH, "D", 0.16)):
            value, low, high = rate(scores, name, what)
            wide = [[max(value - low, 0)], [max(high - value, 0)]]
            axes.errorbar(value, i + shift, xerr=wide, fmt=shape, color=colour, markersize=7, label=what)
            if i == 0:
                end, gap, align = (low, -7, "right") if value > 0.5 else (high, 7, "left")
                style: dict[str, Any] = {"color": colour, "fontsize": 13, "ha": align, "va": "center"}
                axes.annotate(what, (end, i + shift), (gap, 0), textcoords="offset points", **style)
    axes.set(xlim=(-0.03, 1.03), ylim=(len(names) - 0.5, -0.5))
    axes.set_xlabel("share of episodes [1], 95 % interval", fontsize=13)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(labelsize=13)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    fig.suptitle(fill(finding(scores), 44), x=0.01, ha="left", fontweight="bold", fontsize=14)
    cells = "; ".join(
        f"{n} {percent(rate(scores, n)[0])} and {percent(rate(scores, n, 'collision')[0])}" for n in names
    )
    return fig, f"{finding(scores)}; dots with 95 % intervals, success and collision of each policy: {cells}."


def finding(scores: xr.Dataset) -> str:
    """Return what the scores say, in few words computed from them."""
    done, averaged = rate(scores, MAIN)[0], rate(scores, PERCEPTRON)[0]
    return (
        f"The flow policy does {percent(done)} of new tasks cleanly, a perceptron, which averages, {percent(averaged)}"
    )


def fans_figure(motions: xr.Dataset, start: int = 0) -> Drawn:
    """Show what policies do from one and the same test start, again and again; the first, not one that was picked."""
    names = [n for n in (MAIN, "mixture", "nearest neighbour", PERCEPTRON) if n in motions["policy"].values]
    repeats = motions.sizes["again"] // int(motions.attrs["starts"])
    fig = Figure(figsize=(5.0, 5.4), layout="constrained")
    told: dict[str, str] = {}
    for axes, name in zip(fig.subplots(2, 2, sharex=True, sharey=True).flat, names, strict=False):
        way, zone = start_ways(motions, name, start)
        fan(axes, way, zone, whole=False)
        told[name] = counted(way, zone)
        axes.set_title(f"{name}\n{told[name]}", fontsize=13)
        axes.tick_params(labelsize=12)
    fig.supxlabel("along the travel [cm]", fontsize=13)
    fig.supylabel("across [cm]", fontsize=13)
    title = f"One start, {repeats} times. Flow: {told[MAIN]}; nearest neighbour: {told['nearest neighbour']}"
    fig.suptitle(fill(title, 44), x=0.01, ha="left", fontweight="bold", fontsize=14)
    words = "; ".join(f"{name}: {what}" for name, what in told.items())
    return fig, f"{title}; ways of the cube from above, in cm, by policy; {words}."


def counted(way: Array, zone: Array) -> str:
    """Return how often the ways go left of the zone, right of it, and through it: ``"9 left, 7 right"``."""
    cube, _ = travel_frame(way, zone)
    hit, passed = entered(way, zone), (cube[..., 0] > 0).any(1)
    across = np.take_along_axis(cube[..., 1], (cube[..., 0] > 0).argmax(1)[:, None], 1)[:, 0]
    clean = passed & ~hit
    counts = {"left": clean & (across > 0), "right": clean & (across <= 0), "enter": hit, "stay": ~hit & ~passed}
    return ", ".join(f"{int(which.sum())} {name}" for name, which in counts.items() if which.any())


def fans_panels(motions: xr.Dataset, start: int = 0) -> dict[str, Any]:
    """Return the same fans as plain data to play, for ``genai4eu.widgets.TrajectoryPlayer``."""
    _, alt = fans_figure(motions, start)
    panels: list[dict[str, Any]] = []
    for name in (MAIN, "mixture", "nearest neighbour", PERCEPTRON):
        way, zone = start_ways(motions, name, start)
        cube, goal = travel_frame(way, zone)
        marked = entered(way, zone).tolist()
        panels.append({"title": f"{name}: {counted(way, zone)}", "ways": cube, "marked": marked})
    return {"panels": panels, "zone": (0.0, 0.0, 100 * zone[0, 2]), "goal": goal[0], "step": STEP, "alt": alt}


def start_ways(motions: xr.Dataset, policy: str, start: int = 0) -> tuple[Array, Array]:
    """Return the ways (repeat, time, 6) of a policy from one start, and zones (repeat, 5), in m."""
    repeats = motions.sizes["again"] // int(motions.attrs["starts"])
    one = motions.sel(policy=policy).isel(again=slice(start * repeats, (start + 1) * repeats))
    return one["again_way"].values.astype(float), one["again_zone"].values.astype(float)


def failures_figure(motions: xr.Dataset, scores: xr.Dataset, count: int = 4) -> Drawn:
    """Show the flow policy's worst test episodes: those not placed, then those deepest in the zone."""
    one = scores.sel(policy=MAIN)
    order = np.lexsort((one["clearance"].values, one["placed"].values.astype(int)))[:count]
    way, zone = motions["way"].values.astype(float), motions["zone"].values.astype(float)
    fig = Figure(figsize=(5.0, 4.9), layout="constrained")
    for axes, i in zip(fig.subplots(2, 2, sharex=True, sharey=True).flat, order, strict=False):
        fan(axes, way[[i]], zone[[i]], whole=False)
        placed = "placed" if bool(one["placed"][i]) else "not placed"
        axes.set_title(f"{placed}, {100 * float(one['clearance'][i]):+.1f} cm", fontsize=12)
    fig.supxlabel("along the travel [cm]", fontsize=12)
    fig.supylabel("across [cm]", fontsize=12)
    failed = int((~one["success"].astype(bool)).sum())
    title = (
        f"{failed} of {scores.sizes['episode']} test episodes fail; the worst, with their distance from the zone's edge"
    )
    fig.suptitle(fill(title, 56), x=0.01, ha="left", fontweight="bold")
    least = 100 * float(one["clearance"].min())
    told = f"the deepest is {least:+.1f} cm from the zone's edge (negative inside)"
    return fig, f"{title}; ways of the cube from above in cm, {told}."


def draw_answer(way: Array, zone: Array, success: int, words: str) -> Drawn:
    """Show the fan of ways for the present controls; called by the live answer."""
    fig = Figure(figsize=(5.0, 4.2), layout="constrained")
    axes = fig.subplots()
    fan(axes, way, zone)
    axes.tick_params(labelsize=13)
    hits = int(entered(way, zone).sum())
    title = f"{success} of {len(way)} arrive cleanly, {hits} enter the zone"
    fig.suptitle(title, x=0.01, ha="left", fontweight="bold")
    return fig, f"{title} ({words}); ways of the cube from above, in cm."
