"""Parameters: the values of a notebook's ``parameters`` cell, read with ``ast`` and ``tokenize``, never executed.

The grammar is one plain annotated assignment a line, with a trailing comment::

    epochs: int = 12  # training epochs [1] in 1..200
    schedule: str = "cosine"  # noise schedule in {linear, cosine}

``[unit]``, ``in lo..hi`` and ``in {a, b}`` may be left out; so may the annotation, where the value tells the type.
One schema serves the command line, Python and forms. Called by the runner and the catalogue, before any kernel starts.
"""

from __future__ import annotations

import ast
import difflib
import io
import json
import math
import re
import tokenize
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pydantic

from .errors import WorkbenchError

_COMMENT = re.compile(
    r"^(?P<help>.*?)\s*(?:\[(?P<unit>[^\]]*)\])?\s*"
    r"(?:\bin\s+(?:\{(?P<choices>[^}]*)\}|(?P<low>[-+\d.eE]+|-inf)\s*\.\.\s*(?P<high>[-+\d.eE]+|inf)))?\s*$"
)
_TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None, "list": list}
_TYPES |= {"date": date, "datetime": datetime, "Path": Path}
_TYPES |= {"datetime.date": date, "datetime.datetime": datetime, "pathlib.Path": Path}


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
        faults += [f for name, value in known.items() if (f := self._fault(self.parameters[name], value))]
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

    @staticmethod
    def _fault(parameter: Parameter, value: Any) -> str | None:
        model = _model(parameter)
        try:
            model.validate_json(json.dumps(value), strict=True)
        except (pydantic.ValidationError, TypeError, ValueError):
            return f"parameter {parameter.name!r} cannot be {value!r}: it takes {parameter.allowed}"
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
    except json.JSONDecodeError:
        return _read_literal(text)


def _read_literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def read_schema(cells: list[dict[str, Any]], name: str) -> Schema:
    """Read the schema from a notebook's cells.

    Parameters
    ----------
    cells : list of dict
        The notebook's cells as nbformat 4 has them.
    name : str
        What errors call the notebook.

    Raises
    ------
    WorkbenchError
        If no cell or more than one is tagged ``parameters``, or the cell is not in the grammar.
    """
    tagged = [c for c in cells if c["cell_type"] == "code" and "parameters" in c.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        found = "no cell" if not tagged else f"{len(tagged)} cells"
        raise WorkbenchError(
            f"{name} has {found} tagged 'parameters': tag one (JupyterLab: property inspector, cell tags)"
        )
    source = "".join(tagged[0]["source"])
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise WorkbenchError(f"{name}: the parameters cell is not Python, line {error.lineno}: {error.msg}") from None
    comments = _comments(source)
    declared = [_parameter(node, comments, name) for node in tree.body if _is_parameter(node, name)]
    return Schema({p.name: p for p in declared})


def _comments(source: str) -> dict[int, str]:
    """Return trailing comments by line; ``tokenize`` knows a ``#`` in a string from one that begins a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ").strip() for t in tokens if t.type == tokenize.COMMENT}


def _is_parameter(node: ast.stmt, name: str) -> bool:
    """Tell declarations from imports and docstrings; refuse what would be silently lost."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return False
    single = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    if single or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
        return True
    raise WorkbenchError(
        f"{name}: parameters cell, line {node.lineno} is not of the form 'name: type = value  # what it is'"
    )


def _parameter(node: ast.stmt, comments: dict[int, str], name: str) -> Parameter:
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    assert isinstance(target, ast.Name)
    where = f"{name}: parameter {target.id!r}"
    default = _default(node.value, where)
    kind = _type(node.annotation, where) if isinstance(node, ast.AnnAssign) else _type_of(default)
    said = _COMMENT.match(comments.get(node.end_lineno or node.lineno, ""))
    assert said is not None  # every part of the pattern may be empty
    bounds = (float(said["low"]), float(said["high"])) if said["low"] else None
    choices = _choices(said["choices"], kind) if said["choices"] is not None else None
    result = Parameter(target.id, kind, default, said["help"] or "", said["unit"], bounds, choices)
    if fault := Schema._fault(result, _plain(default)):
        raise WorkbenchError(f"{name}: the notebook's own value breaks its declaration: {fault}")
    return result


def _default(node: ast.expr | None, where: str) -> Any:
    """Read a literal, or ``date(2026, 1, 31)`` and ``Path("…")``, without executing anything."""
    try:
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("date", "datetime", "Path"):
            made = _TYPES[ast.unparse(node.func).split(".")[-1]]
            return made(*[ast.literal_eval(a) for a in node.args])
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError):
        raise WorkbenchError(f"{where} is not a plain value: write a literal") from None


def _type_of(default: Any) -> Any:
    """Return the type that a value without annotation declares; an int may become a float only when annotated so."""
    return Any if default is None or isinstance(default, dict | list | tuple) else type(default)


def _type(node: ast.expr, where: str) -> Any:
    """Turn an annotation into a type by looking it up, never by evaluating it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _type(ast.parse(node.value, mode="eval").body, where)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return Union[_type(node.left, where), _type(node.right, where)]  # noqa: UP007
    if isinstance(node, ast.Subscript):
        return _subscript(node, where)
    text = ast.unparse(node)
    if text not in _TYPES:
        raise WorkbenchError(
            f"{where} has type {text}: use int, float, bool, str, date, Path, list[…], Literal[…], … | None"
        )
    return _TYPES[text]


def _subscript(node: ast.Subscript, where: str) -> Any:
    outer = ast.unparse(node.value).split(".")[-1]
    if outer == "Literal":
        values = ast.literal_eval(node.slice)
        return Literal[values if isinstance(values, tuple) else (values,)]
    if outer == "Optional":
        return Optional[_type(node.slice, where)]  # noqa: UP045
    if outer == "list":
        return list[_type(node.slice, where)]  # type: ignore[misc]
    raise WorkbenchError(f"{where} has type {ast.unparse(node)}: use list[…], Literal[…] or … | None")


def _choices(text: str, kind: Any) -> tuple[Any, ...]:
    words = [w.strip().strip("'\"") for w in text.split(",") if w.strip()]
    kinds = set(getattr(kind, "__args__", ())) | {kind}
    return tuple(words) if str in kinds else tuple(_read_literal(w) for w in words)
