"""Figures of the study and the dashboard, each with its alternative text. Called by the template.

Every function returns ``(Figure, alt)``. Rain is drawn in one colour map that is even to the eye, on a root scale, so
that drizzle shows beside downpours. Truth is black; methods keep their colour (Okabe and Ito's) and line style.
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .evaluate import EDGES, MODEL, bands_db, best_baseline, gain, spectrum, summary
from .units import DAY

Drawn = tuple[Figure, str]
#: Colour and line style of a method.
LOOKS = {
    "linear": ("#CC79A7", ":"), "quantile mapping": ("#E69F00", "-."), "random forest": ("#009E73", "--"),
    "U-Net mean": ("#56B4E9", (0, (5, 1))), MODEL: ("#D55E00", "-"),
}  # fmt: skip
DRY, TOP = 0.5, 80.0  # mm/day: below the one nothing is drawn, above the other the colour is the darkest
RAIN = colormaps["cividis_r"].with_extremes(under="#f3f5f7")


def _map(axes: Axes, rain: NDArray[np.float32], title: str, side: float) -> AxesImage:
    """Draw rain in kg m-2 s-1 over a square of ``side`` km."""
    extent = (0, side, 0, side * rain.shape[0] / rain.shape[1])
    image = axes.imshow(rain * DAY, origin="lower", cmap=RAIN, norm=PowerNorm(0.5, DRY, TOP), extent=extent)
    axes.set_title(title, fontsize=11)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    return image


def scale_bar(axes: Axes, side: float) -> None:
    """Draw a bar of 1000 km, the unit of a map without axes."""
    axes.plot([0.04 * side, 0.04 * side + 1000], [0.05 * side] * 2, color="#1b2733", linewidth=2)
    axes.text(0.04 * side, 0.07 * side, "1000 km", fontsize=9, va="bottom", color="#1b2733")


def _side(rain: xr.DataArray | xr.Dataset) -> float:
    x = rain["x"].values
    return float((x[1] - x[0]) * len(x))


def titled(fig: Figure, text: str, width: int = 54, size: int = 14) -> None:
    """Give a figure its finding as its title."""
    fig.suptitle(fill(text, width), x=0.01, ha="left", fontweight="bold", fontsize=size)


def task_figure(fine: xr.Dataset, coarse: xr.Dataset, run: int = 0, time: int = 0) -> Drawn:
    """Show what is given and what is wanted."""
    given, wanted = coarse["pr"].values[run, time], fine["pr"].values[run, time]
    fig = Figure(figsize=(6.4, 3.5), layout="constrained")
    left, right = fig.subplots(1, 2)
    side = _side(fine)
    _map(left, given, f"Given: cells of {side / given.shape[1]:.0f} km", side)
    image = _map(right, wanted, f"Wanted: cells of {side / wanted.shape[1]:.0f} km", side)
    scale_bar(left, side)
    fig.colorbar(image, ax=[left, right], label="rain (mm/day)", shrink=0.8, extend="both")
    peak = (given.max() * DAY, wanted.max() * DAY)
    titled(fig, f"Coarse cells hide the extremes: at most {peak[0]:.0f} mm/day, in truth {peak[1]:.0f}")
    return fig, (
        f"Coarse cells hide the extremes; two maps of the same rain, the coarse one reaching {peak[0]:.0f} and the "
        f"fine one {peak[1]:.0f} mm/day."
    )


def members_figure(members: xr.DataArray, truth: xr.DataArray, run: int = 0, time: int = 0) -> Drawn:
    """Show truth beside members of the ensemble and their mean."""
    fig = Figure(figsize=(6.4, 4.6), layout="constrained")
    panels = fig.subplots(2, 3)
    drawn = members.isel(run=run, time=time)
    count = min(4, drawn.sizes["member"])
    fields = [("Truth", truth.values[run, time])]
    fields += [(f"Member {i + 1}", drawn.values[i]) for i in range(count)]
    fields = [*fields[:5], ("Mean of all", drawn.values.mean(0))]
    for axes in panels.flat[len(fields) :]:
        axes.set_visible(False)
    for axes, (name, rain) in zip(panels.flat, fields, strict=False):
        image = _map(axes, rain, name, _side(truth))
    scale_bar(panels[0, 0], _side(truth))
    fig.colorbar(image, ax=panels, label="rain (mm/day)", shrink=0.8, extend="both")
    each, mean = (
        _fine_power(rain) / _fine_power(truth.values[run, time][None])
        for rain in (drawn.values, drawn.values.mean(0)[None])
    )
    says = f"Members have {each:.0%} of the fine-scale variance of truth, their mean {mean:.0%}"
    titled(fig, f"{says} (AI-generated)")
    return fig, (
        f"{says}; maps of truth, {count} AI-generated members and the mean of {drawn.sizes['member']}, rain from 0 to "
        f"{TOP:.0f} mm/day."
    )


def _fine_power(fields: NDArray[np.float32]) -> float:
    """Return the variance of fields (case, y, x) at the finer half of wave numbers."""
    power = spectrum(fields).mean(0)
    return float(power[len(power) // 2 :].sum())


def plain_map(members: xr.DataArray, truth: xr.DataArray, run: int = 0) -> dict[str, Any]:
    """Return what a viewer of fields needs, all snapshots of one run: plain arrays in mm/day, names and units.

    Its keys are the arguments of ``genai4eu.widgets.FieldMap``; another viewer may take them as well.
    """
    drawn, real = members.values[:, run] * DAY, truth.values[run] * DAY
    days = truth["time"].values
    return {
        "members": drawn,
        "truth": real,
        "alt": f"Fine rain: {len(drawn)} AI-generated members and truth, {len(days)} times; map, 0 to {TOP:g} mm/day.",
        "times": [f"day {day:.1f}" for day in days],
        "threshold": 20.0,
        "top": TOP,
        "spacing": float(truth["x"][1] - truth["x"][0]),
    }


def finding(scores: xr.Dataset) -> str:
    """Return what the scores say in few words computed from them."""
    at = scores.sel(drive="perfect")
    share, low, high = gain(at)
    extreme = float(summary(at)["p999"].sel(downscaling=MODEL, bound="value"))
    if low <= 0 <= high:
        return f"Generated ensembles do not clearly beat the best simpler method ({share:+.0%} of CRPS)"
    how = "cut" if share > 0 else "raise"
    return f"Generated ensembles {how} the error by {abs(share):.0%} and put P99.9 at {extreme:.2f} of truth"


def scores_figure(scores: xr.Dataset) -> Drawn:
    """Show CRPS of all methods under both drives, with intervals."""
    names = [str(m) for m in scores["downscaling"].values]
    fig = Figure(figsize=(5.0, 0.55 * len(names) + 1.9), layout="constrained")
    axes = fig.subplots()
    words = []
    for drive, (shape, shift, label) in {
        "perfect": ("o", -0.17, "perfect input"),
        "driven": ("D", 0.17, "coarse model, 12 h alone"),
    }.items():
        crps = summary(scores.sel(drive=drive))["crps"]
        for i, name in enumerate(names):
            value, low, high = crps.sel(downscaling=name).values
            colour = LOOKS.get(name, ("#000000", "-"))[0]
            face = colour if drive == "perfect" else "white"
            axes.errorbar(
                value,
                i + shift,
                xerr=[[value - low], [high - value]],
                fmt=shape,
                color=colour,
                mfc=face,
                markersize=7,
                label=label,
            )
        words.append(
            f"{label}: " + ", ".join(f"{n} {float(crps.sel(downscaling=n, bound='value')):.2f}" for n in names)
        )
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(len(names) - 0.5, -0.5))
    axes.set_xlim(left=0)
    axes.set_xlabel("CRPS (mm/day), 95 % interval; less is better", fontsize=11, loc="right")
    axes.tick_params(labelsize=13)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    signs = [
        Line2D([], [], color="#1b2733", marker=m, mfc=f, linestyle="") for m, f in (("o", "#1b2733"), ("D", "white"))
    ]
    fig.legend(
        signs, ["perfect input", "coarse model, 12 h alone"], loc="outside lower left", ncols=2, fontsize=11,
        handletextpad=0.2, columnspacing=1,
    )  # fmt: skip
    titled(fig, finding(scores), 44)
    return fig, f"{finding(scores)}; dots with 95 % intervals over snapshots, CRPS in mm/day. {'; '.join(words)}."


def spectrum_figure(scores: xr.Dataset) -> Drawn:
    """Show the spectrum of every method beside that of truth, and the share of points above any rain."""
    at = scores.sel(drive="perfect")
    fig = Figure(figsize=(6.4, 3.9), layout="constrained")
    left, right = fig.subplots(1, 2)
    length = float(at.attrs["domain_km"]) / at["wave"].values
    left.loglog(length, at["true_power"].mean("case"), color="black", linewidth=3, alpha=0.45, label="truth")
    right.loglog(EDGES[1:], _above(at["true_counts"]), color="black", linewidth=3, alpha=0.45)
    for name in (str(m) for m in at["downscaling"].values):
        colour, style = LOOKS.get(name, ("#000000", "-"))
        left.loglog(length, at["power"].sel(downscaling=name).mean("case"), color=colour, linestyle=style, label=name)
        right.loglog(EDGES[1:], _above(at["counts"].sel(downscaling=name)), color=colour, linestyle=style)
    left.invert_xaxis()
    left.set_xticks([4000, 1000, 250], ["4000", "1000", "250"])
    left.minorticks_off()
    left.set(xlabel="wavelength (km)", ylabel="power (mm² day⁻²)")
    right.set(xlabel="rain (mm/day)", ylabel="share of points above", xlim=(1, 300), ylim=(1e-5, 1))
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=3, fontsize=10)
    bands = bands_db(at)
    worst = bands.copy(data=np.abs(bands.values)).max("wave")
    other = best_baseline(at)
    flow, theirs = (float(worst.sel(downscaling=name)) for name in (MODEL, other))
    text = f"At no scale is the variance of the flow off by more than {flow:.1f} dB ({other}: {theirs:.1f})"
    titled(fig, text)
    return fig, (
        f"{text}; spectrum over wavelengths {length[0]:.0f} to {length[-1]:.0f} km, and share of points above 1 to 300 "
        "mm/day."
    )


def _above(counts: xr.DataArray) -> NDArray[np.float64]:
    total = counts.sum("case").values
    above = 1 - np.cumsum(total) / total.sum()
    return np.where(above > 1e-9, above, np.nan)


def calibration_figure(scores: xr.Dataset) -> Drawn:
    """Show the rank histograms of the flow, perfect and driven."""
    fig = Figure(figsize=(6.4, 2.9), layout="constrained")
    words = []
    panels = fig.subplots(1, 2, sharey=True)
    for axes, (drive, name) in zip(
        panels, (("perfect", "perfect input"), ("driven", "coarse model, 12 h alone")), strict=True
    ):
        counts = scores["ranks"].sel(drive=drive).values
        share = counts / counts.mean()
        axes.bar(np.arange(len(share)), share, color="#D55E00", width=0.9)
        axes.axhline(1, color="#1b2733", linewidth=1)
        ratio = float(summary(scores.sel(drive=drive))["spread_skill"].sel(downscaling=MODEL, bound="value"))
        axes.set_title(f"{name}\nspread over skill {ratio:.2f}", fontsize=11)
        axes.set_xlabel("rank of truth")
        words.append(f"{name}: ends {share[0]:.2f} and {share[-1]:.2f}, spread over skill {ratio:.2f}")
    panels[0].set_ylabel("frequency (1: even)")
    titled(fig, "Is truth one of the ensemble? Even bars say yes")
    return fig, f"Rank histograms of the ensemble; {'; '.join(words)}; 1 would be even."


def failures_figure(worst: xr.Dataset) -> Drawn:
    """Show the snapshots with the largest error."""
    count = worst.sizes["case"]
    fig = Figure(figsize=(6.4, 1.75 * count + 0.9), layout="constrained")
    panels = np.atleast_2d(fig.subplots(count, 4))
    for i in range(count):
        one = worst.isel(case=i)
        fields = (("Given", "coarse"), ("Truth", "truth"), ("A member", "members"), ("Mean", "mean"))
        for axes, (title, name) in zip(panels[i], fields, strict=True):
            rain = one[name].values[0] if name == "members" else one[name].values
            image = _map(axes, rain, title if i == 0 else "", _side(worst))
        panels[i, 0].set_ylabel(f"CRPS {float(one['crps']):.2f}", fontsize=11)
    fig.colorbar(image, ax=panels, label="rain (mm/day)", shrink=0.8, extend="both")
    titled(fig, "The largest errors: where storms hide within a cell")
    values = worst["crps"].values
    return fig, (
        f"The worst {count} snapshots, CRPS {values.min():.2f} to {values.max():.2f} mm/day; maps of what was "
        "given, truth, a member and the mean."
    )


def own_figure(coarse: xr.Dataset, fine: xr.DataArray, time: int = 0) -> Drawn:
    """Show own coarse rain and what the downscaler makes of it."""
    fig = Figure(figsize=(6.4, 2.9), layout="constrained")
    panels = fig.subplots(1, 3)
    given = coarse["pr"].values[time]
    fields = (("Given", given), ("A member", fine.values[0, time]), ("Mean", fine.values[:, time].mean(0)))
    for axes, (name, rain) in zip(panels, fields, strict=True):
        image = _map(axes, rain, name, 1.0)
    fig.colorbar(image, ax=panels, label="rain (mm/day)", shrink=0.8, extend="both")
    titled(fig, f"Own fields at {fine.shape[-1] // given.shape[-1]} times the resolution (AI-generated)")
    peak = fine.values[0, time].max() * DAY
    return fig, (
        f"Own coarse rain up to {given.max() * DAY:.0f} mm/day, and an AI-generated member up to {peak:.0f} "
        "mm/day; three maps."
    )
