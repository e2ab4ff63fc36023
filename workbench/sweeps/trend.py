"""What a metric does over a parameter, in a sentence, in the order of the parameter. Called by figures and page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from .outcome import Outcome
from .table import shown

#: Of a parameter with more values than this, fifths of the runs are told in place of each value.
MANY = 15
#: A parameter whose greatest value is so many times its least is shown by its logarithm.
_LOG = 50


def numeric(values: Iterable[Any]) -> bool:
    """Tell whether all values are numbers."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def logarithmic(values: Sequence[Any]) -> bool:
    """Tell whether an axis of these values shows more by their logarithm."""
    return numeric(values) and min(values) > 0 and bool(max(values) / min(values) >= _LOG)


def groups(pairs: Iterable[tuple[Any, float]]) -> dict[Any, list[float]]:
    """Return the metric's values at each of the parameter's, in its order."""
    found: dict[Any, list[float]] = defaultdict(list)
    for x, y in pairs:
        found[x].append(y)
    return dict(sorted(found.items()))


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def means(outcome: Outcome, metric: str, name: str) -> dict[Any, float]:
    """Return the metric's mean at each value of the parameter, in its order; of many values, in fifths of the runs."""
    pairs = outcome.values(metric, name)
    if not numeric(x for x, _ in pairs):
        return {x: mean(y) for x, y in groups((shown(x), y) for x, y in pairs).items()}
    found = groups(pairs)
    if len(found) > MANY:
        pairs.sort()
        parts = [pairs[len(pairs) * i // 5 : len(pairs) * (i + 1) // 5] for i in range(5)]
        found = {mean([x for x, _ in part]): [y for _, y in part] for part in parts}
    return {x: mean(y) for x, y in found.items()}


def trend(outcome: Outcome, metric: str, name: str) -> str:
    """Say what the metric does as the parameter grows, or at which choice it is least and greatest."""
    unit = outcome.metrics[metric]
    of = "" if unit == "1" else f" {unit}"
    found = means(outcome, metric, name)
    least, greatest = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    low, high = _short(found[least]), _short(found[greatest])
    if low == high:
        return f"{low}{of} throughout"
    if not numeric(found):
        return f"least with {least} ({low}{of}), greatest with {greatest} ({high}{of})"
    values = list(found.values())
    first, last = values[0], values[-1]
    verb = "rises" if last > first else "falls"
    if {found[least], found[greatest]} == {first, last}:
        return f"{verb} from {_short(first)} to {_short(last)}{of}"
    beyond = (found[least] - min(first, last), found[greatest] - max(first, last))
    word, x = ("least", least) if -beyond[0] >= beyond[1] else ("greatest", greatest)
    return f"{word} at {_short(x)} ({_short(found[x])}{of}), from {_short(first)} to {_short(last)}{of} at the ends"


def strength(outcome: Outcome, metric: str, name: str) -> float:
    """Return how far apart the means are."""
    found = means(outcome, metric, name).values()
    return max(found) - min(found)


def _short(value: float) -> str:
    return f"{value:.3g}"
