"""Pictures of metrics as plain SVG: they need no library, follow the page's colours, keep their type on a phone.

Places across are in percent and type in pixels. Called by the evidence page.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from ...runs.plot import nice
from .methods import Measured, Row

#: Writes a number, given as Python writes it, as the reader's language does.
Decimal = Callable[[str], str]

#: Pixels of a row, of the space above the first, and below the last for the axis.
_ROW, _TOP, _AXIS = 48, 2, 30
#: Percent of the width that stay free on each side, for the labels of the outermost ticks.
_MARGIN = 4.0


def dots(drawn: Measured, said: str, decimal: Decimal) -> str:
    """Return a picture of one quantity: a row for each method, its name, a dot, its interval where there is one.

    Parameters
    ----------
    said : str
        The text alternative: what a reader would see in it.
    """
    low, high = _range(drawn)
    ticks = nice(low, high)
    height = _TOP + _ROW * len(drawn.rows)
    parts = [_tick(t, _across(t, ticks), height, decimal) for t in ticks]
    for number, row in enumerate(drawn.rows):
        parts.append(_row(row, written(drawn, row.value, decimal), _TOP + _ROW * number, ticks))
    head = f'<svg class="dots" role="img" width="100%" height="{height + _AXIS}" aria-label="{escape(said)}">'
    return "".join([head, *parts, "</svg>"])


def written(drawn: Measured, value: float, decimal: Decimal) -> str:
    """Write a value with as many digits after the point as all of the picture: the largest has three that count."""
    largest = max(abs(row.value) for row in drawn.rows)
    if not 1e-6 < largest < 1e6:
        return decimal(f"{value:.3g}")
    return decimal(f"{value:.{max(0, 2 - math.floor(math.log10(largest)))}f}")


def _range(drawn: Measured) -> tuple[float, float]:
    """Return what the axis has to reach; from zero where that costs little room."""
    low, high = min(row.reach[0] for row in drawn.rows), max(row.reach[1] for row in drawn.rows)
    return (0.0, high) if 0 < low < 0.6 * high else (low, high)


def _across(value: float, ticks: list[float]) -> float:
    return _MARGIN + (100 - 2 * _MARGIN) * (value - ticks[0]) / (ticks[-1] - ticks[0])


def _tick(value: float, place: float, height: int, decimal: Decimal) -> str:
    line = f'<line class="grid" x1="{place:.2f}%" x2="{place:.2f}%" y1="{_TOP + 18}" y2="{height}"/>'
    number = decimal(f"{0 if math.isclose(value, 0, abs_tol=1e-12) else value:.6g}")
    return f'{line}<text class="tick" x="{place:.2f}%" y="{height + 20}" text-anchor="middle">{escape(number)}</text>'


def _row(row: Row, number: str, top: float, ticks: list[float]) -> str:
    kind, x, y = "own" if row.own else "other", _across(row.value, ticks), top + 28
    name = f'<text class="method" x="0" y="{top + 15}">{escape(row.method)}</text>'
    value = f'<text class="value" x="100%" y="{top + 15}" text-anchor="end">{escape(number)}</text>'
    base = f'<line class="base" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
    span = ""
    if row.low is not None and row.high is not None:
        ends = f'x1="{_across(row.low, ticks):.2f}%" x2="{_across(row.high, ticks):.2f}%"'
        span = f'<line class="span" {ends} y1="{y}" y2="{y}"/>'
    dot = f'<circle class="dot" cx="{x:.2f}%" cy="{y}" r="{7 if row.own else 5}"/>'
    return f'<g class="{kind}">{base}{span}{dot}{name}{value}</g>'
