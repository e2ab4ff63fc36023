"""Values: how a text is read as a declared type, and how a value is checked and made plain. Called by parameters."""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import math
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import pydantic

#: What reading a text that is no number, no JSON or no literal may raise; also where it is deeper than Python reads.
_UNREADABLE = (ValueError, SyntaxError, MemoryError, RecursionError)
#: How a date and a time are written.
WRITTEN = {date: "2026-01-31", datetime: "2026-01-31T12:00"}


def members(kind: Any) -> tuple[Any, ...]:
    """Return the types of a union, else the type alone."""
    return tuple(kind.__args__) if typing.get_origin(kind) in (Union, types.UnionType) else (kind,)


def leaves(kind: Any) -> Iterator[Any]:
    """Yield the types of single values: ``int`` for ``list[int] | None``. Limits are about these."""
    for member in members(kind):
        if typing.get_origin(member) is list:
            yield from leaves(member.__args__[0])
        elif member is not type(None):
            yield Any if member is list else member


def type_name(kind: Any) -> str:
    """Return a type as the grammar writes it."""
    if len(members(kind)) > 1:
        return " | ".join(type_name(k) for k in members(kind))
    if typing.get_origin(kind) is list:
        return f"list[{type_name(kind.__args__[0])}]"
    if kind is Any:
        return "any plain value"
    if isinstance(kind, type):
        return "None" if kind is type(None) else kind.__name__
    return str(kind).replace("typing.", "")


@functools.lru_cache(maxsize=256)
def adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    """Return the pydantic model of a type."""
    return pydantic.TypeAdapter(_modelled(kind))


def _modelled(kind: Any) -> Any:
    """Return a type with dates that take ISO 8601 alone: pydantic's also read seconds since 1970."""
    if len(members(kind)) > 1:
        return Union[tuple(_modelled(k) for k in members(kind))]  # noqa: UP007
    if typing.get_origin(kind) is list:
        return list[_modelled(kind.__args__[0])]  # type: ignore[misc]
    if typing.get_origin(kind) is Literal:
        return Annotated[kind, pydantic.BeforeValidator(functools.partial(_one_of, kind.__args__))]
    return Annotated[kind, pydantic.PlainValidator(functools.partial(_from_iso, kind))] if kind in WRITTEN else kind


def _one_of(options: tuple[Any, ...], value: Any) -> Any:
    """Tell True from 1, which Python takes for equal."""
    if not any(option == value and isinstance(option, bool) == isinstance(value, bool) for option in options):
        raise ValueError("none of the choices")
    return value


def _from_iso(kind: type[date], value: Any) -> date:
    if not isinstance(value, str) or (value[4:5], value[7:8]) != ("-", "-"):
        raise ValueError("not ISO 8601 with dashes")
    return kind.fromisoformat(value)


def typed(kind: Any, value: Any) -> Any:
    """Return a value as the declared type, with nothing converted but what JSON has no word for: dates, paths, floats.

    Raises
    ------
    ValueError
        If it is not of the type. Whatever it was, what comes back is made anew of Python's own types.
    """
    try:
        result = adapter(kind).validate_json(json.dumps(plain(value)), strict=True)
    except (TypeError, RecursionError, OverflowError) as error:  # a type, a depth or a size that JSON has not
        raise ValueError(str(error)) from None
    if not all(map(_is_value, atoms(result))):
        raise ValueError("not finite, or longer than Python reads")
    return result


def _is_value(atom: Any) -> bool:
    """Refuse what no literal can hold: NaN, infinity, a number longer than Python reads, a path with a zero byte."""
    if isinstance(atom, float):
        return math.isfinite(atom)
    return "\0" not in str(atom) if isinstance(atom, int | Path) else True


def atoms(value: Any) -> Iterator[Any]:
    """Yield the single values of nested lists and mappings, in order."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from atoms(item)
    elif isinstance(value, dict):
        yield from atoms([*value, *value.values()])
    else:
        yield value


def plain(value: Any) -> Any:
    """Return a value as JSON and a literal can hold it: dates and paths as text, arrays as lists."""
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return plain(value.tolist()) if hasattr(value, "tolist") else value  # numpy's, torch's, pandas' own


def read_text(kind: Any, text: str) -> Any:
    """Read a text as the first of the declared types that it can be; what reads as none comes back for the error."""
    kinds = sorted(members(kind), key=lambda member: member is not type(None))
    for member in kinds:
        with contextlib.suppress(ValueError):
            value = _read(member, text)
            typed(member, value)
            return value
    return _read(kinds[-1], text) if len(kinds) == 1 else _guess(text)


def _read(kind: Any, text: str) -> Any:
    """Read a text as one type would be written."""
    if kind is type(None):
        return None if text.lower() in ("none", "null") else text
    if kind is bool:
        return _BOOLEANS.get(text.lower(), text)
    if kind in (str, date, datetime, Path):
        return text
    if typing.get_origin(kind) is Literal:
        return next((option for option in kind.__args__ if str(option) == text), text)
    if kind is list or typing.get_origin(kind) is list:
        return _read_list(kind, text)
    return _guess(text)


_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _read_list(kind: Any, text: str) -> Any:
    """Read ``[1, 2]``, or ``1,2``."""
    found = _guess(text)
    if isinstance(found, list | tuple):
        return list(found)
    inner = kind.__args__[0] if typing.get_origin(kind) is list else Any
    bare = text.strip().removeprefix("[").removesuffix("]")
    return [read_text(inner, part.strip()) for part in bare.split(",")] if bare.strip() else []


def _guess(text: str) -> Any:
    """Read JSON, else a Python literal; what is neither stays text."""
    with contextlib.suppress(*_UNREADABLE):  # no JSON, or a number longer than Python reads
        return json.loads(text)
    return read_literal(text)


def read_literal(text: str) -> Any:
    """Read a Python literal; what is none stays text."""
    try:
        return ast.literal_eval(text)
    except _UNREADABLE:
        return text
