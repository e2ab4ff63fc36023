"""What is wrong with an entry of ``course.toml``, as its trainer reads it. Called where a course is read."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import pydantic

#: What an entry of the wrong kind is to be instead, by pydantic's name of the fault.
_KINDS = {
    "missing": "is missing: write it",
    "dict_type": 'is said by language: write a table, as en = "…"',
    "list_type": 'is a list: write it as ["…"]',
    "string_type": 'is a text: write it between quotes, as "…"',
    "int_type": "is a whole number: write it without quotes, as 20",
    "model_type": "is a table of its own: write it below its name between brackets",
    "too_short": "is empty: write at least one",
    "string_too_short": "is empty: write it",
}


def fault(error: Any, shape: type[pydantic.BaseModel]) -> str:
    """Return one of pydantic's errors as a sentence that names the entry, counted from 1, and the remedy.

    Parameters
    ----------
    error : dict
        Of ``ValidationError.errors()``.
    shape : type of BaseModel
        What the file is held to.
    """
    where, last = _where(error["loc"]), error["loc"][-1]
    if error["type"] == "extra_forbidden":
        known = list(_inner(shape, error["loc"][:-1]).model_fields)
        near = difflib.get_close_matches(str(last), known, n=1)
        return f"{where} is not known: " + (f"perhaps {near[0]}" if near else f"there are {', '.join(known)}")
    if last == "file" and error["type"] == "string_pattern_mismatch":
        return f"{where} is {error['input']!r}: name a notebook of the course's folder, as lesson-1.ipynb"
    if last == "[key]" or (
        error["type"] == "string_pattern_mismatch" and error["loc"][0] in ("languages", "unreviewed")
    ):
        return f"{where} is no language: write it as en, nl or de"
    what = _KINDS.get(error["type"]) or f"is {error['input']!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"
    return f"{where} {what}"


def _where(loc: Sequence[int | str]) -> str:
    parts = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in loc if part != "[key]"]
    return "".join(parts).lstrip(".")


def _inner(shape: type[pydantic.BaseModel], loc: Sequence[int | str]) -> type[pydantic.BaseModel]:
    """Return the table in which an entry stands."""
    for name in loc:
        if isinstance(name, str) and name in shape.model_fields:
            shape = next(_models(shape.model_fields[name].annotation), shape)
    return shape


def _models(annotation: Any) -> Iterator[type[pydantic.BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models(inner)
