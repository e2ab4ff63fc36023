"""The same notebook by "Run all", stock papermill and the workbench: the same values, of the same types."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient import NotebookClient

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.kernels import local

from ..patience import PAPERMILL

pytestmark = pytest.mark.usefixtures("forked_kernels")

DECLARED = """from datetime import date, datetime
from pathlib import Path

day: date = date(2026, 1, 2)  # first day
when: datetime | None = None  # when it was seen
data: Path = Path("a b/c.nii")  # file on the target
days: list[date] = [
    date(2026, 1, 2),
    date(2026, 1, 3),
]  # days of measurement
rate: float = 2.0  # learning rate [1]
text: str = "a # b"  # a text"""
CELLS = (
    ("parameters", DECLARED),
    "import genai4eu\nfrom dataclasses import dataclass\n\n"
    "day, days = genai4eu.coerce(day, date), genai4eu.coerce(days, list[date])\n"
    "when, data = genai4eu.coerce(when, datetime | None), genai4eu.coerce(data, Path)\n"
    "rate = genai4eu.coerce(rate, float)\n"
    "print([day, when, data, days, rate, text])",
    "@dataclass\nclass Sizes:\n    start: 'date'\n    folder: 'Path | None'\n    n: int\n\n"
    "profiles = {'default': Sizes(date(2020, 1, 1), None, 3)}\n"
    "print(genai4eu.resolve(profiles, 'default', start=str(day), folder=str(data), n=None))",
)
GIVEN: dict[str, Any] = {
    "day": date(2025, 6, 7), "when": datetime(2025, 6, 7, 8, 9), "data": Path("x.nii"),
    "days": [date(2025, 6, 7)], "rate": 3, "text": 'quote " \\ # é\n',
}  # fmt: skip


def said(notebook: Any) -> list[str]:
    return [o["text"] for cell in notebook.cells for o in cell.get("outputs", []) if o["output_type"] == "stream"]


def injected(notebook: Any) -> list[str]:
    return [c.source for c in notebook.cells if "injected-parameters" in c.metadata.get("tags", [])]


def by_run_all(path: Path) -> list[str]:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, kernel_name=local.NAME, timeout=60).execute()
    return said(notebook)


def by_stock(path: Path, values: dict[str, Any]) -> Any:
    return papermill.execute_notebook(str(path), None, values, kernel_name="python3", progress_bar=False)


def by_ours(path: Path, values: dict[str, Any]) -> Any:
    record = genai4eu.run(path, parameters=values, listener=lambda event, data: None)
    assert record.info["status"] == "completed"
    assert json.loads((record.folder / "sizes.json").read_text())["start"] == record.parameters["day"]
    return nbformat.read(record.notebook_path, as_version=4)


@pytest.mark.slow
def test_three_ways_give_the_same_values(notebook: Callable[..., Path], house: Path) -> None:
    local.ensure()
    path = notebook(*CELLS)
    alone = by_run_all(path)
    assert alone[0] == (
        "[datetime.date(2026, 1, 2), None, PosixPath('a b/c.nii'), [datetime.date(2026, 1, 2), "
        "datetime.date(2026, 1, 3)], 2.0, 'a # b']\n"
    )
    assert alone[1] == "Sizes(start=datetime.date(2026, 1, 2), folder=PosixPath('a b/c.nii'), n=3)\n"
    assert said(by_stock(path, {})) == said(by_ours(path, {})) == alone
    ours = by_ours(path, GIVEN)
    texts = {**GIVEN, "day": "2025-06-07", "when": "2025-06-07T08:09:00", "data": "x.nii", "days": ["2025-06-07"]}
    stock = by_stock(path, {**texts, "rate": 3.0})
    assert said(ours) == said(stock) and injected(ours) == injected(stock) and len(injected(ours)) == 1
    assert "datetime.datetime(2025, 6, 7, 8, 9)" in said(ours)[0] and "3.0" in said(ours)[0]


@pytest.mark.slow
def test_an_executed_notebook_runs_again_with_its_own_values(notebook: Callable[..., Path], house: Path) -> None:
    """What a run injected would go before the cell that declares, and the record would tell another value."""
    by_ours(notebook(*CELLS), {"day": date(2025, 6, 7)})
    (record,) = [p for p in (house / "runs").iterdir() if p.is_dir()]
    assert said(by_ours(record / "notebook.ipynb", {})) == by_run_all(house / "study.ipynb")


@pytest.mark.slow
def test_papermill_command_line_with_our_engine(notebook: Callable[..., Path], house: Path) -> None:
    local.ensure()
    path = notebook(*CELLS)
    command = [*PAPERMILL, "--cwd", str(house), "--engine", "genai4eu", "-k", local.NAME]
    values = ["-p", "day", "2025-06-07", "-p", "rate", "3", "-y", "{days: ['2025-06-07']}"]
    subprocess.run(
        [*command, str(path), "out.ipynb", *values], cwd=house, check=True, capture_output=True, env=os.environ
    )
    text = said(nbformat.read(house / "out.ipynb", as_version=4))[0]
    assert "datetime.date(2025, 6, 7), None" in text and "[datetime.date(2025, 6, 7)], 3.0" in text


COERCED: list[tuple[Any, Any, Any]] = [
    ("2026-01-02", date, date(2026, 1, 2)), (date(2026, 1, 2), date, date(2026, 1, 2)), (None, date | None, None),
    ("2026-01-02T03:04", datetime, datetime(2026, 1, 2, 3, 4)), ("a", Path, Path("a")), ("a", Path | None, Path("a")),
    ("2026-01-02", str, "2026-01-02"), ("2026-01-02", date | str, "2026-01-02"), (3, float, 3.0), (True, float, True),
    (3, int | float, 3), (["a"], list[Path] | None, [Path("a")]), (["a"], list, ["a"]),
    ([["a"]], list[list[Path]], [[Path("a")]]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "expected"), COERCED)
def test_coerce(value: Any, kind: Any, expected: Any) -> None:
    made = genai4eu.coerce(value, kind)
    assert made == expected and type(made) is type(expected)


def test_a_text_that_is_no_date_is_a_short_error() -> None:
    with pytest.raises(WorkbenchError, match="'soon' is not a date, written as 2026-01-31"):
        genai4eu.coerce("soon", date)
