"""The table of runs as the workbench fills it: from records, with directions where their metrics say so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs.context import CurrentRun
from genai4eu.tables import directions

STUDY = (
    ("parameters", "seed: int = 1"),
    "import genai4eu\nrun = genai4eu.current_run()\nrun.metric('dice', 0.5 + seed / 10, better='higher')\n"
    "run.metric('time', 2.0, unit='s')",
)  # fmt: skip


@pytest.mark.slow
def test_runs_of_records_with_their_units_and_directions(notebook: Callable[..., Path], house: Path) -> None:
    one, other = (genai4eu.run(notebook(*STUDY), parameters={"seed": n}) for n in (1, 2))
    table = genai4eu.table(compare=[one, "latest"])
    assert [r["id"] for r in table.runs] == [other.id, one.id] and table.chosen == [one.id, other.id]
    assert table.runs[0]["metrics"] == {"dice": 0.7, "time": 2.0} and table.runs[0]["units"] == {"time": "s"}
    assert table.about == {"dice": {"better": "higher"}} and table.comparing
    table._told(table, {"open": one.id}, [])
    assert one.id in table.record and "genai4eu-runs" in table.record
    shutil.rmtree(other.folder)
    table._told(table, {"ask": "runs"}, [])
    assert [r["id"] for r in table.runs] == [one.id] and genai4eu.table("another").runs == []
    with pytest.raises(WorkbenchError, match="unknown run 'mars'"):
        genai4eu.table(compare=["mars"])
    with pytest.raises(WorkbenchError, match="there is no run"):
        genai4eu.table("another", compare=[one])


def test_a_direction_holds_where_all_say_the_same() -> None:
    said: list[dict[str, dict[str, str]]] = [
        {"better": {"a": "higher", "b": "higher"}}, {"better": {"b": "lower", "c": "up"}}, {"better": {}},
    ]  # fmt: skip
    assert directions(said) == {"a": {"better": "higher"}}


def test_a_direction_is_higher_or_lower(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="better is 'higher' or 'lower', not 'more'"):
        CurrentRun(tmp_path).metric("dice", 1, better="more")  # type: ignore[arg-type]
