"""The values that one parameter takes in a sweep, as they are written. Called by ``points``.

===================  ===========================================================
``1e-3,1e-4``        a list; a comma in brackets or quotes separates nothing
``0..4``             whole numbers from 0 to 4, both included
``0..1:0.25``        from 0 to 1 in steps of 0.25
``0.1..0.5/5``       5 numbers from 0.1 to 0.5, evenly spaced
``1e-4..1e-1/4log``  4 numbers, each the same factor from the one before
``uniform``          drawn at random between the declared bounds (with a sample)
``log:1e-4..1e-1``   drawn so that each factor of ten is as likely as another
===================  ===========================================================

Ranges and draws are for numbers; in any other parameter such a text is a text. A list may hold ranges: ``0..4,10``.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..errors import WorkbenchError
from ..parameters import Parameter, Schema

#: A sweep of more points is more likely a slip than a wish.
MOST = 10_000
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})(?::(?P<step>{_NUMBER})|/(?P<count>\d+)(?P<log>log)?)?")
_DRAW = re.compile(rf"(?P<scale>uniform|log)(?::(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER}))?")
_PIECE = re.compile(r"""(?:[^,"'\[\](){}]|"[^"]*"|'[^']*'|\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|["'\[\](){}])+""")


@dataclass(frozen=True)
class Draw:
    """Numbers drawn at random between two bounds, evenly or by their logarithm."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> list[float]:
        """The least and the greatest number that can come."""
        return [math.ceil(self.low), math.floor(self.high)] if self.whole else [self.low, self.high]

    def one(self, random: random.Random) -> float:
        """Draw one number."""
        if self.log:
            drawn = math.exp(random.uniform(math.log(self.low), math.log(self.high)))
            drawn = min(max(drawn, self.low), self.high)
            return round(drawn) if self.whole else float(f"{drawn:.6g}")
        if self.whole:
            return random.randint(math.ceil(self.low), math.floor(self.high))
        return min(max(float(f"{random.uniform(self.low, self.high):.6g}"), self.low), self.high)


def read(schema: Schema, name: str, given: Any) -> list[Any] | Draw:
    """Return the values of the parameter ``name``, not yet checked against what it takes.

    Parameters
    ----------
    given : str, or a value or a list of values
        A text as the command line has it, or values from Python or a file. For a parameter that is itself a list,
        a list of lists is several values, any other list is one.

    Raises
    ------
    WorkbenchError
        For a range or a draw that makes no sense.
    """
    parameter = schema.parameters.get(name)
    if isinstance(given, str):
        return _text(schema, name, parameter, given)
    if not _several(given):
        return [given]
    items = list(given)
    if parameter is not None and _is_list(parameter) and not all(isinstance(i, list | tuple) for i in items):
        return [items]
    made: list[Any] = []
    for item in items:
        values = _text(schema, name, parameter, item, whole=True) if isinstance(item, str) else [item]
        if isinstance(values, Draw):
            raise WorkbenchError(f"parameter {name!r}: {item} stands alone, not in a list")
        made += values
    return made


def _several(given: Any) -> bool:
    """Tell a list of values, of whatever library, from one value."""
    return isinstance(given, Iterable) and not isinstance(given, dict | bytes) and getattr(given, "ndim", 1) > 0


def _text(schema: Schema, name: str, parameter: Parameter | None, text: str, whole: bool = False) -> list[Any] | Draw:
    """Read one text; ``whole`` says that its commas separate nothing."""
    number = parameter is not None and is_number(parameter)
    if number and parameter is not None and (drawn := _DRAW.fullmatch(text.strip())):
        return _draw(parameter, drawn)
    values: list[Any] = []
    for piece in [text] if whole else _pieces(name, text):
        found = _RANGE.fullmatch(piece.strip()) if number else None
        if found and parameter is not None:
            values += _range(parameter, found)
        else:
            values.append(schema.parse({name: piece if whole else _bare(piece, number)})[name])
        if len(values) > MOST:
            raise too_many(len(values), f"parameter {name!r} alone")
    return values


def _pieces(name: str, text: str) -> list[str]:
    """Split at commas outside brackets and quotes."""
    pieces = _PIECE.findall(text) if text else [""]
    if ",".join(pieces) != text:
        raise WorkbenchError(f"parameter {name!r}: {text!r} has a comma too many: write values as 1,2,3")
    return pieces


def _bare(piece: str, number: bool) -> str:
    """Return a piece of a list without the quotes that kept its commas together."""
    if not number and len(piece) > 1 and piece[0] == piece[-1] and piece[0] in "\"'":
        return piece[1:-1]
    return piece.strip()


def kinds(parameter: Parameter) -> set[Any]:
    """Return the types that a parameter allows."""
    return set(getattr(parameter.type, "__args__", ())) | {parameter.type}


def is_number(parameter: Parameter) -> bool:
    """Tell whether a parameter is a number, and nothing that a text could be as well."""
    return bool(kinds(parameter) & {int, float}) and not _is_list(parameter) and str not in kinds(parameter)


def _is_list(parameter: Parameter) -> bool:
    return any(getattr(kind, "__origin__", kind) is list for kind in kinds(parameter))


def _whole(parameter: Parameter) -> bool:
    return int in kinds(parameter) and float not in kinds(parameter)


def _range(parameter: Parameter, found: re.Match[str]) -> list[Any]:
    """Return the numbers of a range; decimals, so that 0..1:0.1 holds 0.3 and not 0.30000000000000004."""
    low, high = Decimal(found["low"]), Decimal(found["high"])
    text, where = found[0], f"parameter {parameter.name!r}: {found[0]}"
    if high < low:
        raise WorkbenchError(f"{where} goes from more to less: write it as {found['high']}..{found['low']}")
    if found["count"]:
        numbers = _spaced(low, high, int(found["count"]), bool(found["log"]), where)
    else:
        step = Decimal(found["step"] or 1)
        if step <= 0:
            raise WorkbenchError(f"{where} has a step that is not above 0")
        if not found["step"] and (low % 1 or high % 1):
            raise WorkbenchError(f"{where} is not of whole numbers: give a step, {text}:0.1, or a number, {text}/5")
        if (number := int((high - low) / step) + 1) > MOST:
            raise too_many(number, where)
        numbers = [low + step * i for i in range(number)]
    return [_as(parameter, number) for number in numbers]


def _spaced(low: Decimal, high: Decimal, count: int, log: bool, where: str) -> list[Decimal]:
    if count > MOST:
        raise too_many(count, where)
    if count < 2:
        raise WorkbenchError(f"{where} needs at least 2 numbers")
    if not log:
        return [low + (high - low) * i / (count - 1) for i in range(count)]
    if low <= 0:
        raise WorkbenchError(f"{where} begins at {low}: a logarithm needs a number above 0")
    inner = [Decimal(f"{float(low) * float(high / low) ** (i / (count - 1)):.6g}") for i in range(1, count - 1)]
    return [low, *inner, high]


def _as(parameter: Parameter, number: Decimal) -> int | float:
    """Return the number in the parameter's type; one that has no place there stays as it is, to be refused."""
    if number == number.to_integral_value() and int in kinds(parameter):
        return int(number)
    return float(f"{number:.15g}")


def _draw(parameter: Parameter, found: re.Match[str]) -> Draw:
    where = f"parameter {parameter.name!r}: {found[0]}"
    bounds = (float(found["low"]), float(found["high"])) if found["low"] else parameter.bounds
    if bounds is None or not all(map(math.isfinite, bounds)):
        raise WorkbenchError(
            f"{where} has no bounds: write {found['scale']}:LOW..HIGH, or declare them in the notebook"
        )
    low, high = bounds
    if high < low:
        raise WorkbenchError(f"{where} goes from more to less: write it as {found['scale']}:{high:g}..{low:g}")
    if found["scale"] == "log" and low <= 0:
        raise WorkbenchError(f"{where} begins at {low:g}: a logarithm needs bounds above 0, log:LOW..HIGH")
    whole = _whole(parameter)
    if whole and math.ceil(low) > math.floor(high):
        raise WorkbenchError(f"{where} holds no whole number: widen the bounds")
    return Draw(low, high, found["scale"] == "log", whole)


def too_many(number: int, what: str = "the sweep") -> WorkbenchError:
    """Say that a sweep is too large, and what to do."""
    return WorkbenchError(
        f"{what} comes to {number:,} points, more than {MOST:,}: give fewer values, or draw some of them (--sample 100)"
    )
