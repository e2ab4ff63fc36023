"""How much a number may differ and still count as equal: ``|a - b| <= atol + rtol * |b|``, as NumPy has it.

The default is tight: the same code on another computer adds up in another order. What a template knows better it
says in its notebook's metadata, by output::

    "genai4eu": {"tolerance": {"outputs/scores.nc": {"rtol": 1e-3}, "outputs/log.json": {"ignore": ["seconds"]}}}

Called by ``verify`` and by every kind of comparison.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ..errors import WorkbenchError

RTOL, ATOL = 1e-6, 1e-9


@dataclass(frozen=True)
class Tolerance:
    """What may differ.

    Attributes
    ----------
    rtol, atol : float
        Relative and absolute difference.
    ignore : tuple of str
        Names of fields, columns, variables or attributes that say nothing of the result, such as times.
    """

    rtol: float = RTOL
    atol: float = ATOL
    ignore: tuple[str, ...] = ()

    def allows(self, a: float, b: float) -> bool:
        """Tell whether ``a`` of the verifying run equals ``b`` of the record; two NaN are equal."""
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        return a == b or abs(a - b) <= self.atol + self.rtol * abs(b)

    def sentence(self) -> str:
        """Say it in a few words."""
        ignored = f", without {', '.join(self.ignore)}" if self.ignore else ""
        return f"rtol {self.rtol:g}, atol {self.atol:g}{ignored}"


@dataclass(frozen=True)
class Tolerances:
    """The tolerance of every output: the caller's, else what the template declares, else the default."""

    asked: Mapping[str, float]
    declared: Mapping[str, Mapping[str, Any]]

    def of(self, output: str) -> Tolerance:
        """Return the tolerance of one output, by its path in the record."""
        made = Tolerance()
        for pattern, about in self.declared.items():
            if fnmatchcase(output, pattern):
                made = _with(made, about)
        return _with(made, self.asked)

    def sentence(self) -> str:
        """Say all of it in one line."""
        special = [f"{name} {self.of(name).sentence()}" for name in self.declared]
        return "; ".join([_with(Tolerance(), self.asked).sentence(), *special])


def _with(before: Tolerance, about: Mapping[str, Any]) -> Tolerance:
    """Return a tolerance with some of it replaced."""
    ignore = tuple(about.get("ignore", before.ignore))
    return Tolerance(about.get("rtol", before.rtol), about.get("atol", before.atol), ignore)


def asked(text: str | None) -> dict[str, float]:
    """Read ``--tolerance``: ``1e-5`` is relative, ``rtol=1e-4,atol=0`` names them.

    Raises
    ------
    WorkbenchError
        For anything else.
    """
    found: dict[str, float] = {}
    for part in filter(None, (text or "").split(",")):
        name, _, value = part.rpartition("=")
        found[name.strip() or "rtol"] = _number(value, text)
    if not found.keys() <= {"rtol", "atol"}:
        raise _unclear(text)
    return found


def _number(value: str, text: str | None) -> float:
    try:
        number = float(value)
    except ValueError:
        raise _unclear(text) from None
    if not 0 <= number < math.inf:
        raise _unclear(text)
    return number


def _unclear(text: str | None) -> WorkbenchError:
    return WorkbenchError(f"--tolerance {text!r} is no tolerance: write 1e-5, or rtol=1e-5,atol=0")


def declared(notebook: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return what a notebook declares.

    Raises
    ------
    WorkbenchError
        If it cannot be understood.
    """
    about = notebook.get("metadata", {}).get("genai4eu", {}).get("tolerance", {})
    fine = isinstance(about, dict) and all(isinstance(v, dict) and _fine(v) for v in about.values())
    if not fine:
        raise WorkbenchError(
            f"{name} declares a tolerance that cannot be understood: in its metadata, genai4eu.tolerance is a mapping "
            'such as {"outputs/scores.nc": {"rtol": 1e-3, "atol": 0, "ignore": ["created"]}}'
        )
    return about  # type: ignore[no-any-return]


def _fine(about: Mapping[str, Any]) -> bool:
    numbers = [about[k] for k in ("rtol", "atol") if k in about]
    names = about.get("ignore", [])
    return (
        about.keys() <= {"rtol", "atol", "ignore"}
        and all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n < math.inf for n in numbers)
        and isinstance(names, list)
        and all(isinstance(n, str) for n in names)
    )
