"""A run that another process carries out, followed from a kernel that stays free, to its sealed record."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs.store import all_runs

pytestmark = pytest.mark.slow
STUDY = (
    ("parameters", "n: int = 1"),
    "# Study",
    "import pathlib, time, genai4eu\nrun = genai4eu.current_run()\nprint('\\x1b[31mbegins\\x1b[0m')\n"
    "run.metric('dice', 0.84, unit='1')\nrun.progress(3, 4, 'training')\n"
    "while not pathlib.Path('go').exists():\n    time.sleep(0.1)",
    "print('ends')",
)  # fmt: skip


def _start(house: Path) -> subprocess.Popen[bytes]:
    """Start the run as another process does."""
    program = str(Path(sys.executable).with_name("genai4eu"))
    return subprocess.Popen([program, "run", "study.ipynb"], cwd=house, stderr=subprocess.DEVNULL)


def _until(met: Callable[[], Any]) -> None:
    for _ in range(600):
        if met():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def _follow(house: Path) -> Any:
    _until(lambda: all_runs() and all_runs()[0].info["status"] == "running")
    monitor = genai4eu.monitor("latest")
    _until(lambda: monitor.run["progress"] and monitor.run["metrics"] and monitor.run["log"])
    return monitor


def test_it_is_followed_until_its_record_is_sealed(notebook: Callable[..., Path], house: Path) -> None:
    notebook(*STUDY)
    runner = _start(house)
    monitor = _follow(house)
    run = monitor.run
    assert (run["status"], run["over"], run["log"]) == ("running", False, "begins\ndice = 0.84\n")
    assert run["metrics"] == [{"name": "dice", "value": 0.84, "unit": "1"}] and run["duration"] >= 0
    assert {k: run["progress"][k] for k in ("label", "done", "total")} == {"label": "training", "done": 3, "total": 4}
    assert [(c["status"], c["name"]) for c in run["cells"]][-2:] == [
        ("running", "import pathlib, time, genai4eu"),
        ("pending", "print('ends')"),
    ]
    (house / "go").touch()
    assert runner.wait(60) == 0 and monitor.wait(60)
    run = monitor.run
    assert (run["status"], run["over"], run["progress"]) == ("completed", True, None)
    assert run["log"] == "begins\ndice = 0.84\nends\n" and {c["status"] for c in run["cells"]} == {"completed"}
    assert genai4eu.monitor(all_runs()[0]).run["duration"] == run["duration"]
    assert not list(all_runs()[0].folder.rglob("progress.json"))


def test_cancelling_ends_the_run_and_says_so(notebook: Callable[..., Path], house: Path) -> None:
    notebook(*STUDY)
    runner = _start(house)
    monitor = _follow(house)
    monitor._told(monitor, {"ask": "cancel"}, [])
    assert monitor.wait(90) and runner.wait(60) != 0
    assert monitor.run["status"] == "cancelled" and all_runs()[0].sealed
    with pytest.raises(WorkbenchError, match="unknown run 'mars'"):
        genai4eu.monitor("mars")
