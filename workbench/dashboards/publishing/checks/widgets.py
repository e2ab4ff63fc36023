"""Widgets in the stored state: labels of controls, pictures without words, and code from elsewhere. By the checks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import shown
from .finding import Finding, Numbered, cell
from .shown import Piece

_VIEW = "application/vnd.jupyter.widget-view+json"
_STATE = "application/vnd.jupyter.widget-state+json"
#: Models of ipywidgets that a person sets.
_CONTROLS = re.compile(
    r"(?:Int|Float|FloatLog|IntRange|FloatRange|Selection|SelectionRange)SliderModel|(?:Bounded)?(?:Int|Float)TextModel|"
    r"(?:Dropdown|Select|SelectMultiple|RadioButtons|ToggleButtons|ToggleButton|Button|Checkbox|Text|Textarea|Password|"
    r"Combobox|DatePicker|TimePicker|DatetimePicker|NaiveDatetimePicker|ColorPicker|FileUpload|TagsInput|ColorsInput|"
    r"FloatsInput|IntsInput|Play)Model"
)
#: Whose front-end code the pages bring along.
_BUNDLED = ("@jupyter-widgets/base", "@jupyter-widgets/controls", "@jupyter-widgets/output", "anywidget")
_IMPORTED = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']((?:https?:)?//[^"']+)["']""")
_IN_STYLE = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\s\"')>]+)", re.IGNORECASE)

State = Mapping[str, Any]


def state_of(notebook: Mapping[str, Any]) -> State:
    """Return the stored models by id."""
    found: State = notebook.get("metadata", {}).get("widgets", {}).get(_STATE, {}).get("state", {})
    return found


def check(numbered: Numbered, state: State) -> Iterator[Finding | Piece]:
    """Yield what is wrong with the widgets of a cell, and the parts of the page that they show."""
    number, content = numbered
    for output in content.get("outputs", []):
        if _VIEW in output.get("data", {}):
            for model in tree(output["data"][_VIEW]["model_id"], state):
                yield from _model(number, model)


def tree(top: str, state: State) -> Iterator[Mapping[str, Any]]:
    """Yield a widget and all that it contains, in the order they are shown."""
    seen: set[str] = set()
    waiting = [top]
    while waiting:
        name = waiting.pop(0)
        if name in seen or name not in state:
            continue
        seen.add(name)
        yield state[name]
        own = state[name].get("state", {})
        waiting[:0] = [str(c).removeprefix("IPY_MODEL_") for c in own.get("children", [])]


def _model(number: int, model: Mapping[str, Any]) -> Iterator[Finding | Piece]:
    where, name, own = cell(number), str(model.get("model_name")), model.get("state", {})
    if _CONTROLS.fullmatch(name) and not any(str(own.get(k) or "").strip() for k in ("description", "tooltip")):
        kind = name.removesuffix("Model")
        yield Finding("label", where, f"a control ({kind}) has no label", f"{kind}(description='…'), and run again")
    if name in ("ImageModel", "VideoModel", "AudioModel"):
        kind = name.removesuffix("Model")
        yield Finding("alternative text", where, f"a widget of kind {kind} has no alternative text",
                      "show a picture with genai4eu.widgets.figure(fig, alt=…) and run again")  # fmt: skip
    for output in own.get("outputs", []) if name == "OutputModel" else []:
        yield from shown.of_output(number, output)
    if isinstance(own.get("value"), str) and "<" in own["value"] and name in ("HTMLModel", "HTMLMathModel", "AnyModel"):
        yield Piece(number, own["value"])
    yield from _code(where, model)


def _code(where: str, model: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield front-end code that a browser would have to fetch."""
    module, own = str(model.get("model_module", "")), model.get("state", {})
    if module not in _BUNDLED:
        yield Finding("third party", where, f"a widget of {module} draws with code that no page brings along",
                      "show a picture with genai4eu.widgets.figure, or use ipywidgets or anywidget")  # fmt: skip
    code, style = str(own.get("_esm") or ""), str(own.get("_css") or "")
    found = [text.strip() for text in (code, style) if re.match(r"\s*(?:https?:)?//[^\s/]+\.[^\s]+\s*$", text)]
    found += _IMPORTED.findall(code) + _IN_STYLE.findall(style)
    for address in dict.fromkeys(found):
        yield shown.foreign(where, address)
