"""The grammar of a ``parameters`` cell, read with ``ast`` and ``tokenize``, never executed.

One plain annotated assignment a line, with a trailing comment::

    epochs: int = 12  # training epochs [1] in 1..200
    schedule: str = "cosine"  # noise schedule in {linear, cosine}

``[unit]``, ``in lo..hi`` and ``in {a, b}`` may be left out; so may the annotation, where the value tells the type.
Called by the catalogue, for every notebook that is shown or run.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Optional, Union

from .errors import WorkbenchError
from .parameters import Parameter, Schema, fault, read_literal

_COMMENT = re.compile(
    r"^(?P<help>.*?)\s*(?:\[(?P<unit>[^\]]*)\])?\s*"
    r"(?:\bin\s+(?:\{(?P<choices>[^}]*)\}|(?P<low>[-+\d.eE]+|-inf)\s*\.\.\s*(?P<high>[-+\d.eE]+|inf)))?\s*$"
)
_TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None, "list": list}
_TYPES |= {"date": date, "datetime": datetime, "Path": Path}
_TYPES |= {"datetime.date": date, "datetime.datetime": datetime, "pathlib.Path": Path}


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
    if broken := fault(result, result.plain_default):
        raise WorkbenchError(f"{name}: the notebook's own value breaks its declaration: {broken}")
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
    return tuple(words) if str in kinds else tuple(read_literal(w) for w in words)
