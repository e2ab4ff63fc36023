"""Figures of the study and the dashboard, each with its alternative text. Called by the template.

Every function returns ``(Figure, alt)``. Colours are Okabe and Ito's, safe for colour-blind readers; shapes and labels
say the same.
"""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .evaluate import crps_table
from .report import finding, policy
from .statistics import GOAL, RAINY, STATISTICS, spells
from .weather import MONTH, Array, monthly

Drawn = tuple[Figure, str]
PHONE = (5.0, 4.2)  # inches; the dashboard's figures are small, so that their words can be read on a phone
#: Colour and shape of what is drawn.
LOOKS = {
    "record": ("#000000", "s"),
    "flow": ("#0072B2", "o"),
    "flow, not calibrated": ("#56B4E9", "v"),
    "WGEN": ("#D55E00", "D"),
    "year bootstrap": ("#009E73", "^"),
    "LARS-WG": ("#CC79A7", "P"),
}
NAMES = {
    "p99": "rain, 99th percentile\nof wet days",
    "dry_spell": "dry spells, mean",
    "wet_spell": "wet spells, mean",
    "monthly_sd": "rain of a month,\nsd between years",
    "annual_sd": "rain of a year,\nsd between years",
}


def _titled(fig: Figure, text: str, width: int = 58, size: float = 13) -> None:
    fig.suptitle(fill(text, width), x=0.01, ha="left", fontweight="bold", fontsize=size)


def station_figure(weather: xr.Dataset) -> Drawn:
    """Show how dry and wet the years of the record are, and when the water is missing."""
    fig = Figure(figsize=(6.4, 3.0), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(3, 2))
    rain, et0 = weather["rain"].values, weather["et0"].values
    total = rain.sum(1)
    left.bar(
        weather["year"].values, total, color=["#D55E00" if t < np.percentile(total, 20) else "#0072B2" for t in total]
    )
    left.set(xlabel="year", ylabel="rain [mm/year]")
    months = np.arange(12)
    for values, colour, name in ((monthly(rain), "#0072B2", "rain"), (monthly(et0), "#D55E00", "ET0")):
        low, high = np.percentile(values, [10, 90], axis=0)
        right.fill_between(months, low, high, color=colour, alpha=0.2, linewidth=0)
        right.plot(months, values.mean(0), color=colour)
        right.annotate(name, (6, values.mean(0)[6]), xytext=(0, 6), textcoords="offset points", color=colour)
    right.set(xticks=months[::2], xticklabels=list("JMMJSN"), ylabel="[mm/month]", xlabel="month")
    years = f"{int(weather['year'].min())}-{int(weather['year'].max())}"
    driest, wettest = total.min(), total.max()
    _titled(fig, f"A wet year has {wettest / driest:.1f} times the rain of a dry one; summer lacks water in all")
    return fig, (
        f"Rain of a year ranges from {driest:.0f} to {wettest:.0f} mm, the driest fifth in orange; bars for {years}, "
        "and mean rain and reference evapotranspiration by month with bands from the 10th to the 90th percentile."
    )


def years_figure(weather: xr.Dataset, drawn: xr.Dataset) -> Drawn:
    """Show a recorded year beside drawn ones: daily rain of the growing season, dry and wet."""
    season = (MONTH >= 3) & (MONTH <= 9)
    fig = Figure(figsize=(6.4, 3.4), layout="constrained")
    panels = fig.subplots(3, 1, sharex=True, sharey=True)
    order = np.argsort(drawn["rain"].values.sum(1))
    picked = [("recorded", weather["rain"].values[-1])]
    picked += [
        (f"drawn, {w}", drawn["rain"].values[order[i]])
        for w, i in (("dry", len(order) // 10), ("wet", -1 - len(order) // 10))
    ]
    for axes, (name, rain) in zip(panels, picked, strict=True):
        colour = LOOKS["record" if name == "recorded" else "flow"][0]
        axes.vlines(np.flatnonzero(season) + 1, 0, rain[season], color=colour, linewidth=1.2)
        axes.annotate(
            f"{name}: {rain.sum():.0f} mm/year", (0.01, 0.8), xycoords="axes fraction", color=colour, fontweight="bold"
        )
    panels[1].set_ylabel("rain [mm/day]")
    panels[2].set(xlabel="day of the year [day]", ylim=(0, None))
    _titled(fig, "Years that never were (AI-generated) look like years that were")
    return (
        fig,
        "Drawn dry and wet years have showers and dry spells like a recorded one; daily rain from April to October.",
    )


def weather_figure(table: pd.DataFrame) -> Drawn:
    """Show every method's statistics of the goal as ratios to the record, with the record's own uncertainty."""
    methods = [m for m in table.columns[3:] if m != "year bootstrap"]
    fig = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = fig.subplots()
    axes.axvspan(0.9, 1.1, color="#eef2f5", zorder=0)
    axes.axvline(1, color="#7a8794", linewidth=1)
    for i, name in enumerate(GOAL):
        truth, low, high = (table.loc[name, c] for c in ("record", "low", "high"))
        axes.plot([low / truth, high / truth], [i + 0.38] * 2, color="#7a8794", linewidth=3, solid_capstyle="butt")
        for k, method in enumerate(methods):
            colour, shape = LOOKS.get(method, ("#000000", "o"))
            height = i + 0.24 - 0.6 * k / max(1, len(methods) - 1)
            axes.plot(table.loc[name, method] / truth, height, shape, color=colour, label=method if i == 0 else None)
    axes.set_yticks(range(len(GOAL)), [NAMES[n] for n in GOAL])
    axes.set(xlabel="ratio to the record [1] (grey bar: its 95 % interval)", ylim=(-0.6, len(GOAL) - 0.4))
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    worst = max(GOAL, key=lambda n: abs(table.loc[n, "flow"] / table.loc[n, "record"] - 1))
    ratio = table.loc[worst, "flow"] / table.loc[worst, "record"]
    said = (
        "gives back all five statistics within a tenth"
        if abs(ratio - 1) <= 0.1
        else "misses a statistic by more than a tenth"
    )
    title = f"The flow {said} of the record (worst: {STATISTICS[worst][1].split(',')[0]} × {ratio:.2f})"
    _titled(fig, title)
    cells = "; ".join(
        f"{n} " + ", ".join(f"{m} {table.loc[n, m] / table.loc[n, 'record']:.2f}" for m in methods) for n in GOAL
    )
    return fig, f"{title}; dots of ratios, 1 is the record: {cells}."


def yields_figure(yields: xr.Dataset) -> Drawn:
    """Show the CRPS of rainfed yield by method, with the paired interval of the difference to the flow."""
    table = crps_table(yields)
    others = [m for m in table.index if m != "flow"]
    fig = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = fig.subplots()
    axes.axvline(0, color="#7a8794", linewidth=1)
    for i, method in enumerate(others):
        gain, low, high = (table.loc[method, c] for c in ("flow is lower by [%]", "low", "high"))
        colour, shape = LOOKS[method]
        axes.errorbar(gain, i, xerr=[[gain - low], [high - gain]], fmt=shape, color=colour)
    axes.set_yticks(range(len(others)), [f"against {m}" for m in others])
    axes.set(
        xlabel="CRPS of the flow is lower by [%], mean and 95 % interval over years", ylim=(-0.6, len(others) - 0.4)
    )
    gains = {m: float(table.loc[m, "flow is lower by [%]"]) for m in others}
    said = [f"{abs(g):.1f} % {'better' if g > 0 else 'worse'} than {m}" for m, g in gains.items()]
    title = f"Rainfed yield foreseen by the flow: {' and '.join(said)} (CRPS)"
    _titled(fig, title)
    return fig, f"{title}; dots with 95 % bootstrap intervals over held-out years, right of 0 is better than the rival."


def decision_figure(decision: xr.Dataset, chosen: pd.DataFrame) -> Drawn:
    """Show yield against water: the drawn frontier with its risk band, and what policies got on held-out years."""
    fig = Figure(figsize=PHONE, layout="constrained")
    axes = fig.subplots()
    water = decision["drawn_irrigation"].values
    colours: dict[str, Any] = {"color": "#0072B2", "alpha": 0.15, "linewidth": 0}
    band = axes.fill_between(water, decision["drawn_low"], decision["drawn_high"], **colours)
    (line,) = axes.plot(water, decision["drawn_yield"], color="#0072B2")
    for w, y, t in zip(water, decision["drawn_yield"].values, decision["threshold"].values, strict=True):
        axes.annotate(
            f"{int(t)} %" if t else "rainfed",
            (w, y),
            xytext=(5, -15),  # below and to the right: the line rises and then runs level
            textcoords="offset points",
            fontsize=10,
            color="#0072B2",
        )
    marks = {"recommended": ("#0072B2", "o"), "weekly calendar": ("#D55E00", "D"), "tuned calendar": ("#E69F00", "s")}
    for name, (colour, shape) in marks.items():
        one = policy(decision, name)
        (x, ex), (y, ey) = (
            (float(v.mean()), 1.96 * float(v.std(ddof=1)) / np.sqrt(v.size)) for v in (one["irrigation"], one["yield"])
        )
        axes.errorbar(x, y, xerr=ex, yerr=ey, fmt=shape, color=colour, label=name, zorder=3)
    right = 1.1 * max(float(water.max()), axes.get_xlim()[1] / 1.05)  # whiskers and the last label stay inside
    axes.set(xlabel="irrigation of the season [mm]", ylabel="dry yield [t/ha]", xlim=(None, right), ylim=(0, None))
    axes.legend(loc="lower right", title="held-out years")
    line.set_label("drawn years")  # named beside them, so not in the legend; the figure's data tells them by it
    band.set_label("drawn years, 10th to 90th percentile")
    axes.annotate(
        "drawn years by threshold\n(band: 10th to 90th percentile)",
        (0.02, 0.03),
        xycoords="axes fraction",
        fontsize=10,
        color="#0072B2",
    )
    _titled(fig, finding(decision, chosen), 48)
    cells = "; ".join(
        f"{n} {float(one['irrigation'].mean()):.0f} mm, {float(one['yield'].mean()):.1f} t/ha"
        for n, one in ((n, policy(decision, n)) for n in marks)
    )
    return fig, (
        f"{finding(decision, chosen)} against a weekly calendar; yield against irrigation, a line with a risk band "
        f"for drawn years and points with 95 % intervals for held-out years: {cells}."
    )


def failures_figure(decision: xr.Dataset, count: int = 5) -> Drawn:
    """Show the held-out years in which the recommended threshold did worst against the weekly calendar."""
    mine, theirs = policy(decision, "recommended"), policy(decision, "weekly calendar")
    change = (mine["yield"] - theirs["yield"]).values
    worst = np.argsort(change)[:count]
    fig = Figure(figsize=(6.4, 2.8), layout="constrained")
    left, right = fig.subplots(1, 2, sharey=True)
    names = [f"{int(decision['year'][i])}: {float(mine['rain'][i]):.0f} mm rain" for i in worst]
    water = (theirs["irrigation"] - mine["irrigation"]).values[worst]
    left.barh(range(len(worst)), change[worst], color="#D55E00")
    right.barh(range(len(worst)), water, color="#0072B2")
    left.set_yticks(range(len(worst)), names)
    left.invert_yaxis()
    left.set_xlabel("yield change [t/ha]")
    right.set_xlabel("water saved [mm]")
    lost, year = -float(change.min()), int(decision["year"][worst[0]])
    title = f"At worst the threshold costs {lost:.1f} t/ha, in {year}" if lost > 0.05 else "No year loses yield"
    title += " against the weekly calendar"
    _titled(fig, title)
    cells = "; ".join(
        f"{n}, {c:+.2f} t/ha, {w:.0f} mm saved" for n, c, w in zip(names, change[worst], water, strict=True)
    )
    return fig, f"{title}; bars of the {len(worst)} worst held-out years: {cells}."


def own_figure(weather: xr.Dataset, drawn: xr.Dataset) -> Drawn:
    """Show own weather beside years drawn for it: rain by year and dry spells."""
    fig = Figure(figsize=(6.4, 2.8), layout="constrained")
    left, right = fig.subplots(1, 2)
    dry = [spells(w["rain"].values >= RAINY, False) for w in (weather, drawn)]
    _steps(left, weather["rain"].values.sum(1), drawn["rain"].values.sum(1), "rain [mm/year]")
    _steps(right, dry[0], dry[1], "dry spell [day]")
    left.set_ylabel("share of years or spells [1]")
    left.legend(["own", "drawn"], loc="lower right")
    title = f"{drawn.sizes['year']} drawn years for {weather.attrs.get('source', 'own data')}"
    _titled(fig, title)
    means = (float(w["rain"].sum("day").mean()) for w in (weather, drawn))
    return fig, "{}; cumulative shares; mean rain of a year {:.0f} mm own, {:.0f} mm drawn.".format(title, *means)


def _steps(axes: Axes, own: Array, drawn: Array, label: str) -> None:
    for values, colour, style in ((own, "#000000", "-"), (drawn, "#0072B2", "--")):
        axes.plot(np.sort(values), (np.arange(len(values)) + 0.5) / len(values), style, color=colour)
    axes.set_xlabel(label)


def map_figure(cover: xr.DataArray) -> Drawn:
    """Show green canopy cover over a field, read from a satellite scene."""
    fig = Figure(figsize=(5.0, 4.2), layout="constrained")
    axes = fig.subplots()
    shown = axes.pcolormesh(cover["x"], cover["y"], cover.values, cmap="cividis", vmin=0, vmax=1, rasterized=True)
    fig.colorbar(shown, ax=axes, label="green canopy cover [1]")
    units = cover["x"].attrs.get("units", "")
    axes.set(xlabel=f"x [{units}]", ylabel=f"y [{units}]", aspect="equal")
    low, high = np.nanpercentile(cover.values, [10, 90])
    source = cover.attrs.get("source", "a scene")
    title = f"Canopy covers {100 * float(cover.mean()):.0f} % of the field, unevenly"
    _titled(fig, title, 40)
    return (
        fig,
        f"{title}: from {low:.2f} to {high:.2f} (10th to 90th percentile); map of {source}.",
    )


def answer_figure(board: dict[str, Any]) -> Drawn:
    """Show an answer as a page without scripts can: bars of the setting and the frontier; for :func:`.live.respond`."""
    fig = Figure(figsize=(PHONE[0], 5.0), layout="constrained")
    above, below = np.asarray(fig.subfigures(2, 1, height_ratios=(1, 3)))
    front, at = pd.DataFrame(board["table"]), board["at"]
    bars = (("yield", "dry yield [t/ha]"), ("irrigation", "irrigation [mm]"), ("margin", "margin [€/ha]"))
    for axes, (name, label) in zip(above.subplots(1, 3), bars, strict=True):
        off = [[max(0.0, at[name] - at[f"{name}_low"])], [max(0.0, at[f"{name}_high"] - at[name])]]
        axes.barh([0], [at[name]], xerr=off, color="#E0874A", height=0.6, error_kw={"linewidth": 2, "capsize": 4})
        axes.set(yticks=[], xlabel=label, xlim=(min(0.0, front[f"{name}_low"].min()), front[f"{name}_high"].max() or 1))
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=3)
    _frontier(below.subplots(), front, at)
    _titled(fig, str(board["title"]), 48, 12)
    return fig, str(board["alt"])


def _frontier(axes: Axes, front: pd.DataFrame, at: dict[str, float]) -> None:
    water = front["irrigation"]
    axes.fill_between(water, front["yield_low"], front["yield_high"], color="#0072B2", alpha=0.15, linewidth=0)
    axes.plot(water, front["yield"], "o-", color="#0072B2", markerfacecolor="white", markersize=5)
    axes.vlines(at["irrigation"], at["yield_low"], at["yield_high"], color="#D55E00", linewidth=2)
    axes.plot(at["irrigation"], at["yield"], "D", color="#D55E00", markersize=8, zorder=3)
    late = at["irrigation"] > water.max() / 2
    axes.annotate(
        "your setting", (at["irrigation"], at["yield_low"]), xytext=(-8 if late else 8, -14), color="#B35C00",
        textcoords="offset points", fontweight="bold", ha="right" if late else "left",
    )  # fmt: skip
    axes.set(xlabel="mean irrigation of the season [mm]", ylabel="dry yield [t/ha]", ylim=(0, None), xlim=(-5, None))
    words = "all thresholds; band and whiskers:\n10th to 90th percentile of years"
    axes.annotate(words, (0.02, 0.03), xycoords="axes fraction", fontsize=10, color="#0072B2")
