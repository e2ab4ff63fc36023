"""Compare what the cells of two executed notebooks show, without when they showed it. For the notebook of a record.

Set aside: what goes to standard error, the ids and the state of widgets, which are made up in every kernel, and metrics
that the template declares to say nothing of the result, such as measured times.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..runs.context import METRIC_MIME
from ..runs.large import restore
from . import texts, trees
from .finding import IDENTICAL, Finding, different, together
from .kinds import closer
from .tolerance import Tolerance

_WIDGET = "application/vnd.jupyter.widget-view+json"
#: Set aside because each kernel makes it up.
_MADE_UP = {_WIDGET: "ids of widgets"}


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare the outputs of two executed notebooks, cell by cell; ``theirs`` is the record's."""
    a, b = _read(ours), _read(theirs)
    if [_source(c) for c in a["cells"]] != [_source(c) for c in b["cells"]]:
        return different("its cells", "they are not the same")
    pairs = enumerate(zip(a["cells"], b["cells"], strict=True), 1)
    return together(_cell(x, y, tolerance).at(f"cell {number}") for number, (x, y) in pairs)


def _read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    restore(notebook, path.parent)
    return notebook


def _source(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def _cell(a: Mapping[str, Any], b: Mapping[str, Any], tolerance: Tolerance) -> Finding:
    ours, theirs = list(_shown(a)), list(_shown(b))
    told = _errors(a) != _errors(b)
    aside = [Finding("equal", aside=("standard error",))] if told else []
    if [o["output_type"] for o in ours] != [o["output_type"] for o in theirs]:
        return different(None, f"{len(ours)} outputs instead of {len(theirs)}, or of other kinds")
    return together([*aside, *(_output(x, y, tolerance) for x, y in zip(ours, theirs, strict=True))])


def _shown(cell: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the outputs that count; pieces of printed text, however they came, as one."""
    printed: dict[str, Any] | None = None
    for output in cell.get("outputs", []):
        if output["output_type"] != "stream":
            printed = None
            yield output
        elif output["name"] == "stdout":
            if printed is None:
                printed = {"output_type": "stream", "text": ""}
                yield printed
            printed["text"] += "".join(output["text"])


def _errors(cell: Mapping[str, Any]) -> str:
    streams = (o for o in cell.get("outputs", []) if o["output_type"] == "stream" and o["name"] == "stderr")
    return "".join("".join(o["text"]) for o in streams)


def _output(a: dict[str, Any], b: dict[str, Any], tolerance: Tolerance) -> Finding:
    if b["output_type"] == "stream":
        return texts.contents(a["text"], b["text"], tolerance)
    if b["output_type"] == "error":
        return texts.contents(f"{a['ename']}: {a['evalue']}", f"{b['ename']}: {b['evalue']}", tolerance)
    if a["data"].keys() != b["data"].keys():
        return different(None, f"shows {', '.join(sorted(a['data']))} instead of {', '.join(sorted(b['data']))}")
    metric = b["data"].get(METRIC_MIME, {}).get("name")
    if metric in tolerance.ignore and metric == a["data"][METRIC_MIME].get("name"):
        return IDENTICAL if a["data"] == b["data"] else Finding("equal", aside=(f"{metric} (declared)",))
    widget = _WIDGET in b["data"]  # its text is its state, of which only ids may differ
    return together(_form(mime, a["data"][mime], value, tolerance, widget) for mime, value in b["data"].items())


def _form(mime: str, a: Any, b: Any, tolerance: Tolerance, widget: bool) -> Finding:
    """Compare one form of an output."""
    if a == b:
        return IDENTICAL
    if mime in _MADE_UP:
        return Finding("identical", aside=(_MADE_UP[mime],))
    if mime.endswith("json") and not isinstance(b, str):
        return _json(a, b, tolerance)
    ours, theirs = "".join(a), "".join(b)
    if mime.startswith("image/") and mime != "image/svg+xml":
        return closer("images", base64.b64decode(ours), base64.b64decode(theirs), tolerance)
    return texts.contents(ours, theirs, tolerance, drawn=widget or mime in ("image/svg+xml", "text/html"))


def _json(a: Any, b: Any, tolerance: Tolerance) -> Finding:
    """Compare JSON, in which widgets may be named."""
    ours, theirs = texts.without_ids(json.dumps(a)), texts.without_ids(json.dumps(b))
    if ours == theirs:
        return Finding("identical", aside=(_MADE_UP[_WIDGET],))
    return trees.contents(json.loads(ours), json.loads(theirs), tolerance)
