"""The table of runs: the widget shows, sorts and compares, this says what runs there are. For notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .errors import WorkbenchError
from .runs.context import before_visitors
from .runs.record import Record

if TYPE_CHECKING:
    from genai4eu.widgets import RunTable

#: What a table shows of a run's summary.
_KEPT = ("id", "template", "title", "status", "target", "started", "duration", "error", "parameters", "metrics",
         "units")  # fmt: skip


def table(
    template: str | None = None,
    compare: Sequence[Record | str] = (),
    columns: Sequence[str] | None = None,
    words: Mapping[str, str] | None = None,
) -> RunTable:
    """Show the runs below ``GENAI4EU_RUNS``: to sort, to sift, and two to ten of them side by side.

    Parameters
    ----------
    template : str, optional
        Only runs of this template or notebook.
    compare : sequence of Record or str
        Runs that are side by side at first: records, or what ``genai4eu runs show`` takes.
    columns : sequence of str, optional
        Metrics and parameters that are columns at first: ``"metric:dice"``, ``"parameter:seed"``.
    words : mapping of str to str, optional
        The widget's words in another language.

    Returns
    -------
    RunTable
        A widget; its ``chosen`` are the ids of the runs that a person chose, as ``genai4eu.compare`` takes them.

    Raises
    ------
    WorkbenchError
        For an unknown run, or one that is not in the table.
    """
    from genai4eu.widgets import RunTable

    from .runs.store import find

    if before_visitors():  # the page shows it as it was recorded
        return RunTable([], words=words)
    chosen = [run.id if isinstance(run, Record) else find(run).id for run in compare]
    found = _summaries(template)
    try:
        made = RunTable(
            [_row(s) for s in found], directions(found), columns, chosen, show=_record, words=words,
            refresh=lambda: [_row(s) for s in _summaries(template)],
        )  # fmt: skip
    except ValueError as error:
        raise WorkbenchError(str(error)) from None
    made.workbench = True
    return made


def _summaries(template: str | None) -> list[dict[str, Any]]:
    from .runs.store import summaries

    return [s for s in summaries() if template in (None, s["template"])]


def _row(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: summary[key] for key in _KEPT}


def directions(found: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return which way metrics are better, of those whose runs say so and agree."""
    said: dict[str, set[str]] = {}
    for summary in found:
        for name, way in summary["better"].items():
            said.setdefault(name, set()).add(way)
    return {name: {"better": next(iter(ways))} for name, ways in said.items() if ways in ({"higher"}, {"lower"})}


def _record(name: str) -> str:
    """Return the record of a run as a notebook shows it, and how to see all of it."""
    from .runs.store import find
    from .runs.view import page

    order = html.escape(f"genai4eu runs open {name}")
    return f"{page(find(name), brief=True).fragment}<p>All of it, in a terminal: <code>{order}</code></p>"
