"""The points of a sweep: grid, zip, list and sample, checked by the notebook's own schema before anything starts.

Called by ``sweep``, for the command line, files and Python alike.
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import WorkbenchError, together
from ..parameters import Schema
from .values import MOST, Draw, read, too_many

#: Faults of one call that are named; a thousand lines help nobody.
_NAMED = 20

Point = dict[str, Any]


@dataclass(frozen=True)
class Axes:
    """What is varied, as it was given: texts such as ``0..4``, values or lists of values, by parameter.

    Attributes
    ----------
    grid : mapping
        Every value with every value of the others; one value alone is simply kept.
    zip : mapping
        Walked together: the first values of all, then the second; one value alone is kept throughout.
    points : sequence of mapping
        Points named one by one.
    sample : mapping
        Drawn at random, ``number`` times, from the generator that ``seed`` begins. A list is drawn from.
    """

    grid: Mapping[str, Any] = field(default_factory=dict)
    zip: Mapping[str, Any] = field(default_factory=dict)
    points: Sequence[Mapping[str, Any]] = ()
    sample: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Points:
    """All points, and how many that were asked for more than once."""

    points: list[Point]
    duplicates: int

    @property
    def varied(self) -> list[str]:
        """The parameters that differ among the points."""
        names = dict.fromkeys(name for point in self.points for name in point)
        return [n for n in names if len({_key(p.get(n)) for p in self.points}) > 1]


def points_of(schema: Schema, axes: Axes) -> Points:
    """Return the points, checked: each group's points with each of the others'.

    Raises
    ------
    WorkbenchError
        Naming all faults at once: values, unknown names, a name in two groups, lists of unequal length; or for more
        points than a sweep may have.
    """
    _apart(axes)
    faults: list[str] = []
    grid, zipped, sample = (_values(schema, group, faults) for group in (axes.grid, axes.zip, axes.sample))
    listed = [{n: _single(schema, n, v, faults) for n, v in point.items()} for point in axes.points]
    _refuse_draws({**grid, **zipped}, faults)
    if faults:
        raise together(list(dict.fromkeys(faults)), "values", _NAMED)
    number = math.prod(map(len, grid.values())) * max([1, *map(len, zipped.values())])
    if (number := number * max(1, len(listed)) * max(1, axes.number)) > MOST:
        raise too_many(number)
    groups = [_grid(grid), _zipped(zipped), listed or [{}], _drawn(sample, axes.number, axes.seed)]
    every = [{k: v for part in parts for k, v in part.items()} for parts in itertools.product(*groups)]
    unique = {_key(schema.resolved(point)): point for point in reversed(every)}
    return Points(list(reversed(unique.values())), len(every) - len(unique))


def _apart(axes: Axes) -> None:
    """Refuse a name that is varied in two ways, and a sample of nothing."""
    groups = {"grid": set(axes.grid), "zip": set(axes.zip), "sample": set(axes.sample)}
    groups["list"] = {name for point in axes.points for name in point}
    for (one, ours), (other, theirs) in itertools.combinations(groups.items(), 2):
        if both := sorted(ours & theirs):
            raise WorkbenchError(f"parameter {both[0]!r} is both in {one} and in {other}: leave it in one of them")
    if axes.sample and axes.number < 1:
        raise WorkbenchError("a sample needs the number of its points: --sample 20")


def _values(schema: Schema, group: Mapping[str, Any], faults: list[str]) -> dict[str, Any]:
    """Read and check the values of a group: a list, or a draw, by name. What cannot be is noted."""
    found: dict[str, Any] = {}
    for name, given in group.items():
        try:
            values = read(schema, name, given)
        except WorkbenchError as error:
            faults.append(str(error))
            continue
        if values == []:
            faults.append(f"parameter {name!r} has no values: give at least one")
        ends = values.ends if isinstance(values, Draw) else values
        plain = [_checked(schema, name, value, faults) for value in ends]
        found[name] = values if isinstance(values, Draw) else plain
    return found


def _checked(schema: Schema, name: str, value: Any, faults: list[str]) -> Any:
    """Hold a value to the schema once, not once a point; return it as a notebook and JSON can hold it."""
    try:
        return schema.validate({name: value})[name]
    except WorkbenchError as error:
        faults.append(str(error))
        return value


def _single(schema: Schema, name: str, given: Any, faults: list[str]) -> Any:
    """Return the one value that a listed point gives a parameter."""
    values = _values(schema, {name: given}, faults).get(name, [None])
    if isinstance(values, Draw) or len(values) != 1:
        faults.append(f"parameter {name!r} has several values in one point of the list: give one, or use grid")
        return None
    return values[0]


def _refuse_draws(groups: Mapping[str, Any], faults: list[str]) -> None:
    drawn = [name for name, values in groups.items() if isinstance(values, Draw)]
    faults += [f"parameter {name!r} is drawn at random: say how often with --sample N" for name in drawn]


def _grid(values: Mapping[str, Any]) -> list[Point]:
    return [dict(zip(values, combined, strict=True)) for combined in itertools.product(*values.values())]


def _zipped(values: Mapping[str, Any]) -> list[Point]:
    """Walk lists together."""
    lengths = {name: len(v) for name, v in values.items() if len(v) > 1}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise WorkbenchError(f"lists walked together must be of the same length: {said}")
    number = max([1, *lengths.values()])
    return [{name: v[i if len(v) > 1 else 0] for name, v in values.items()} for i in range(number)]


def _drawn(values: Mapping[str, Any], number: int, seed: int) -> list[Point]:
    """Draw points; each parameter has a generator of its own, so that another one more changes none of the others."""
    if not values:
        return [{}]
    generators = {name: random.Random(f"{seed}/{name}") for name in values}
    draw = {n: (v.one if isinstance(v, Draw) else lambda r, v=v: r.choice(v)) for n, v in values.items()}
    return [{name: draw[name](generators[name]) for name in values} for _ in range(number)]


def _key(value: Any) -> str:
    """Return a text that is the same for the same value; 1 and 1.0 differ, as they do in a notebook."""
    return json.dumps(value, sort_keys=True, default=str)
