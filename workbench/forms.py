"""The form of a template or notebook: the widget asks, this says what may be given, and runs. For notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from .catalogue import source
from .json_schema import describe, json_schema
from .parameters import Parameter, Schema, fault
from .runs.context import before_visitors
from .values import members, read_text

if TYPE_CHECKING:
    from genai4eu.widgets.form import ParameterForm, Tell

    from .runs.record import Record


def form(name: str | Path, words: Mapping[str, str] | None = None) -> ParameterForm:
    """Show a form that runs a template or notebook: one field a parameter, a target, and a button.

    Parameters
    ----------
    name : str or Path
        Name of a template, or path of a notebook.
    words : mapping of str to str, optional
        The widget's words in another language.

    Returns
    -------
    ParameterForm
        A widget; its ``result`` is the record of the last run.

    Raises
    ------
    WorkbenchError
        For an unknown template, or a notebook without a parameters cell.
    """
    from genai4eu.widgets import ParameterForm

    from .places import described

    if before_visitors():  # the page shows it as it was recorded
        return ParameterForm(str(name), {"properties": {}}, lambda values: {}, [], None, words=words)
    found = source(name)
    schema = found.schema

    def start(values: Mapping[str, Any], target: str, tell: Tell) -> tuple[str, Record]:
        from .runs.runner import run

        tell(0, f"starting a kernel on {target}; to stop, interrupt this notebook's kernel")
        record = run(name, on=target, parameters=given(schema, values), listener=_follow(tell))
        return _shown(record), record

    made = ParameterForm(
        found.title, json_schema(schema, found.title), lambda values: faults(schema, values), _targets(), start,
        refresh=described, words=words,
    )  # fmt: skip
    made.workbench = True
    return made


def faults(schema: Schema, values: Mapping[str, Any]) -> dict[str, str]:
    """Return a sentence for each value of a form that will not do."""
    from genai4eu.widgets.field import wording

    found = {}
    for name, entered in values.items():
        parameter = schema.parameters[name]
        if fault(parameter, _read(parameter, entered)):
            words = wording(describe(parameter)) or parameter.allowed
            shown = "Something is missing" if entered in ("", None) else f"{_short(entered)} will not do"
            found[name] = f"{shown if not parameter.secret else 'This will not do'}: give {words}."
    return found


def _short(entered: Any) -> str:
    text = str(entered)
    return text if len(text) <= 40 else f"{text[:40]}…"


def given(schema: Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from the notebook's own values: only that is given to a run."""
    read = {name: _read(schema.parameters[name], entered) for name, entered in values.items()}
    checked = schema.validate(read)
    return {name: value for name, value in checked.items() if value != schema.parameters[name].plain_default}


def _read(parameter: Parameter, entered: Any) -> Any:
    """Return a form's value as the parameter's type; an empty field is nothing, where nothing is allowed."""
    single = not any(get_origin(m) is list or m is list for m in members(parameter.type))
    if not isinstance(entered, str) or (parameter.choices is not None and single):
        return entered
    if not entered.strip() and type(None) in members(parameter.type):
        return None
    return entered if members(parameter.type) == (str,) else read_text(parameter.type, entered.strip())


def _targets() -> list[dict[str, Any]]:
    """Return the targets with Python kernels before any was asked how it is: that may take seconds."""
    from genai4eu.kernels.targets import all_targets

    return [
        {"name": t.name, "title": t.display_name, "where": t.where, "state": "not asked yet", "ready": True}
        for t in all_targets()
        if t.language == "python"
    ]


def _follow(tell: Tell) -> Any:
    """Return a listener that shows how far the run has come."""
    cells = {"done": 0, "total": 1}

    def listen(event: str, data: dict[str, Any]) -> None:
        if event == "cell":
            cells.update(done=data["index"] + (data["status"] == "completed"), total=data["total"])
            tell(cells["done"] / cells["total"], f"cell {min(data['index'] + 1, data['total'])} of {data['total']}")
        elif event == "progress":
            left = "" if data["remaining"] is None else f", about {data['remaining']:.0f} s left"
            part = (cells["done"] + data["done"] / (data["total"] or 1)) / cells["total"]
            tell(min(part, 1), f"{data['label']} {data['done']:g} of {data['total']:g}{left}".strip())

    return listen


def _shown(record: Record) -> str:
    """Return a run as the form shows it: how it ended, its metrics, where it lies, what can be done next."""
    about = record.summary()
    why = f": {about['error']}" if about["error"] else f" in {about['duration'] or 0:.0f} s"
    done = about["status"] == "completed"
    mark = "" if done else ' class="genai4eu-failed"'
    lines = [f"<p{mark}><strong>{html.escape(about['status'] + why)}</strong></p>"]
    if record.metrics:
        cells = [(n, _number(m["value"]), m["unit"]) for n, m in record.metrics.items()]
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(str(c))}</td>' for c in row)}</tr>" for row in cells)
        lines.append(f"<table><thead><tr><th>metric</th><th>value</th><th>unit</th></tr></thead>{rows}</table>")
    lines.append(f"<p>Record: <code>{html.escape(str(record.folder))}</code></p>")
    order = f"genai4eu publish {record.id}" if done else f"genai4eu runs show {record.id}"
    return "\n".join([*lines, f"<p>Next, in a terminal: <code>{html.escape(order)}</code></p>"])


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
