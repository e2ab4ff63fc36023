"""Which runs to list: by template, status, parameter, metric and date. Called by the command line."""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import WorkbenchError
from .status import FINAL

Summary = dict[str, Any]

_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\s*([^<>=!]+?)\s*(<=|>=|!=|==|=|<|>)\s*(.*?)\s*", re.DOTALL)
#: How a person may ask for a metric that is undefined.
_UNDEFINED = ("null", "None", "none")
_SPAN = re.compile(r"(\d+)\s*([mhdw])")
_SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Condition:
    """One demand on a named value: ``epochs=20``, ``dice>0.8``."""

    kind: str
    name: str
    sign: str
    value: str

    @classmethod
    def read(cls, text: str, kind: str) -> Condition:
        """Read a condition as a person types it.

        Raises
        ------
        WorkbenchError
            If it has no name, no sign or no value; or if a metric is compared with what is no number.
        """
        parts = _CONDITION.fullmatch(text)
        if parts is None or not parts[3]:
            raise WorkbenchError(f"--{kind} {text!r} is not of the form NAME=VALUE, NAME<VALUE or NAME>VALUE")
        if kind == "metric" and _number(parts[3]) is None and parts[3] not in _UNDEFINED:
            raise WorkbenchError(
                f"--metric {text!r} compares with {parts[3]!r}, which is no number: give such as {parts[1]}>0.8"
            )
        return cls(kind, parts[1], parts[2], parts[3])

    def holds(self, values: dict[str, Any]) -> bool:
        """Tell whether a run's values meet it; a run without the value, or with an undefined one, does not."""
        if self.name not in values:
            return False
        found = values[self.name]
        mine, theirs = _number(self.value), _number(found)
        if mine is not None and theirs is not None:
            return _SIGNS[self.sign](theirs, mine)
        if self.sign in ("=", "==", "!="):
            return (self.value in _texts(found)) is not (self.sign == "!=")
        # dates and paths are kept as text; a number is never compared with text
        return isinstance(found, str) and mine is None and _SIGNS[self.sign](found, self.value)


def _number(value: Any) -> float | None:
    """Return a number for what is one, or reads as one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _texts(value: Any) -> tuple[str, ...]:
    """Return a value as a person may type it."""
    if value is None or isinstance(value, bool):
        return (str(value), str(value).lower(), json.dumps(value))
    return (value,) if isinstance(value, str) else (json.dumps(value, ensure_ascii=False), str(value))


@dataclass(frozen=True)
class Filters:
    """What the listed runs have in common; nothing by default."""

    template: str | None = None
    status: str | None = None
    parameters: tuple[Condition, ...] = ()
    metrics: tuple[Condition, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def select(self, summaries: Iterable[Summary]) -> list[Summary]:
        """Return the runs that meet every demand, in their order.

        Raises
        ------
        WorkbenchError
            If no run at all has a parameter or metric of that name: more likely a slip than a wish.
        """
        runs = list(summaries)
        for key, conditions in {"parameters": self.parameters, "metrics": self.metrics}.items():
            known = {name for run in runs for name in run[key]} if conditions else set()
            for condition in conditions:
                if runs and condition.name not in known:
                    said = ", ".join(sorted(known)) or "none"
                    raise WorkbenchError(f"no run has a {condition.kind} {condition.name!r}: there are {said}")
        return [run for run in runs if self._meets(run)]

    def _meets(self, run: Summary) -> bool:
        if self.template is not None and run["template"] != self.template:
            return False
        if self.status is not None and run["status"] != self.status:
            return False
        if not all(c.holds(run["parameters"]) for c in self.parameters):
            return False
        return all(c.holds(run["metrics"]) for c in self.metrics) and self._in_time(run["started"])

    def _in_time(self, started: str | None) -> bool:
        if self.since is None and self.until is None:
            return True
        if started is None:
            return False
        when = datetime.fromisoformat(started)
        return not (self.since and when < self.since) and not (self.until and when >= self.until)


def known(status: str) -> str:
    """Return a status that a run may have.

    Raises
    ------
    WorkbenchError
        If none ever has it.
    """
    possible = ("pending", "running", *sorted(FINAL), "damaged")
    if status not in possible:
        raise WorkbenchError(f"--status {status!r} is none that a run has: give {', '.join(possible)}")
    return status


def moment(text: str, option: str, *, end: bool = False, coming: bool = False) -> datetime:
    """Return the time that a person means by ``2026-11-26``, ``2026-11-26 14:30`` or ``7d`` (ago, or to come).

    Parameters
    ----------
    option : str
        Where it was given, for the message.
    end : bool
        Whether a day means its end.
    coming : bool
        Whether a span leads into the time to come, and not back.

    Raises
    ------
    WorkbenchError
        If it is none of these.
    """
    now = datetime.now().astimezone()
    try:
        if span := _SPAN.fullmatch(text.strip()):
            length = timedelta(**{_SPANS[span[2]]: int(span[1])})
            return now + length if coming else now - length
        when = datetime.fromisoformat(text.strip())
        if end and len(text.strip()) == len("2026-11-26"):
            when += timedelta(days=1)
    except (ValueError, OverflowError):
        day = f"{now + timedelta(days=30):%Y-%m-%d}" if coming else "2026-11-26"
        span_said = "30d for in thirty days" if coming else "7d for a week ago"
        raise WorkbenchError(f"{option} {text!r} is no time: give {day}, {day}T14:30, or {span_said}") from None
    return when.astimezone()  # a time without a zone is this computer's
