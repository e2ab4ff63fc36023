"""A run's record tells the truth about how it ended, whatever ended it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs import runner
from genai4eu.runs.record import Record
from genai4eu.runs.store import all_runs, find

from ..patience import PAPERMILL

pytestmark = pytest.mark.usefixtures("forked_kernels")

Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3  # count [1] in 1..5")
KEEP = """import genai4eu
run = genai4eu.current_run()
(run.outputs / 'kept.txt').write_text('kept' * n)
run.metric('n', n)"""


def cell_statuses(record: Record) -> list[str]:
    return [c["status"] for c in record.info["cells"] if c["type"] == "code"]


def test_completed_keeps_outputs_metrics_and_parameters(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, KEEP), n=4)
    assert record.info["status"] == "completed"
    assert record.sealed
    assert (record.outputs / "kept.txt").read_text() == "kept" * 4
    assert record.metrics == {"n": {"value": 4.0, "unit": "1"}}
    assert record.parameters == {"n": 4}
    assert set(cell_statuses(record)) == {"completed"}


def test_nothing_is_left_on_the_kernels_side(notebook: Write, house: Path) -> None:
    genai4eu.run(notebook(PARAMETERS, KEEP))
    assert not [p for p in (house / "scratch").rglob("*") if p.is_file()]


def test_failed_says_where_and_why_and_still_brings_outputs(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, KEEP, "1 / 0", "print('never')"))
    assert record.info["status"] == "failed"
    assert record.info["error"] == "ZeroDivisionError: division by zero"
    assert cell_statuses(record)[-2:] == ["failed", "not run"]
    assert (record.outputs / "kept.txt").exists()


def test_killed_kernel_is_died_not_completed(notebook: Write) -> None:
    kill = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    record = genai4eu.run(notebook(PARAMETERS, KEEP, kill, "print('never')"))
    assert record.info["status"] == "died"
    assert cell_statuses(record)[-2:] == ["died", "not run"]
    assert record.metrics["n"]["value"] == 3
    assert record.sealed


@pytest.mark.slow
def test_what_a_killed_kernel_and_runner_left_is_swept_after_a_week(notebook: Write, house: Path) -> None:
    left = house / "scratch" / f"genai4eu-{os.getuid()}"
    owner = {"host": platform.node(), "pid": 2**22 + 1, "kernel": None, "mark": ""}
    for name, days in (("old", 8), ("new", 6)):
        (left / name).mkdir(parents=True)
        (left / name / "owner.json").write_text(json.dumps(owner))
        os.utime(left / name, (time.time() - days * 86400,) * 2)
    genai4eu.run(notebook(PARAMETERS, KEEP))
    assert [p.name for p in left.iterdir()] == ["new"]


@pytest.mark.slow
def test_what_a_killed_kernel_kept_comes_home(notebook: Write, house: Path) -> None:
    record = genai4eu.run(notebook(PARAMETERS, KEEP, "import os\nos.kill(os.getpid(), 9)"))
    assert record.info["status"] == "died" and record.sealed
    assert (record.outputs / "kept.txt").is_file()
    assert not list((house / "scratch").rglob("kept.txt"))


def test_outputs_that_do_not_come_home_fail_the_run_until_they_do(notebook: Write) -> None:
    changing = "import sys\nsys.modules['_genai4eu_run']._sha256 = lambda path: 'wrong'"
    record = genai4eu.run(notebook(PARAMETERS, KEEP, changing))
    info = record.read("run.json")
    assert (info["status"], record.sealed) == ("failed", False)
    assert "output outputs/kept.txt changed on its way from the kernel, twice" in info["error"]
    assert f"genai4eu runs fetch {record.id}" in info["error"]
    assert not list(record.outputs.glob("*"))
    again = find(record.id)  # the next command sees the folder itself
    assert (again.info["status"], again.info["error"], again.sealed) == ("completed", None, True)
    assert (again.outputs / "kept.txt").is_file()


@pytest.mark.slow
def test_cell_timeout(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, KEEP, "import time\ntime.sleep(60)"), cell_timeout=1)
    assert record.info["status"] == "timeout"
    assert (record.outputs / "kept.txt").exists()


def start(house: Path, path: Path) -> subprocess.Popen[str]:
    """Start a run in a process of its own, and wait until its notebook says that it sleeps."""
    command = [str(Path(sys.executable).with_name("genai4eu")), "run", str(path)]
    process = subprocess.Popen(command, cwd=house, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while not (house / "asleep").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def kernel_pid(record: Record) -> int:
    return int(record.read("environment.json")["pid"])


SLEEP = "from pathlib import Path\nPath('asleep').touch()\nimport time\ntime.sleep(300)"


@pytest.mark.slow
def test_ctrl_c_is_cancelled_and_leaves_no_process(notebook: Write, house: Path) -> None:
    process = start(house, notebook(PARAMETERS, KEEP, SLEEP))
    record = all_runs()[0]
    for _ in range(3):  # a nervous hand
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.endswith("genai4eu: stopped\n"), errors
    assert "Traceback" not in errors
    assert record.info["status"] == "cancelled"
    assert cell_statuses(record)[-1] == "cancelled"
    assert (record.outputs / "kept.txt").exists()
    assert not psutil.pid_exists(kernel_pid(record))


def test_ctrl_c_once_more_leaves_what_the_run_kept(notebook: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def again(record: Record, attempt: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_note", again)  # the moment in which the end is written down
    with pytest.raises(KeyboardInterrupt):
        genai4eu.run(notebook(PARAMETERS, KEEP), listener=lambda event, data: None)
    (record,) = all_runs()
    assert (record.info["status"], record.sealed) == ("cancelled", True)
    assert (record.outputs / "kept.txt").exists()
    assert cell_statuses(record)[-1] == "completed"


@pytest.mark.slow
def test_killed_runner_reads_as_died(notebook: Write, house: Path) -> None:
    process = start(house, notebook(PARAMETERS, KEEP, SLEEP))
    record = all_runs()[0]
    assert record.info["status"] == "running"
    process.kill()
    process.communicate()
    assert record.info["status"] == "died"
    assert not record.sealed
    with contextlib.suppress(psutil.NoSuchProcess):  # it has ended already
        psutil.Process(kernel_pid(record)).wait(30)
    assert not psutil.pid_exists(kernel_pid(record))


@pytest.mark.slow
def test_stock_papermill_with_our_engine_is_truthful(notebook: Write, house: Path) -> None:
    path = notebook(PARAMETERS, "import os\nos.kill(os.getpid(), 9)")
    command = [*PAPERMILL, "--engine", "genai4eu", str(path), "out.ipynb"]
    assert subprocess.run(command, cwd=house, capture_output=True, check=False).returncode != 0
    about: dict[str, Any] = json.loads((house / "out.ipynb").read_text())["metadata"]["papermill"]
    assert about["status"] == "died"
    assert about["exception"] is True


def test_a_sealed_record_cannot_be_changed(notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "n"))
    with pytest.raises(WorkbenchError, match="sealed"):
        record.write("metrics.json", {})


def test_own_notebook_finds_the_files_beside_it(notebook: Write, house: Path) -> None:
    (house / "data.csv").write_text("1,2")
    record = genai4eu.run(notebook(PARAMETERS, "assert open('data.csv').read() == '1,2'"))
    assert record.info["status"] == "completed", record.info["error"]


@pytest.mark.slow
def test_no_output_is_lost_when_a_cell_shows_much_at_once(notebook: Write) -> None:
    flood = "from IPython.display import display\nfor i in range(20_000):\n    display(i)"
    record = genai4eu.run(notebook(PARAMETERS, flood))
    assert record.info["status"] == "completed", record.info["error"]
    assert len(json.loads(record.notebook_path.read_text())["cells"][-1]["outputs"]) == 20_000
