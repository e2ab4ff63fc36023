"""The page of a sweep that has ended, of the same kind as the pages of runs. Called by the summary."""

from __future__ import annotations

from typing import Any

from ..runs import view
from .figures import METRICS, PANELS
from .outcome import Outcome
from .scatter import scatter
from .table import span
from .trend import trend

#: Rows that the page shows; all are in ``points.csv``.
ROWS = 200


def page(outcome: Outcome, said: str) -> view.Page:
    """Return the page.

    Parameters
    ----------
    said : str
        How the sweep went, in a sentence or two.
    """
    info = outcome.sweep.info
    plots = [
        (f"{metric} over {name}: {trend(outcome, metric, name)}", scatter(outcome, metric, name))
        for metric in list(outcome.metrics)[:METRICS]
        for name in [n for n in outcome.studied if outcome.values(metric, n)][:PANELS]
    ]
    took = span(sum(state.duration or 0 for state in outcome.states))
    rows = outcome.ranked()
    values = {"info": info, "id": outcome.sweep.id, "finding": outcome.finding, "said": said, "plots": plots,
              "took": took, "heads": _heads(outcome), "rows": [list(_row(row).values()) for row in rows[:ROWS]],
              "more": max(0, len(rows) - ROWS)}  # fmt: skip
    return view.Page("summary", outcome.finding, view.render("sweep", **values))


def _heads(outcome: Outcome) -> list[str]:
    units = outcome.metrics
    heads = {n: outcome.label(n) for n in outcome.varied} | {m: outcome.label(m, unit) for m, unit in units.items()}
    return [heads.get(name, name.capitalize()) for name in outcome.rows()[0]]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"status": str(row["status"]).capitalize()}
