"""Metrics that say the same of several methods: those of the generative model beside those of its baselines.

Names tell which belong together: ``dice_c_flow`` and ``dice_c_random_forest``; ``crps_flow_driven`` and
``crps_linear_driven``. Called by the evidence page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What metrics call the generative model.
GENERATIVE = ("flow", "diffusion", "generated", "synthetic", "generative", "gan", "vae")
#: Words that the name of a baseline may have.
_WORDS = 3
#: Endings of the metrics that bound another one.
_BOUNDS = ("low", "high")


@dataclass(frozen=True)
class Row:
    """One method's value; ``low`` and ``high`` where the run recorded them."""

    method: str
    metric: str
    value: float
    low: float | None
    high: float | None
    own: bool

    @property
    def reach(self) -> tuple[float, float]:
        """What of the axis it takes."""
        bounds = [b for b in (self.low, self.value, self.high) if b is not None]
        return min(bounds), max(bounds)


@dataclass(frozen=True)
class Measured:
    """One quantity of several methods, the generative model's first.

    Attributes
    ----------
    title : str
        What is measured: the words that the meanings of all these metrics share.
    unit : str
        Unit symbol, ``"1"`` for a number without dimension.
    better : {"higher", "lower"} or None
        Where the run said which way is better.
    """

    title: str
    unit: str
    better: str | None
    rows: tuple[Row, ...]


def measured(metrics: Mapping[str, Mapping[str, Any]], meanings: Mapping[str, str]) -> list[Measured]:
    """Return the quantities that the run measured of its generative model and of at least one baseline.

    Parameters
    ----------
    metrics : mapping
        ``metrics.json``.
    meanings : mapping
        What the use-case card says of each metric.
    """
    known = {name: about for name, about in metrics.items() if about.get("value") is not None}
    places = [place for name in known if (place := _place(name, known))]
    endings = {ending for _, _, ending in places if ending}
    found = [_group(*place, endings, known, meanings) for place in places]
    return [group for group in found if len(group.rows) > 1]


def _place(name: str, known: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return what stands before the generative model's word in a metric's name, the word, and what stands after."""
    if any(name.endswith(f"_{bound}") and name.removesuffix(f"_{bound}") in known for bound in _BOUNDS):
        return None
    words = name.split("_")
    for number, word in enumerate(words):
        if number and word in GENERATIVE:
            return "_".join(words[:number]), word, "_".join(words[number + 1 :])
    return None


def _group(
    before: str, own: str, after: str, endings: set[str], known: Mapping[str, Any], meanings: Mapping[str, str]
) -> Measured:
    mine = "_".join(filter(None, (before, own, after)))
    unit = known[mine]["unit"]
    rows = [_row(mine, own, known, own=True)]
    for name, about in known.items():
        method = _method(name, before, after, endings)
        if method and name != mine and about["unit"] == unit and method.split("_")[-1] not in _BOUNDS:
            rows.append(_row(name, method, known, own=False))
    said = [meanings.get(row.metric, "") for row in rows]
    title = _shared(said).removesuffix(f" {unit}").removesuffix(f", {unit}")
    return Measured(title or mine, unit, known[mine].get("better"), tuple(rows))


def _method(name: str, before: str, after: str, endings: set[str]) -> str | None:
    """Return the method that a name stands for between the two; None where it is of another quantity."""
    if not name.startswith(f"{before}_") or not name.endswith(f"_{after}" if after else ""):
        return None
    middle = name.removeprefix(f"{before}_").removesuffix(f"_{after}" if after else "")
    other = any(middle == ending or middle.endswith(f"_{ending}") for ending in endings if ending != after)
    return None if other or not middle or middle.count("_") >= _WORDS else middle


def _row(metric: str, method: str, known: Mapping[str, Any], own: bool) -> Row:
    low, high = (known.get(f"{metric}_{bound}", {}).get("value") for bound in _BOUNDS)
    return Row(method.replace("_", " "), metric, known[metric]["value"], low, high, own)


def _shared(texts: list[str]) -> str:
    """Return the words that texts begin and end with alike, an ellipsis where they differ in the midst of a phrase."""
    lists = [text.split() for text in texts]
    head = _alike(lists)
    tail = _alike([words[len(head) :][::-1] for words in lists])[::-1]
    start, end = " ".join(head), " ".join(tail).lstrip(",;: ")
    if end or (start and not start.endswith((",", ";", ":", "."))):
        return f"{start.rstrip(',;:')} … {end}".strip()
    return start.rstrip(",;:")


def _alike(lists: list[list[str]]) -> list[str]:
    """Return the words that all lists begin with."""
    shared = []
    for words in zip(*lists, strict=False):
        if len(set(words)) > 1:
            break
        shared.append(words[0])
    return shared
