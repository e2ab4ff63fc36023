"""The page on widgets: its examples with plain data run, and it names every widget there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from genai4eu import widgets
from genai4eu.widgets import RunMonitor, RunTable, TargetPicker

#: What is no widget: data for them, and figures.
_OTHERS = {"Choice", "Outcome", "Range", "figure", "figure_html", "use_style"}


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
