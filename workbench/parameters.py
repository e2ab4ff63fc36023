"""Parameters: what a notebook declares, and the check of every value before any kernel starts.

One schema serves the command line, Python and forms. Called by the runner, the command line and the grammar.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pydantic

from .errors import WorkbenchError


@dataclass(frozen=True)
class Parameter:
    """One parameter as its cell declares it.

    Attributes
    ----------
    type : type or typing form
        Such as ``int``, ``int | None``, ``Literal["a", "b"]``, ``list[float]``.
    unit : str or None
        Unit symbol, ``"1"`` for a number without dimension.
    bounds : tuple of float or None
        Least and greatest value, both allowed.
    choices : tuple or None
        The allowed values.
    """

    name: str
    type: Any
    default: Any
    help: str = ""
    unit: str | None = None
    bounds: tuple[float, float] | None = None
    choices: tuple[Any, ...] | None = None

    @property
    def plain_default(self) -> Any:
        """The notebook's own value as JSON can hold it."""
        return _plain(self.default)

    @property
    def allowed(self) -> str:
        """Say in words what is allowed."""
        said = type_name(self.type)
        if self.choices is not None:
            said += " in {" + ", ".join(map(str, self.choices)) + "}"
        if self.bounds is not None:
            said += f" in {self.bounds[0]:g}..{self.bounds[1]:g}"
        return said + (f" [{self.unit}]" if self.unit and self.unit != "1" else "")


def type_name(kind: Any) -> str:
    """Return a type as the grammar writes it."""
    if isinstance(kind, type) and not hasattr(kind, "__args__"):
        return "None" if kind is type(None) else kind.__name__
    if typing.get_origin(kind) in (Union, types.UnionType):
        return " | ".join(type_name(k) for k in kind.__args__)
    return str(kind).replace("typing.", "")


@dataclass(frozen=True)
class Schema:
    """All parameters of a notebook."""

    parameters: dict[str, Parameter]

    def validate(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the given values, checked; dates and paths come back as strings, as they are injected.

        Raises
        ------
        WorkbenchError
            Naming every fault of the call at once: parameter, value, what is allowed, the nearest known name.
        """
        known = {k: _plain(v) for k, v in given.items() if k in self.parameters}
        faults = [self._unknown(name) for name in given if name not in self.parameters]
        faults += [f for name, value in known.items() if (f := fault(self.parameters[name], value))]
        if faults:
            raise WorkbenchError("; ".join(faults))
        return known

    def parse(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Turn the texts of a command line into values of the declared types, not yet checked."""
        return {k: _read_text(self.parameters[k].type, t) if k in self.parameters else t for k, t in texts.items()}

    def resolved(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of all parameters: the given ones, else the notebook's own."""
        return {name: given.get(name, _plain(p.default)) for name, p in self.parameters.items()}

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.parameters, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"the notebook has {', '.join(self.parameters) or 'none'}"
        return f"unknown parameter {name!r}: {hint}"


def fault(parameter: Parameter, value: Any) -> str | None:
    """Say in one sentence why a plain value may not be given, or return None."""
    try:
        _model(parameter).validate_json(json.dumps(value), strict=True)
    except (pydantic.ValidationError, TypeError, ValueError):
        shown = repr(value) if len(repr(value)) <= 60 else f"{repr(value)[:60]}…"
        return f"parameter {parameter.name!r} cannot be {shown}: it takes {parameter.allowed}"
    return None


def _model(parameter: Parameter) -> pydantic.TypeAdapter[Any]:
    """Return the pydantic model of one parameter."""
    kind = parameter.type
    if parameter.choices is not None:
        kind = Optional[Literal[parameter.choices]] if _optional(kind) else Literal[parameter.choices]  # noqa: UP045
    checks: list[Any] = [pydantic.AfterValidator(_finite)]
    if parameter.bounds is not None:
        checks.append(pydantic.AfterValidator(_within(parameter.bounds)))
    checked: Any = Annotated[kind, *checks]
    return pydantic.TypeAdapter(checked)


def _finite(value: Any) -> Any:
    """Refuse NaN and infinity, which no literal of a notebook can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("not finite")
    return value


def _within(bounds: tuple[float, float]) -> Any:
    def check(value: Any) -> Any:
        for item in value if isinstance(value, list) else [value]:
            if item is not None and not bounds[0] <= item <= bounds[1]:
                raise ValueError("out of range")
        return value

    return check


def _optional(kind: Any) -> bool:
    return type(None) in getattr(kind, "__args__", ())


def _plain(value: Any) -> Any:
    """Turn a Python value into one that JSON and a literal can hold; numpy scalars have ``item``."""
    if isinstance(value, date | Path):
        return value.isoformat() if isinstance(value, date) else str(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value


def _read_text(kind: Any, text: str) -> Any:
    """Read a command line's text as the declared type would be written; what does not read stays text."""
    kinds = set(getattr(kind, "__args__", ())) | {kind}
    if type(None) in kinds and text.lower() in ("none", "null"):
        return None
    if bool in kinds and text.lower() in ("true", "false", "yes", "no", "on", "off"):
        return text.lower() in ("true", "yes", "on")
    if kinds & {str, date, datetime, Path}:
        return text
    try:
        return json.loads(text)
    except ValueError:  # no JSON, or a number longer than Python reads
        return read_literal(text)


def read_literal(text: str) -> Any:
    """Read a Python literal; what is none stays text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
