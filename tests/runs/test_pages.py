"""Pages of runs: one, and several side by side; in a real browser without barriers, requests or sideways scrolling."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

import genai4eu as workbench
from genai4eu.errors import WorkbenchError
from genai4eu.runs import plot
from genai4eu.runs.figures import figures
from genai4eu.runs.record import Record
from genai4eu.runs.view import page

from ..barriers import without_barriers

pytestmark = pytest.mark.usefixtures("forked_kernels")

CLI = Callable[..., subprocess.CompletedProcess[str]]
CELLS = [
    "# Does a higher wave carry further?",
    ("parameters", "height: float = 2.0  # wave height [m] in 0..9\nlabel: str = 'a'\nfail: bool = False"),
    "import genai4eu\nrun = genai4eu.current_run()\nrun.metric('reach', 10 * height, unit='m')\n"
    "run.metric('score', height / 10)\nrun.metric('lost', float('nan'), unit='mL')\n"
    "(run.outputs / 'kept.txt').write_text('x')",
    "from IPython.display import HTML, SVG, display\n"
    "dot = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='\n"  # noqa: E501
    'display(HTML(f\'<figure><figcaption>It carries</figcaption><img src="{dot}" alt="The wave; line"></figure>\'))\n'
    'display(HTML(\'<img src="https://example.org/a.png" alt="elsewhere">\'))\n'
    'display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>\'))',
    "if fail: raise ValueError('<b>no</b>')",
]


@pytest.fixture
def runs(notebook: Callable[..., Path]) -> list[Record]:
    """Three runs of a notebook, the last of them failed."""
    path = notebook(*CELLS)
    given: list[dict[str, Any]] = [{"height": 3.0}, {"label": "b"}, {"height": 5, "fail": True}]
    return [workbench.run(path, listener=lambda *_: None, **values) for values in given]


@pytest.mark.slow
def test_pages_in_a_browser(runs: list[Record], genai4eu: CLI, browser: Browser, house: Path) -> None:
    for record in (runs[0], runs[2]):
        done = genai4eu("runs", "open", record.id)
        assert done.returncode == 0, done.stderr
        without_barriers(browser, Path(done.stdout.strip()))
    written = genai4eu("runs", "compare", *(r.id for r in runs), "--html", "side by side.html")
    assert written.stdout == "side by side.html\n", written.stderr
    without_barriers(browser, house / "side by side.html")
    shown = browser.new_page()
    shown.goto((house / "side by side.html").as_uri())
    assert shown.get_by_role("img", name="reach (m): A 30, B 20, C 50").is_visible()
    assert shown.get_by_role("img", name="lost (mL): A undefined, B undefined, C undefined").is_visible()
    assert shown.get_by_role("img", name="The wave; line").count() == 3
    letters = shown.locator("svg").first.locator(".letter")
    assert letters.all_text_contents() == ["A", "B", "C"]
    a, b, c = (d.bounding_box() or {"x": -1} for d in shown.locator("svg").first.locator(".dot").all())
    assert 0 < b["x"] < a["x"] < c["x"]
    shown.close()
    check_comparison(runs, genai4eu)


def check_comparison(runs: list[Record], genai4eu: CLI) -> None:
    ids = [r.id for r in runs]
    told = json.loads(genai4eu("runs", "compare", *ids, "--json").stdout)
    assert told["differing"] == {"height": [3.0, 2.0, 5], "label": ["a", "b", "a"], "fail": [False, False, True]}
    assert told["metrics"]["reach"] == {"unit": "m", "values": [30, 20, 50]}
    table = genai4eu("runs", "compare", *ids).stdout
    assert re.search(r"^reach +m +30 +20 +50$", table, re.MULTILINE), table
    assert re.search(r"^lost +mL +– +– +–$", table, re.MULTILINE), table
    made = workbench.compare(runs)
    assert "reach goes from 20 (run B) to 50 m (run C)" in made._repr_html_()
    assert "&lt;b&gt;no&lt;/b&gt;" in made._repr_html_() and "<b>no" not in made._repr_html_()
    found = figures(runs[0])
    assert [(f.alt, f.title) for f in found] == [
        ("The wave; line", "It carries"), ("Picture 2 of a cell, without a description", "")
    ]  # fmt: skip
    assert not any("example.org" in f.source for f in found)
    check_one(runs)


def check_one(runs: list[Record]) -> None:
    whole = page(runs[0]).html
    for part in ("Sealed, and unchanged since.", "an estimate", "kept.<wbr>txt", "exact in", "undefined"):
        assert part in whole, part
    assert "The wave; line" not in runs[0]._repr_html_() and "30" in runs[0]._repr_html_()
    (runs[0].folder / "log.txt").write_text("changed")
    assert "Changed since it was sealed: changed log.txt." in page(runs[0]).html
    failed = page(runs[2]).html
    assert "ValueError: &lt;b&gt;no&lt;/b&gt;" in failed and "It ended in cell 6 of 6." in failed


@pytest.mark.parametrize("count", [0, 1, 11])
def test_how_many_can_be_compared(count: int) -> None:
    with pytest.raises(WorkbenchError, match=f"two to ten runs can be compared, not {count}"):
        workbench.compare(["a"] * count)
    with pytest.raises(WorkbenchError, match="one run alone"):
        workbench.compare("latest")


@pytest.mark.parametrize(
    ("low", "high"), [(0.31, 0.52), (0, 1), (5, 5), (0, 0), (-3, 4e6), (1e-9, 2e-9), (99.5, 100.5), (-1e300, 1e300)]
)
def test_axes_reach_around_the_values(low: float, high: float) -> None:
    ticks = plot.nice(low, high)
    assert ticks[0] <= low and ticks[-1] >= high * (1 - 1e-12)
    assert 2 <= len(ticks) <= 7
    drawing = plot.dots("a<b", "1", "AB", [low, high])
    assert "a&lt;b (dimensionless)" in drawing and drawing.count("<circle") == 2
    said = re.findall(r'class="tick"[^>]*>([^<]*)<', drawing)
    assert len(set(said)) == len(said), said
