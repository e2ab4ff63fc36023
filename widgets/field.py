"""One field of a form: label, help, and how its value is asked for, as plain data. Called by the form.

What it asks for is the JSON Schema (2020-12) of one value, its unit in ``x-unit``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from .formwords import FORM_WORDS

#: More options than this go into a list that opens.
MAX_IN_SIGHT = 4

Schema = Mapping[str, Any]
Words = Mapping[str, str]


def field(name: str, schema: Schema, words: Words = FORM_WORDS) -> dict[str, Any]:
    """Return what a page needs to ask for one value.

    Parameters
    ----------
    name : str
        What the value is called.
    schema : mapping
        JSON Schema of the value, with its default.

    Returns
    -------
    dict
        ``name``, ``label``, ``help``, ``kind`` (``radio``, ``list``, ``date``, ``text``, ``lines``), ``options``, what
        is shown and the value of each, ``value``, what is entered at first, and ``number``, whether it is one.
    """
    unit = schema.get("x-unit")
    parts = (schema.get("description"), wording(schema, words))
    said = ". ".join(part[:1].upper() + part[1:] for part in parts if part)
    kinds = {m.get("type") for m in _members(schema)}
    kind, value, options = _asked(schema, words)
    return {
        "name": name, "label": name if unit in (None, "", "1") else f"{name} ({unit})", "kind": kind, "value": value,
        "help": said and f"{said}.", "options": options, "number": kinds <= {"integer", "number", "null"},
    }  # fmt: skip


def _asked(schema: Schema, words: Words) -> tuple[str, Any, list[list[Any]]]:
    """Return how a value is asked for, what is entered at first, and the options."""
    default = schema.get("default")
    if (options := _options(schema, words)) is not None:
        return "radio" if len(options) <= MAX_IN_SIGHT else "list", default, options
    if _is_date(schema):
        return "date", date.fromisoformat(default).isoformat() if default else None, []
    text = as_text(default)
    return "lines" if "\n" in text else "text", text, []


def as_text(value: Any) -> str:
    """Return a value as one types it: lists with commas, nothing for ``None``."""
    if isinstance(value, list) and not any(isinstance(v, list) or "," in str(v) for v in value):
        return ", ".join(map(as_text, value))
    return "" if value is None else str(value)


def _members(schema: Schema) -> list[Schema]:
    """Return what the value may be, one type each."""
    if "anyOf" in schema:
        return [m for option in schema["anyOf"] for m in _members(option)]
    types = schema.get("type")
    return [{**schema, "type": t} for t in types] if isinstance(types, list) else [schema]


def _options(schema: Schema, words: Words) -> list[list[Any]] | None:
    """Return what is shown and the value of each option of a choice, ``None`` where the value is free."""
    kinds = {m.get("type") for m in _members(schema)}
    values = schema.get("enum") or ([True, False] if "boolean" in kinds and kinds <= {"boolean", "null"} else None)
    if values is None:
        return None
    values = [*values, *([None] if "null" in kinds and None not in values else [])]
    named = {True: words["yes"], False: words["no"], None: words["none"]}
    return [[named[v] if isinstance(v, bool | None) else str(v), v] for v in values]


def _is_date(schema: Schema) -> bool:
    kinds = [m for m in _members(schema) if m.get("type") != "null"]
    return [m.get("format") for m in kinds] == ["date"]


def wording(schema: Schema, words: Words = FORM_WORDS) -> str:
    """Say in plain words what may be entered: ``a whole number from 1 to 400, or nothing``."""
    if _options(schema, words) is not None:
        return ""
    members = _members(schema)
    said = [_words(m, words) for m in members if m.get("type") != "null"]
    nothing = [m for m in members if m.get("type") == "null"]
    if not any(said):
        return words["may_be_empty"] if nothing else ""
    return words["or"].join(w for w in said if w) + (words["or_nothing"] if nothing else "")


def _words(schema: Schema, words: Words) -> str:
    if "enum" in schema:
        return words["one_of"].format(values=", ".join(map(str, schema["enum"])))
    if schema.get("type") == "array":
        inner = _words(schema.get("items", {}), words)
        return words["with_commas"] + (words["each"].format(what=inner) if inner else "")
    if "pattern" in schema:
        return words["a_secret"]
    what = words.get(f"a_{schema.get('format') or schema.get('type') or ''}", "")
    low = schema.get("minimum", schema.get("formatMinimum"))
    high = schema.get("maximum", schema.get("formatMaximum"))
    return (
        what
        + (words["from"].format(low=low) if low is not None else "")
        + (words["to"].format(high=high) if high is not None else "")
    )
