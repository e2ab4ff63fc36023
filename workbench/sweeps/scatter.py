"""Plots of a metric over a parameter as plain SVG: legible on a phone, in the page's colours. Called by the page."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise
from typing import Any

from ..runs import plot
from .outcome import Outcome
from .table import shown
from .trend import MANY, groups, logarithmic, mean, numeric

#: Pixels of the drawing's field: its first and last line, and all with the axis.
_TOP, _BOTTOM, _HEIGHT = 52, 292, 344
#: Per cent of the width that stays free for the numbers beside the lines, and at the right.
_LEFT, _RIGHT = 20.0, 8.0
#: Pixels by which runs at the same value are moved aside, so that each is seen.
_ASIDE = 5
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Across:
    """The axis of a parameter: numbers, their logarithm, or choices side by side."""

    def __init__(self, values: list[Any]) -> None:
        self._choices = None if numeric(values) else sorted({shown(v) for v in values})
        self._log = self._choices is None and logarithmic(values)
        if self._choices is not None:
            self.ticks: list[tuple[float, str]] = [(i, c) for i, c in enumerate(self._choices)]
            self._low, self._high = -0.5, len(self._choices) - 0.5
            return
        if self._log:
            first, last = math.floor(math.log10(min(values)) + 1e-9), math.ceil(math.log10(max(values)) - 1e-9)
            step = math.ceil((last - first) / 6)
            self.ticks = [(n, "10" + str(n).translate(_RAISED)) for n in range(first, last + 1, step)]
            self._low, self._high = float(first), float(last)
        else:
            self.ticks = [(t, f"{t:.4g}") for t in plot.nice(min(values), max(values))]
            self._low, self._high = self.ticks[0][0], self.ticks[-1][0]

    def place(self, value: Any) -> float:
        """Return where a value of the parameter is, in per cent of the width."""
        if self._choices is not None:
            return self.at(self._choices.index(shown(value)))
        return self.at(math.log10(value) if self._log else value)

    def at(self, tick: float) -> float:
        """Return where a place of the axis is, in per cent of the width."""
        return _LEFT + (100 - _LEFT - _RIGHT) * (tick - self._low) / (self._high - self._low)


def scatter(outcome: Outcome, metric: str, name: str) -> str:
    """Return a plot: a dot for each run, a line through the means, a ring around the best."""
    pairs = outcome.values(metric, name)
    across = Across([x for x, _ in pairs])
    up = plot.nice(min(y for _, y in pairs), max(y for _, y in pairs))
    parts = [_line(y, up) for y in up] + [_tick(across.at(place), said) for place, said in across.ticks]
    at = groups((across.place(x), y) for x, y in pairs)
    for x, values in at.items():
        aside = [0.0] if len(values) == 1 else [_ASIDE * (2 * i / (len(values) - 1) - 1) for i in range(len(values))]
        parts += [_dot("run", x, _height(y, up), 5, shift) for y, shift in zip(values, aside, strict=True)]
    if len(at) <= MANY or len(at) < len(pairs):
        parts += _means(at, up, join=numeric(x for x, _ in pairs))
    parts += _best(outcome, metric, name, across, up)
    unit = outcome.metrics[metric]
    parts.append(f'<text class="axis" x="0" y="14">{escape(metric if unit == "1" else f"{metric} ({unit})")}</text>')
    middle = (100 + _LEFT - _RIGHT) / 2
    place = f'x="{middle}%" y="{_HEIGHT - 4}" text-anchor="middle"'
    parts.append(f'<text class="axis" {place}>{escape(outcome.label(name))}</text>')
    said = f"{metric} over {name}: {len(pairs)} runs, from {plot.short(min(y for _, y in pairs))}"
    said += f" to {plot.short(max(y for _, y in pairs))}"
    head = f'<svg role="img" width="100%" height="{_HEIGHT}" aria-label="{escape(said)}">'
    return "".join([head, *parts, "</svg>"])


def _height(value: float, up: list[float]) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * (value - up[0]) / (up[-1] - up[0])


def _line(value: float, up: list[float]) -> str:
    y = _height(value, up)
    line = f'<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="tick" x="0" y="{y - 4:.1f}">{value:.4g}</text>'


def _tick(x: float, said: str) -> str:
    line = f'<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="{_BOTTOM}" y2="{_BOTTOM + 6}"/>'
    return f'{line}<text class="tick" x="{x:.2f}%" y="{_BOTTOM + 22}" text-anchor="middle">{escape(said)}</text>'


def _dot(kind: str, x: float, y: float, radius: int, aside: float = 0) -> str:
    moved = f' transform="translate({aside:.1f},0)"' if aside else ""
    return f'<circle class="{kind}" cx="{x:.2f}%" cy="{y:.1f}" r="{radius}"{moved}/>'


def _means(at: dict[float, list[float]], up: list[float], join: bool) -> list[str]:
    points = [(x, _height(mean(values), up)) for x, values in at.items()]
    lines = [
        f'<line class="mean" x1="{x:.2f}%" y1="{y:.1f}" x2="{to:.2f}%" y2="{end:.1f}"/>'
        for (x, y), (to, end) in pairwise(points)
        if join
    ]
    return lines + [_dot("dot", x, y, 4) for x, y in points]


def _best(outcome: Outcome, metric: str, name: str, across: Across, up: list[float]) -> list[str]:
    """Put a ring around the best run, where the metric is the one that decides."""
    best, by = outcome.best, outcome.best_by
    if best is None or by is None or metric != by.metric or best.parameters.get(name) is None:
        return []
    x, y = across.place(best.parameters[name]), _height(best.metrics[metric] or 0, up)
    word = f'<text class="value" x="{x:.2f}%" y="{y + (28 if by.less else -16):.1f}" text-anchor="middle">best</text>'
    return [_dot("best", x, y, 10), word]
