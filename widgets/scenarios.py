"""Tables of scenarios as what a board draws: rows, bars, points of a frontier, and a sentence. Called by the board."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Columns by name; a ``pandas.DataFrame`` will do.
Table = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a scenario leads to.

    Parameters
    ----------
    label : str
        Name a visitor understands.
    unit : str
        Unit symbol, empty for a dimensionless number.
    digits : int
        Digits after the point that its uncertainty supports.
    """

    label: str
    unit: str = ""
    digits: int = 0

    @property
    def named(self) -> str:
        """Label and unit, as an axis has them."""
        return f"{self.label} [{self.unit or '1'}]"

    def number(self, value: float) -> str:
        """Return ``"1,980"``; nothing is minus zero."""
        return f"{round(value, self.digits) + 0.0:,.{self.digits}f}"

    def spread(self, low: float, high: float) -> str:
        """Return ``"1,200 to 2,600"``, or nothing where both ends read the same."""
        ends = self.number(low), self.number(high)
        return " to ".join(ends) if ends[0] != ends[1] else ""

    def text(self, value: float) -> str:
        """Return ``"1,980 €/ha"``."""
        return f"{self.number(value)} {self.unit}".strip()


def rows(
    table: Table, settings: Mapping[str, Any], along: str, outcomes: Mapping[str, Outcome]
) -> list[dict[str, Any]]:
    """Return the scenarios that agree with ``settings``, ordered by ``along``, each as a plain mapping.

    Raises
    ------
    ValueError
        If a column is missing, columns differ in length, nothing agrees, or an outcome or its spread is no number.
    """
    names = [str(name) for name in table]
    missing = [name for name in (along, *outcomes) if name not in names]
    if missing:
        raise ValueError(f"the table of scenarios has no column {missing[0]!r}, only {', '.join(names)}")
    columns = {name: [_plain(v) for v in table[name]] for name in names}
    if len({len(column) for column in columns.values()}) != 1:
        raise ValueError("the columns of the table of scenarios differ in length: give one value a scenario")
    every = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    found = [r for r in every if all(r[n] == v for n, v in settings.items() if n != along and n in r)]
    if not found:
        raise ValueError("no scenario is known for these settings.")
    found = sorted({r[along]: r for r in found}.values(), key=lambda r: r[along])
    for row in found:
        for name in outcomes:
            low, value, high = span(row, name)
            # a mean may lie outside of percentiles, so it is not asked to lie between them
            if not (math.isfinite(value) and -math.inf < low <= high < math.inf):
                raise ValueError(f"{name} is {value:g}, and its spread goes from {low:g} to {high:g}: check the table")
    return found


def _plain(value: Any) -> Any:
    """Return a numpy scalar as Python's own number, which a browser understands."""
    return value.item() if hasattr(value, "item") else value


def span(row: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    """Return low end, value and high end of an outcome; without a spread all are the value."""
    value = float(row[name])
    return float(row.get(f"{name}_low", value)), value, float(row.get(f"{name}_high", value))


def bars(found: list[dict[str, Any]], chosen: int, outcomes: Mapping[str, Outcome]) -> list[dict[str, Any]]:
    """Return a bar for each outcome of the chosen scenario, on a scale that holds all scenarios and zero."""
    made = []
    for name, outcome in outcomes.items():
        spans = [span(row, name) for row in found]
        low, value, high = spans[chosen]
        made.append(
            {"label": outcome.label, "text": outcome.text(value), "value": value, "low": low, "high": high,
             "spread": outcome.spread(low, high),
             "from": min(0.0, *(s[0] for s in spans)), "to": max(0.0, *(s[2] for s in spans)) or 1.0}
        )  # fmt: skip
    return made


def frontier(found: list[dict[str, Any]], x: str, y: str, outcomes: Mapping[str, Outcome]) -> list[dict[str, Any]]:
    """Return a point for each scenario: place, spread of the vertical outcome, and words."""
    made = []
    for row in found:
        low, value, high = span(row, y)
        words = f"{outcomes[x].text(float(row[x]))}, {outcomes[y].text(value)}"
        made.append({"x": float(row[x]), "y": value, "low": low, "high": high, "text": words})
    return made


def sentence(named: str, row: Mapping[str, Any], outcomes: Mapping[str, Outcome], spreads: bool = True) -> str:
    """Return the outcomes of a scenario in words, with their spread where that is asked for."""
    parts = []
    for name, outcome in outcomes.items():
        low, value, high = span(row, name)
        spread = outcome.spread(low, high) if spreads else ""
        parts.append(f"{outcome.label.lower()} {outcome.text(value)}{spread and f' ({spread})'}")
    return f"{named}: {', '.join(parts)}."
