"""A notebook's parameters as JSON Schema 2020-12. Called by the command line, the form, and other tools through them.

Source: https://json-schema.org/draft/2020-12. Units have no keyword there: they are the annotation ``x-unit``, which a
validator that does not know it leaves alone. So are the bounds of dates, ``formatMinimum`` and ``formatMaximum``.
"""

from __future__ import annotations

import math
import typing
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from .parameters import SECRET, Parameter, Schema
from .values import members, plain

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE: dict[Any, dict[str, Any]] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
    type(None): {"type": "null"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    Path: {"type": "string", "format": "path"},
    list: {"type": "array"},
    Any: {},
}


def json_schema(schema: Schema, title: str) -> dict[str, Any]:
    """Return the JSON Schema of a call's parameters: none is required, none but these is allowed."""
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "properties": {name: describe(p) for name, p in schema.parameters.items()},
        "additionalProperties": False,
    }


def describe(parameter: Parameter) -> dict[str, Any]:
    """Return the JSON Schema of one parameter, with its default, help and unit."""
    said = _kind(parameter.type, parameter)
    about = {"description": parameter.help} if parameter.help else {}
    unit = {"x-unit": parameter.unit} if parameter.unit else {}
    return {**about, **said, "default": parameter.plain_default, **unit}


def _kind(kind: Any, parameter: Parameter) -> dict[str, Any]:
    options = [_member(member, parameter) for member in members(kind)]
    if len(options) == 1:
        return options[0]
    enum = [o["enum"] for o in options if "enum" in o]
    if enum and all("enum" in o or o == {"type": "null"} for o in options):
        null = [None] if {"type": "null"} in options else []
        return {"enum": [v for values in enum for v in values] + null}
    if all(set(o) <= {"type", "minimum", "maximum"} for o in options) and _apart(options):
        limits = {k: v for o in options for k, v in o.items() if k != "type"}
        return {"type": [o["type"] for o in options], **limits}
    return {"anyOf": options}


def _apart(options: list[dict[str, Any]]) -> bool:
    """Tell whether options can share one list of types: an array has items of its own."""
    return all(o.get("type") not in (None, "array") for o in options)


def _member(kind: Any, parameter: Parameter) -> dict[str, Any]:
    """Return the schema of one member of a union; limits are about single values."""
    if typing.get_origin(kind) is list:
        return {"type": "array", "items": _kind(kind.__args__[0], parameter)}
    if kind is type(None):
        return _SIMPLE[kind]
    if typing.get_origin(kind) is Literal:
        return {"enum": list(parameter.choices or kind.__args__)}
    limits = {**_bounds(kind, parameter.bounds), **_pattern(kind, parameter)}
    if kind is list:
        inner = {"enum": list(parameter.choices)} if parameter.choices is not None else limits
        return {"type": "array", **({"items": inner} if inner else {})}
    if parameter.choices is not None:
        return {"enum": list(parameter.choices)}
    return {**_SIMPLE[kind], **limits}


def _bounds(kind: Any, bounds: tuple[Any, Any] | None) -> dict[str, Any]:
    if bounds is None or kind in (bool, str, Path):
        return {}
    low, high = ("formatMinimum", "formatMaximum") if kind in (date, datetime) else ("minimum", "maximum")
    known = {low: bounds[0], high: bounds[1]}
    return {k: plain(v) for k, v in known.items() if not isinstance(v, float) or math.isfinite(v)}


def _pattern(kind: Any, parameter: Parameter) -> dict[str, Any]:
    return {"pattern": f"^{SECRET.pattern}$"} if parameter.secret and kind is str else {}
