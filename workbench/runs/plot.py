"""Plots of metrics as plain SVG: they need no library, follow the page's colours, and keep their type on a phone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

#: Pixels between two rows, above the first, and below the last for the axis.
_ROW, _TOP, _AXIS = 30, 14, 46
#: Part of the width that stays free on each side, for the labels of the outermost points.
_MARGIN = 12.0


def dots(name: str, unit: str, letters: Sequence[str], values: Sequence[float | None]) -> str:
    """Return a plot of one metric: a row for each run, a dot at its value, the value beside it.

    Places across are in percent and type in pixels, so that it is as legible on a phone as on a screen.

    Parameters
    ----------
    unit : str
        Unit symbol, ``"1"`` for a number without dimension.
    values : sequence of float or None
        One for each letter; None where it is undefined.
    """
    known = [v for v in values if v is not None]
    ticks = nice(min(known), max(known)) if known else []
    low, high = (ticks[0], ticks[-1]) if ticks else (0.0, 1.0)
    height = _TOP + _ROW * len(letters)
    parts = [_tick(t, _place(t, low, high), height, step=ticks[1] - ticks[0]) for t in ticks]
    for number, (letter, value) in enumerate(zip(letters, values, strict=True)):
        parts.append(_row(letter, value, _TOP + _ROW * (number + 0.5), low, high))
    axis = f'<text class="axis" x="50%" y="{height + 40}" text-anchor="middle">{escape(label(name, unit))}</text>'
    said = ", ".join(f"{x} {short(v)}" for x, v in zip(letters, values, strict=True))
    head = f'<svg role="img" width="100%" height="{height + _AXIS}" aria-label="{escape(label(name, unit))}: {said}">'
    return "".join([head, *parts, axis, "</svg>"])


def label(name: str, unit: str) -> str:
    """Return what an axis says."""
    return f"{name} (dimensionless)" if unit == "1" else f"{name} ({unit})"


def short(value: float | None) -> str:
    """Return a value with no more digits than it is read with."""
    return "undefined" if value is None else f"{value:.4g}"


def nice(low: float, high: float) -> list[float]:
    """Return three to six round values that reach from below ``low`` to above ``high``."""
    if low == high:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, last + 1)]


def _place(value: float, low: float, high: float) -> float:
    return _MARGIN + (100 - 2 * _MARGIN) * (value - low) / (high - low)


def _tick(value: float, place: float, height: int, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step) + 1e-9) + (f"{step:e}"[2] == "5" and f"{step:e}"[0] == "2"))
    said = f"{value:.{digits}f}" if 1e-4 < step < 1e6 else f"{value:.3g}"
    line = f'<line class="grid" x1="{place:.2f}%" x2="{place:.2f}%" y1="6" y2="{height}"/>'
    return f'{line}<text class="tick" x="{place:.2f}%" y="{height + 18}" text-anchor="middle">{said}</text>'


def _row(letter: str, value: float | None, y: float, low: float, high: float) -> str:
    name = f'<text class="letter" x="0" y="{y + 5}">{letter}</text>'
    if value is None:
        return f'{name}<text class="tick" x="{_MARGIN}%" dx="8" y="{y + 5}">undefined</text>'
    x = _place(value, low, high)
    side, shift = ("start", 12) if x < 60 else ("end", -12)
    dot = f'<circle class="dot" cx="{x:.2f}%" cy="{y}" r="6"/>'
    place = f'x="{x:.2f}%" dx="{shift}" y="{y + 5}" text-anchor="{side}"'
    return f'{name}{dot}<text class="value" {place}>{short(value)}</text>'
