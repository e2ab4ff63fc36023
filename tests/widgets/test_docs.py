"""The page on widgets: its examples with plain data run, and it names every widget there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter

from genai4eu import widgets
from genai4eu.widgets import RunMonitor, RunTable, TargetPicker

#: What is no widget: data for them, figures, sentences.
_OTHERS = {"Choice", "Outcome", "Range", "figure", "figure_html", "say", "use_style"}


def test_the_page_on_widgets(root: Path) -> None:
    text = (root / "docs" / "widgets.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    assert named == set(widgets.__all__) - _OTHERS
    blocks = [b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "import genai4eu\n" not in b]
    space: dict[str, Any] = {}
    made: list[Any] = []
    for block in blocks:
        lines = block.rstrip().split("\n")
        first = next(i for i, line in enumerate(lines) if re.match(r"\w+\(", line))
        exec("\n".join(lines[:first]), space)
        made.append(eval("\n".join(lines[first:]), space))
    kinds = (TargetPicker, RunTable, RunMonitor, TargetPicker)
    assert [isinstance(m, kind) for m, kind in zip(made, kinds, strict=True)] == [True] * 4


def test_an_exported_notebook_without_state_shows_tables() -> None:
    """As ``jupyter nbconvert --to html`` makes it of a notebook whose widgets were not saved."""
    panels = [TargetPicker([{"name": "here"}]), RunTable([{"id": "run-1"}])]
    outputs = [nbformat.v4.new_output("display_data", panel._repr_mimebundle_()[0]) for panel in panels]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    page, _ = HTMLExporter().from_notebook_node(made)
    assert "<caption>Where to run</caption>" in page and '<th scope="row">run-1</th>' in page
