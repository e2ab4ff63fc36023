"""Runs side by side: where their parameters differ, and what came of it. For the command line and for notebooks."""

from __future__ import annotations

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from .record import Record

#: Runs that fit side by side.
FEWEST, MOST = 2, 10

Summary = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two to ten runs, called A, B, C … in the order in which they were named.

    Attributes
    ----------
    records : list of Record
        The runs.
    runs : list of dict
        Their summaries.
    """

    records: list[Record]
    runs: list[Summary]

    @property
    def letters(self) -> str:
        """What the runs are called here."""
        return string.ascii_uppercase[: len(self.runs)]

    @property
    def differing(self) -> dict[str, list[Any]]:
        """Parameters that are not the same in all runs: their values, ``None`` also where a run has no such one."""
        return {n: v for n, v in self._parameters().items() if not _same(v)}

    @property
    def same(self) -> dict[str, Any]:
        """Parameters that are the same in all runs."""
        return {n: v[0] for n, v in self._parameters().items() if _same(v)}

    def _parameters(self) -> dict[str, list[Any]]:
        names = dict.fromkeys(name for run in self.runs for name in run["parameters"])
        return {name: [run["parameters"].get(name) for run in self.runs] for name in names}

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Metrics by name: ``unit``, and ``values`` of the runs, ``None`` where it is undefined or there is none."""
        each = [record.metrics for record in self.records]
        names = dict.fromkeys(name for metrics in each for name in metrics)
        found = {}
        for name in names:
            units = [m[name]["unit"] for m in each if name in m]
            unit = units[0] if len(set(units)) == 1 else " or ".join(dict.fromkeys(units))
            found[name] = {"unit": unit, "values": [m.get(name, {}).get("value") for m in each]}
        return found

    def about(self) -> dict[str, Any]:
        """Return all of it, for scripts."""
        runs = [{"letter": letter, **run} for letter, run in zip(self.letters, self.runs, strict=True)]
        return {"runs": runs, "differing": self.differing, "same": self.same, "metrics": self.metrics}

    def tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Return first heading, further headings and rows of the tables that a terminal shows."""
        runs = [[letter, r["id"], r["status"], r["target"] or "", _seconds(r["duration"])]
                for letter, r in zip(self.letters, self.runs, strict=True)]  # fmt: skip
        shown = [("", ["run", "status", "target", "time"], runs)]
        if self.differing:
            rows = [[name, *map(_value, values)] for name, values in self.differing.items()]
            shown.append(("parameter", list(self.letters), rows))
        if metrics := self.metrics:
            rows = [[n, m["unit"], *map(_number, m["values"])] for n, m in metrics.items()]
            shown.append(("metric", ["unit", *self.letters], rows))
        return shown

    def _repr_html_(self) -> str:
        """Show the comparison in a notebook."""
        from .view import comparison

        return comparison(self).fragment


def compare(runs: Sequence[Record | str | Path]) -> Comparison:
    """Compare two to ten runs.

    Parameters
    ----------
    runs : sequence of Record, str or Path
        Records, or what ``genai4eu runs show`` takes: ids, beginnings or ends of ids, folders.

    Returns
    -------
    Comparison
        A notebook shows it as tables, plots and figures side by side.

    Raises
    ------
    WorkbenchError
        For fewer or more runs, one named twice, or one that is unknown or damaged.
    """
    from .store import find

    if isinstance(runs, str | Path | Record):
        raise WorkbenchError(f"one run alone cannot be compared: give a list, such as [{str(runs)!r}, 'latest~1']")
    if not FEWEST <= len(runs) <= MOST:
        raise WorkbenchError(f"two to ten runs can be compared, not {len(runs)}")
    records = [run if isinstance(run, Record) else find(str(run)) for run in runs]
    for number, record in enumerate(records):
        if record in records[:number]:
            raise WorkbenchError(f"run {record.id} is named twice")
    return Comparison(records, [record.summary() for record in records])


def _same(values: list[Any]) -> bool:
    return len({json.dumps(value, sort_keys=True) for value in values}) == 1


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _seconds(duration: float | None) -> str:
    return "" if duration is None else f"{duration:.0f} s"
