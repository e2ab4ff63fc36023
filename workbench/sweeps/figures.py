"""The figures of a sweep: each metric over each parameter that was studied. Called by the cells of the summary.

Every run is a dot. Where several runs share a value, a line joins their means and bars go from the least to the
greatest: the spread over seeds and over the other parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import WorkbenchError
from .outcome import Outcome
from .table import shown
from .trend import MANY, groups, logarithmic, mean, numeric, strength, trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Panels of one figure, and its metrics: more are in the table.
PANELS, METRICS = 4, 4
_DOT, _LINE, _BEST = "#6b7a90", "#0b3d91", "#c2410c"


def can_draw() -> bool:
    """Tell whether matplotlib is here: the light installation has none."""
    import importlib.util

    return importlib.util.find_spec("matplotlib") is not None


def plot(outcome: Outcome, metric: str) -> None:
    """Show one metric over the parameters that were studied, in a notebook.

    Raises
    ------
    WorkbenchError
        If no run has it.
    """
    import matplotlib.pyplot as plt

    from genai4eu.widgets.figures import figure, use_style

    names = [n for n in outcome.studied if outcome.values(metric, n)][:PANELS]
    if not names:
        raise WorkbenchError(f"no completed run has {metric} and a parameter that differs")
    use_style()
    fig, axes = plt.subplots(1, len(names), figsize=(min(4.2 * len(names), 12) + 1, 3.6), sharey=True, squeeze=False)
    for ax, name in zip(axes[0], names, strict=True):
        _panel(ax, outcome, metric, name)
    axes[0][0].set_title("dot: run · line: mean · bar: least to greatest", loc="left", fontsize=9, fontweight="normal")
    axes[0][0].set_ylabel(outcome.label(metric, outcome.metrics[metric]))
    values = [y for _, y in outcome.values(metric, names[0])]
    alt = (
        f"{outcome.finding}. {metric} over {', '.join(names)}: a dot for each of {len(values)} runs, "
        f"from {min(values):.3g} to {max(values):.3g}."
    )
    figure(fig, alt, _title(outcome, metric, names))


def _title(outcome: Outcome, metric: str, names: list[str]) -> str:
    """Return the finding: on which parameter the metric depends most, by the means at its values."""
    name = max(names, key=lambda n: strength(outcome, metric, n))
    most = "depends most on" if len(names) > 1 else "over"
    return f"{metric} {most} {name}: {trend(outcome, metric, name)}"


def _panel(ax: Axes, outcome: Outcome, metric: str, name: str) -> None:
    """Draw one metric over one parameter."""
    pairs = outcome.values(metric, name)
    numbers = numeric(x for x, _ in pairs)
    places = {} if numbers else {shown(x): i for i, x in enumerate(sorted({shown(x) for x, _ in pairs}))}
    points = [(x if numbers else places[shown(x)], y) for x, y in pairs]
    ax.plot(*zip(*points, strict=True), "o", ms=4, color=_DOT, alpha=0.5, mew=0, zorder=2)
    found = groups(points)
    if len(found) < len(points) or len(found) <= MANY:
        _means(ax, found, join=numbers)
    _mark_best(ax, outcome, metric, name, places)
    ax.set_xlabel(outcome.label(name))
    if places:
        ax.set_xticks(list(places.values()), list(places))
        ax.set_xlim(-0.5, len(places) - 0.5)
    elif logarithmic(list(found)):
        ax.set_xscale("log")
    elif all(float(x).is_integer() for x in found) and len(found) <= 8:
        ax.set_xticks(list(found))


def _means(ax: Axes, found: dict[Any, list[float]], join: bool) -> None:
    """Draw the mean at each value, with a bar from the least to the greatest."""
    order = list(found)
    if max(map(len, found.values())) > 1:
        for x in order:
            ax.plot([x, x], [min(found[x]), max(found[x])], color=_LINE, lw=1.2, zorder=3)
    ax.plot(order, [mean(found[x]) for x in order], "o-" if join else "o", color=_LINE, ms=4.5, lw=1.6, zorder=4)


def _mark_best(ax: Axes, outcome: Outcome, metric: str, name: str, places: dict[str, int]) -> None:
    """Put a ring around the best run, where the metric is the one that decides."""
    best, by = outcome.best, outcome.best_by
    if best is None or by is None or metric != by.metric:
        return
    value = best.parameters.get(name)
    x: Any = places[shown(value)] if places else value
    y: Any = best.metrics[metric]
    ax.plot([x], [y], "o", ms=10, mfc="none", mec=_BEST, mew=1.6, zorder=5)
    away, side = (-9, "top") if by.less else (9, "bottom")
    text: dict[str, Any] = {"ha": "center", "va": side, "color": _BEST, "fontweight": "bold", "zorder": 5}
    ax.annotate("best", (x, y), xytext=(0, away), textcoords="offset points", **text)
    ax.margins(y=0.16)
