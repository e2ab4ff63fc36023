"""What a sweep tells when it has ended: the best run, figures, a table; on a terminal of any width, or without one."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from rich.console import Console
from rich.live import Live

from genai4eu.errors import WorkbenchError
from genai4eu.runs.files import write_json
from genai4eu.sweeps import figures
from genai4eu.sweeps.folder import State, Sweep
from genai4eu.sweeps.outcome import Outcome
from genai4eu.sweeps.scatter import scatter
from genai4eu.sweeps.summary import Summary, write
from genai4eu.sweeps.table import Drawing, Lines, progress, span, window
from genai4eu.sweeps.trend import trend

from ..barriers import without_barriers

CELL = "rate: float = 0.1  # rate [1/s] in 0..1\nkind: str = 'a'  # kind in {a, b}\nseed: int = 0  # seed"


@pytest.fixture
def sweep(house: Path) -> Sweep:
    """A sweep over two parameters and three seeds, whose last run failed."""
    folder = house / "runs" / "sweep-study-00000000"
    folder.mkdir(parents=True)
    cell = {"cell_type": "code", "id": "c", "source": CELL, "metadata": {"tags": ["parameters"]}, "outputs": []}
    notebook = {"cells": [{**cell, "execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    write_json(folder / "input.ipynb", notebook)
    points = [point(i, rate, kind, seed) for i, (rate, kind, seed) in enumerate(
        (rate, kind, seed) for rate in (0.001, 0.01, 0.1) for kind in "ab" for seed in range(3))]  # fmt: skip
    points[-1] |= {"status": "failed", "metrics": {}, "error": "ValueError: <too large>"}
    for p in points:
        (house / "runs" / p["run"]).mkdir()
        write_json(house / "runs" / p["run"] / "run.json", {})
        units = {name: {"value": value, "unit": "m"} for name, value in p["metrics"].items()}
        write_json(house / "runs" / p["run"] / "metrics.json", units)
    about = {"id": folder.name, "template": "study.ipynb", "title": "A study", "target": "genai4eu", "started": "now"}
    write_json(folder / "sweep.json", {**about, "varied": ["rate", "kind", "seed"], "points": points})
    return Sweep(folder)


def point(index: int, rate: float, kind: str, seed: int) -> dict[str, Any]:
    metrics = {"reach": 100 * rate + (kind == "b") + seed / 10, "loss": 1 - rate}
    return {"parameters": {"rate": rate, "kind": kind, "seed": seed}, "run": f"run-{index:02}", "status": "completed",
            "duration": 1.5, "error": None, "metrics": metrics, "earlier": []}  # fmt: skip


def test_the_best_run_by_the_metric_and_direction_that_is_asked_for(sweep: Sweep) -> None:
    def best(wish: str | None) -> str | None:
        found = Outcome(sweep, sweep.states(), wish).best
        return found.run if found else None

    assert [best(None), best("reach:min"), best("loss"), best("loss:max")] == ["run-16", "run-00", "run-12", "run-00"]
    with pytest.raises(WorkbenchError, match="no run has that metric, they have reach, loss"):
        best("skill")
    with pytest.raises(WorkbenchError, match="min or max"):
        best("reach:up")
    assert Outcome(sweep, sweep.states()).finding == "The best reach is 11.1 m, at rate = 0.1, kind = b, seed = 1"


@pytest.mark.slow
def test_notebook_page_and_table_hold_it_all(sweep: Sweep) -> None:
    pytest.importorskip("matplotlib")
    page = write(sweep).read_text()
    assert "<h1>The best reach is 11.1 m" in page
    assert page.count("<figure") == 4, "two metrics over two parameters"
    assert "reach over rate: rises from 0.7 to " in page and "loss over rate: falls from 0.999 to 0.9 m" in page
    assert "10⁻³" in page and "rate [1/s]" in page and '<header class="genai4eu-bar">' in page
    assert "ValueError: &lt;too large&gt;" in page
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched"
    assert "reach depends most on rate: rises from 0.7 to " in (sweep.folder / "summary.ipynb").read_text()
    cells = json.loads((sweep.folder / "summary.ipynb").read_text())["cells"]
    assert [c["execution_count"] for c in cells if c["cell_type"] == "code"] == [1, 2, 3, 4]
    assert not [o for c in cells for o in c.get("outputs", []) if o["output_type"] == "error"]
    rows = list(csv.DictReader(io.StringIO((sweep.folder / "points.csv").read_text())))
    assert (len(rows), rows[16]["reach"], rows[17]["status"]) == (18, "11.1", "failed")


def test_runs_at_one_value_are_all_seen_and_each_is_at_its_place(sweep: Sweep) -> None:
    drawing = scatter(Outcome(sweep, sweep.states()), "reach", "kind")
    dots = re.findall(r'<circle class="run" cx="([\d.]+)%" cy="([\d.]+)"[^>]*?(?:translate\(([-\d.]+))?', drawing)
    assert len(dots) == 17 and len({x for x, _, _ in dots}) == 2
    assert drawing.count("translate(") == 17 - 1, "eight at one value: none is in the middle; nine at the other: one is"
    assert drawing.count('class="best"') == 1 and 'class="mean"' not in drawing, "no line from choice to choice"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([3, 2, 1], "falls from 3 to 1 m"),
        ([1, 2, 3], "rises from 1 to 3 m"),
        ([5, 1, 4], "least at 0.01 (1 m), from 5 to 4 m at the ends"),
        ([2, 7, 1], "greatest at 0.01 (7 m), from 2 to 1 m at the ends"),
        ([2, 2, 2], "2 m throughout"),
    ],
)
def test_a_finding_follows_the_order_of_the_parameter(sweep: Sweep, values: list[float], said: str) -> None:
    at = dict(zip((0.001, 0.01, 0.1), values, strict=True))
    states = [replace(s, metrics={"reach": at[s.parameters["rate"]]}) for s in reversed(sweep.states())]
    assert trend(Outcome(sweep, states), "reach", "rate") == said


@pytest.mark.slow
def test_the_page_in_a_browser(sweep: Sweep, browser: Browser) -> None:
    path = write(sweep)
    without_barriers(browser, path)
    shown = browser.new_page(viewport={"width": 320, "height": 800})
    shown.goto(path.as_uri())
    table = shown.get_by_role("region", name="All points, table")
    assert table.evaluate("t => t.scrollWidth > t.clientWidth && getComputedStyle(t).backgroundImage != 'none'")
    assert all((d.bounding_box() or {"width": 999})["width"] <= 320 for d in shown.locator("figure svg").all())


def test_without_matplotlib_the_summary_says_so(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(figures, "can_draw", lambda: False)
    monkeypatch.setattr("genai4eu.sweeps.summary.can_draw", lambda: False)
    summary = Summary(sweep)
    summary.plot("reach")
    assert "matplotlib is not installed here" in capsys.readouterr().out
    assert summary.table()._repr_html_().count("<tr>") == 19


def states(number: int) -> list[State]:
    every = ["completed"] * (number // 2) + ["failed", "running", "running"]
    every += ["pending"] * (number - len(every))
    return [State(i, {"rate": i / 1000, "a-long-name": "x" * 12, "seed": i}, status=s) for i, s in enumerate(every)]


@pytest.mark.parametrize("width", [50, 80, 200])
def test_the_table_fits_the_terminal(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, height=12, force_terminal=True, color_system=None)
    drawing = Drawing(Live(console=console), ["rate", "a-long-name", "seed"])
    with console.capture() as seen:
        console.print(drawing.picture(states(100), {52: {"cell": {"index": 1, "total": 4}}}))
    lines = seen.get().splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= width
    assert any(line.startswith("52") and "cell 2/4" in line for line in lines)
    assert "51/100 · 50 completed" in seen.get()
    assert ("seed" in lines[0]) == (width == 200) or width == 80


def test_what_runs_and_what_went_wrong_is_never_out_of_sight() -> None:
    chosen = window(states(1000), 8)
    assert len(chosen) == 8
    assert {"running", "failed", "completed", "pending"} == {s.status for s in chosen}
    assert [s.status for s in chosen].count("running") == 2


def test_off_a_terminal_each_end_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell = Lines(Console(stderr=True))
    before = [State(0, {"seed": 0}, "run-0", "completed", 1.0), State(1, {"seed": 1})]
    tell(before, {})
    after = [before[0], State(1, {"seed": 1}, "run-1", "failed", 2.0, "ValueError: x")]
    tell(after, {})
    tell(after, {})
    assert capsys.readouterr().err == "2/2 failed in 2.0 s: seed=1 (run-1): ValueError: x\n"


def test_progress_and_time_in_words() -> None:
    own = {"label": "training", "done": 3, "total": 4, "remaining": 95.0}
    running = State(0, {}, status="running")
    assert (
        progress(running, {"cell": {"index": 4, "total": 9}, "progress": own}) == "cell 5/9 · training 75 %, 95 s left"
    )
    assert [span(s) for s in (0.25, 59, 200, 7200)] == ["0.2 s", "59 s", "3 min", "2 h 00 min"]
