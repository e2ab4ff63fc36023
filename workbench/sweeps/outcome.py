"""What came of a sweep: its metrics over its parameters, the best run, a table. Called by the summary."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import catalogue
from ..errors import WorkbenchError
from ..parameters import Parameter
from .folder import State, Sweep
from .table import shown

#: Metrics of such a name are the better the smaller they are, unless somebody says otherwise.
_LESS = re.compile(
    r"loss|err|mse|mae|rmse|crps|fid|distance|divergence|deviation|bias|perplexity|time|energy|memory", re.I
)
#: A parameter of such a name makes replicates: it is averaged over, and its spread is drawn.
_REPLICATE = re.compile(r"seed|repeat|replicate|fold", re.I)


@dataclass(frozen=True)
class Best:
    """The metric that makes a run the best, and in which direction."""

    metric: str
    less: bool
    said: bool

    @property
    def words(self) -> str:
        """Say the direction, and how to ask for the other where nobody asked."""
        one, other, way = ("least", "greatest", "max") if self.less else ("greatest", "least", "min")
        more = "" if self.said else f"; --best {self.metric}:{way} asks for the {other}"
        return f"the {one} {self.metric}{more}"


@dataclass(frozen=True)
class Outcome:
    """The points of a sweep as they ended.

    Parameters
    ----------
    wish : str or None
        ``METRIC``, ``METRIC:min`` or ``METRIC:max``; the first metric, by its name's direction, where nothing is said.
    """

    sweep: Sweep
    states: list[State]
    wish: str | None = None

    @cached_property
    def completed(self) -> list[State]:
        """The points whose runs completed."""
        return [state for state in self.states if state.status == "completed"]

    @cached_property
    def varied(self) -> list[str]:
        """The parameters that differ among the points."""
        names: list[str] = self.sweep.info["varied"]
        return names

    @property
    def studied(self) -> list[str]:
        """The varied parameters that are no replicates; where there is nothing else, those."""
        return [n for n in self.varied if not _REPLICATE.search(n)] or self.varied

    @property
    def replicates(self) -> list[str]:
        """The varied parameters that are averaged over."""
        return [n for n in self.varied if n not in self.studied]

    @cached_property
    def metrics(self) -> dict[str, str]:
        """The units of all metrics, by name, the one that decides first."""
        units: dict[str, str] = {}
        for state in self.completed:
            if not state.metrics.keys() <= units.keys():
                found = self.sweep.record(str(state.run)).metrics
                units |= {name: metric["unit"] for name, metric in found.items()}
        first = self.best_by.metric if self.best_by else None
        return dict(sorted(units.items(), key=lambda item: item[0] != first))

    @cached_property
    def best_by(self) -> Best | None:
        """What makes a run the best; None where no run has a metric.

        Raises
        ------
        WorkbenchError
            If no run has the metric that was asked for.
        """
        names = list(dict.fromkeys(name for state in self.completed for name in state.metrics))
        wish, _, direction = (self.wish or "").partition(":")
        if not names:
            return None
        if wish and wish not in names:
            raise WorkbenchError(f"--best {wish}: no run has that metric, they have {', '.join(names)}")
        if direction not in ("", "min", "max"):
            raise WorkbenchError(f"--best {self.wish}: the direction is min or max")
        name = wish or names[0]
        less = direction == "min" if direction else _LESS.search(name) is not None
        return Best(name, less, bool(direction))

    @property
    def best(self) -> State | None:
        """The best completed point."""
        if self.best_by is None:
            return None
        with_value = [s for s in self.completed if _number(s.metrics.get(self.best_by.metric)) is not None]
        sign = 1 if self.best_by.less else -1
        return min(with_value, key=lambda s: sign * (s.metrics[self.best_by.metric] or 0), default=None)  # type: ignore[union-attr]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """What the notebook declares of its parameters."""
        content = (self.sweep.folder / "input.ipynb").read_bytes()
        return catalogue.Source(self.sweep.info["template"], content, None, None).schema.parameters

    def label(self, name: str, unit: str | None = None) -> str:
        """Return a parameter or metric with its unit, as an axis has it."""
        unit = unit if unit is not None else (self.parameters[name].unit if name in self.parameters else None)
        return f"{name} [{unit}]" if unit and unit != "1" else name

    @property
    def finding(self) -> str:
        """Say in a sentence what the sweep found."""
        best, by = self.best, self.best_by
        if best is None or by is None:
            return f"{len(self.completed)} of {len(self.states)} runs completed; none has a metric"
        unit = self.metrics[by.metric]
        amount = shown(best.metrics[by.metric]) if unit == "1" else f"{shown(best.metrics[by.metric])} {unit}"
        where = ", ".join(f"{n} = {shown(best.parameters.get(n))}" for n in self.varied)
        return f"The best {by.metric} is {_rounded(amount)}" + (f", at {where}" if where else "")

    def values(self, metric: str, name: str) -> list[tuple[Any, float]]:
        """Return parameter and metric of every completed point that has both."""
        pairs = [(s.parameters.get(name), _number(s.metrics.get(metric))) for s in self.completed]
        return [(x, y) for x, y in pairs if x is not None and y is not None]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each point: values, how it ended, metrics."""
        return [
            {
                "point": s.index,
                **{n: s.parameters.get(n) for n in self.varied},
                "status": s.status,
                **{m: s.metrics.get(m) for m in self.metrics},
                "seconds": s.duration,
                "run": s.run,
            }
            for s in self.states
        ]

    def ranked(self) -> list[dict[str, Any]]:
        """Return all rows, the best first; those without a value come last."""
        if self.best is None or (by := self.best_by) is None:
            return self.rows()
        sign = 1 if by.less else -1
        return sorted(self.rows(), key=lambda row: (_number(row[by.metric]) is None, sign * (row[by.metric] or 0)))

    def csv(self) -> str:
        """Return all rows as comma-separated values."""
        text = io.StringIO()
        rows = self.rows()
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _rounded(text: str) -> str:
    """Return a number with no more digits than a sentence needs."""
    number, _, unit = text.partition(" ")
    return " ".join(filter(None, [f"{float(number):.3g}", unit]))
