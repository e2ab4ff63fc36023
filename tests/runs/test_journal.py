"""While a run executes, its record is current, cell by cell, and little is written for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import papermill  # noqa: F401  # it imports our engine, which imported first would meet itself half made
import pytest

import genai4eu
from genai4eu.runs import cells
from genai4eu.runs.settle import settle
from genai4eu.runs.store import all_runs

pytestmark = pytest.mark.usefixtures("forked_kernels")

Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3")
SAY = "from pathlib import Path\nimport time, sys\nprint('before the silence', flush=True)\nprint('p' * 1_200_000)\nPath('said').touch()\nfor _ in range(300):\n    time.sleep(1)\n    print('more')"  # noqa: E501


def text_of(cell: dict[str, Any]) -> str:
    return "".join("".join(o["text"]) for o in cell["outputs"])


def start(house: Path, path: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-P", "-m", "genai4eu", "run", str(path)], cwd=house)
    while not (house / "said").exists():
        assert process.poll() is None
        time.sleep(0.05)
    return process


@pytest.mark.slow
def test_a_running_cell_is_in_the_record_and_stays_when_the_runner_is_killed(notebook: Write, house: Path) -> None:
    process = start(house, notebook(PARAMETERS, "print('done')", SAY, "print('never')"))
    folder = all_runs()[0].folder
    deadline = time.monotonic() + 30
    while "more" not in str(seen := cells.assemble(folder)["cells"][2]["outputs"]):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    assert json.loads((folder / "notebook.ipynb").read_text())["cells"][2]["outputs"] == []  # it is not rewritten
    assert [s["status"] for s in cells.states(cells.assemble(folder))] == [
        "completed",
        "completed",
        "running",
        "pending",
    ]
    process.kill()
    process.wait()
    (record,) = all_runs()
    assert record.info["status"] == "died"
    settle(record)
    assert record.sealed
    assert [c["status"] for c in record.info["cells"]] == ["completed", "completed", "died", "not run"]
    notebook_now = json.loads(record.notebook_path.read_text())
    assert text_of(notebook_now["cells"][1]) == "done\n"
    assert text_of(notebook_now["cells"][2]).startswith("before the silence\nppp")
    assert notebook_now["metadata"]["papermill"]["status"] == "died"
    assert not (folder / "cells").exists()
    from genai4eu.runs.large import restore

    restore(notebook_now, folder)  # the long text that grew on is whole


def test_only_the_cell_that_changed_is_written(notebook: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from genai4eu.runs import files

    written: dict[str, int] = {}
    whole = files.write_bytes

    def counted(path: Path, content: bytes, durable: bool = True) -> None:
        written[path.name] = written.get(path.name, 0) + len(content)
        whole(path, content, durable)

    monkeypatch.setattr(files, "write_bytes", counted)
    monkeypatch.setattr("genai4eu.runs.journal.SAVE_EVERY", 0.0)  # as often as can be
    texts = ["print('x' * 900_000)"] * 3 + ["1"] * 17
    record = genai4eu.run(notebook(PARAMETERS, *texts))
    assert record.info["status"] == "completed", record.info["error"]
    assert not (record.folder / "cells").exists()
    assert written["notebook.ipynb"] < 2_750_000
    assert 2_700_000 < sum(n for name, n in written.items() if name[:4].isdigit()) < 9_000_000


def test_durations_are_those_of_a_clock_that_nobody_sets(notebook: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime, timedelta

    from genai4eu.runs import attempts, journal, record, runner

    begin = datetime(2026, 3, 29, 2, tzinfo=UTC)
    moments = (begin - timedelta(minutes=i) for i in range(1000))  # each look at the clock shows a minute less

    def now(*_: object) -> datetime:
        return next(moments)

    monkeypatch.setattr(journal.Journal, "now", now)
    for module in (runner, attempts, record):
        monkeypatch.setattr(module, "now", lambda: now().isoformat())
    made = genai4eu.run(notebook(PARAMETERS, "import time\ntime.sleep(0.2)"))
    assert made.info["status"] == "completed"
    assert made.info["ended"] < made.info["started"]
    assert 0.2 < made.info["duration"] < 120
    assert 0.2 < made.info["cells"][1]["duration"] < 60
    about = json.loads(made.notebook_path.read_text())["metadata"]["papermill"]
    assert 0.2 < about["duration"] < 60


def test_half_a_surrogate_pair_and_unicode_are_kept(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "'\\ud800'", "print('ünï → 𝄞')", name="mit Leerzeichen ünï.ipynb"))
    assert record.info["status"] == "completed", record.info["error"]
    assert record.id.split("-", 2)[2].startswith("mit-leerzeichen-uni-")
    made = json.loads(record.notebook_path.read_text(encoding="utf-8"))
    assert text_of(made["cells"][2]) == "ünï → 𝄞\n"
