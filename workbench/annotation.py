"""Annotations and values of a ``parameters`` cell, looked up in its syntax tree, not executed. For the grammar."""

from __future__ import annotations

import ast
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, Optional, Union

from .errors import WorkbenchError

_TYPES: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": type(None), "list": list}
_MADE: dict[str, Any] = {"date": date, "datetime": datetime, "Path": Path}
_KNOWN = "int, float, bool, str, date, datetime, Path, list[…], Literal[…], … | None"


def read_type(node: ast.expr, where: str) -> Any:
    """Turn an annotation, also one written as a string, into a type.

    Raises
    ------
    WorkbenchError
        If it is none of the grammar's types.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _quoted(node.value, where)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return Union[read_type(node.left, where), read_type(node.right, where)]  # noqa: UP007
    if isinstance(node, ast.Subscript):
        return _subscript(node, where)
    text = ast.unparse(node)
    if text in _TYPES:
        return _TYPES[text]
    if _last(text) in _MADE:  # however `datetime` was imported
        return _MADE[_last(text)]
    raise WorkbenchError(f"{where} has type {text}: use {_KNOWN}")


def _last(text: str) -> str:
    return text.rpartition(".")[2]


def _quoted(text: str, where: str) -> Any:
    try:
        return read_type(ast.parse(text.strip(), mode="eval").body, where)
    except SyntaxError:
        raise WorkbenchError(f"{where} has type {text!r}: use {_KNOWN}") from None


def _subscript(node: ast.Subscript, where: str) -> Any:
    outer = _last(ast.unparse(node.value))
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if outer == "Literal":
        return Literal[tuple(_option(n, where) for n in inner)]
    if outer == "Union":
        return Union[tuple(read_type(n, where) for n in inner)]  # noqa: UP007
    if outer == "Optional" and len(inner) == 1:
        return Optional[read_type(inner[0], where)]  # noqa: UP045
    if outer in ("list", "List") and len(inner) == 1:
        return list[read_type(inner[0], where)]  # type: ignore[misc]
    raise WorkbenchError(f"{where} has type {ast.unparse(node)}: use {_KNOWN}")


def _option(node: ast.expr, where: str) -> Any:
    """Return one value of a ``Literal``."""
    value = read_value(node, where)
    if not isinstance(value, str | int | bool | None):
        raise WorkbenchError(
            f"{where} allows {ast.unparse(node)}: a Literal holds texts, whole numbers, booleans, None"
        )
    return value


def read_value(node: ast.expr | None, where: str) -> Any:
    """Read a literal, or ``date(2026, 1, 31)`` and ``Path("…")``, also inside a list.

    Raises
    ------
    WorkbenchError
        If it is anything that would have to be executed.
    """
    try:
        if isinstance(node, ast.List | ast.Tuple):
            return [read_value(element, where) for element in node.elts]
        if isinstance(node, ast.Call) and (made := _MADE.get(_last(ast.unparse(node.func)))):
            more = {str(k.arg): ast.literal_eval(k.value) for k in node.keywords}
            return made(*[ast.literal_eval(a) for a in node.args], **more)
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, SyntaxError):
        shown = ast.unparse(node) if node is not None else ""
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        raise WorkbenchError(f"{where} is not a plain value but {shown}: write a literal") from None


def type_of(default: Any) -> Any:
    """Return the type that a value without annotation declares; an int may become a float only when annotated so."""
    if default is None or isinstance(default, dict | list | tuple):
        return Any
    return Path if isinstance(default, Path) else type(default)
