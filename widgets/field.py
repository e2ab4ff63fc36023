"""One field of a form: label, help, input and the sentence on what is wrong with it. Called by the form.

What it asks for is plain data: the JSON Schema (2020-12) of one value, its unit in ``x-unit``.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import date
from typing import Any

import ipywidgets

#: More options than this go into a list that opens.
MAX_IN_SIGHT = 4
_LAYOUT = {"width": "100%", "max_width": "none"}
_STYLE = {"description_width": "initial"}


class Field(ipywidgets.VBox):  # type: ignore[misc]
    """Asks for one value.

    Parameters
    ----------
    name : str
        What the value is called.
    schema : mapping
        JSON Schema of the value, with its default.
    """

    def __init__(self, name: str, schema: Mapping[str, Any]) -> None:
        self.name = name
        unit = schema.get("x-unit")
        label = name if unit in (None, "", "1") else f"{name} ({unit})"
        self.input = _input(label, schema)
        said = ". ".join(part[:1].upper() + part[1:] for part in (schema.get("description"), wording(schema)) if part)
        self._help = ipywidgets.HTML(f'<p class="genai4eu-help">{html.escape(said)}.</p>' if said else "")
        self._error = ipywidgets.HTML()
        super().__init__([self.input, self._help, self._error])
        self.add_class("genai4eu-field")
        if {m.get("type") for m in _members(schema)} <= {"integer", "number", "null"}:
            self.add_class("genai4eu-number")
        self.say("")

    @property
    def value(self) -> Any:
        """What was entered: a text, an option, or ``None`` where nothing was chosen."""
        found = self.input.value
        return found.isoformat() if isinstance(found, date) else found

    def say(self, sentence: str) -> None:
        """Show what is wrong, at the field; nothing takes it away."""
        # Always the same element: a screen reader announces only changes inside one.
        self._error.value = f'<p class="genai4eu-error" role="alert">{html.escape(sentence)}</p>'
        (self.add_class if sentence else self.remove_class)("genai4eu-wrong")


def _input(label: str, schema: Mapping[str, Any]) -> ipywidgets.ValueWidget:
    default = schema.get("default")
    common = {"description": label, "layout": _LAYOUT, "style": _STYLE}
    if (options := _options(schema)) is not None:
        kind = ipywidgets.RadioButtons if len(options) <= MAX_IN_SIGHT else ipywidgets.Dropdown
        return kind(options=options, value=default, **common)
    if _is_date(schema):
        return ipywidgets.DatePicker(value=date.fromisoformat(default) if default else None, **common)
    text = as_text(default)
    kind = ipywidgets.Textarea if "\n" in text else ipywidgets.Text
    return kind(value=text, continuous_update=False, **common)


def as_text(value: Any) -> str:
    """Return a value as one types it: lists with commas, nothing for ``None``."""
    if isinstance(value, list) and not any(isinstance(v, list) or "," in str(v) for v in value):
        return ", ".join(map(as_text, value))
    return "" if value is None else str(value)


def _members(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what the value may be, one type each."""
    if "anyOf" in schema:
        return [m for option in schema["anyOf"] for m in _members(option)]
    types = schema.get("type")
    return [{**schema, "type": t} for t in types] if isinstance(types, list) else [schema]


def _options(schema: Mapping[str, Any]) -> list[tuple[str, Any]] | None:
    """Return the options of a choice, ``None`` where the value is free."""
    kinds = {m.get("type") for m in _members(schema)}
    values = schema.get("enum") or ([True, False] if "boolean" in kinds and kinds <= {"boolean", "null"} else None)
    if values is None:
        return None
    values = [*values, *([None] if "null" in kinds and None not in values else [])]
    return [(_NAMES.get(v, str(v)) if isinstance(v, bool | None) else str(v), v) for v in values]


_NAMES: dict[Any, str] = {True: "yes", False: "no", None: "none"}


def _is_date(schema: Mapping[str, Any]) -> bool:
    kinds = [m for m in _members(schema) if m.get("type") != "null"]
    return [m.get("format") for m in kinds] == ["date"]


def wording(schema: Mapping[str, Any]) -> str:
    """Say in plain words what may be entered: ``a whole number from 1 to 400, or nothing``."""
    if _options(schema) is not None:
        return ""
    members = _members(schema)
    said = [_words(m) for m in members if m.get("type") != "null"]
    nothing = [m for m in members if m.get("type") == "null"]
    if not any(said):
        return "may be left empty" if nothing else ""
    return " or ".join(w for w in said if w) + (", or nothing" if nothing else "")


def _words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        inner = _words(schema.get("items", {}))
        return "values with commas between" + (f", each {inner}" if inner else "")
    if "pattern" in schema:
        return "the name of a secret, as secret:NAME, never the secret itself"
    what = _WHAT.get(schema.get("format") or schema.get("type") or "", "")
    low = schema.get("minimum", schema.get("formatMinimum"))
    high = schema.get("maximum", schema.get("formatMaximum"))
    return what + (f" from {low}" if low is not None else "") + (f" to {high}" if high is not None else "")


_WHAT = {
    "integer": "a whole number",
    "number": "a number",
    "date": "a date",
    "date-time": "a time such as 2026-01-31T12:00",
    "path": "a path on the computer where the kernel runs",
}
