"""Sweeps on this computer: every point an ordinary record, failures alone, resumable, and nobody left over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record
from genai4eu.sweeps.folder import all_sweeps
from genai4eu.sweeps.sweep import sweep as from_python

from .conftest import Command, eventually

# Nearly every test starts kernels or servers.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_kernels")]

DECLARED = ("parameters", "lr: float = 0.1  # rate [1] in 0..1\nseed: int = 0  # seed in 0..99")
SCORE = "import genai4eu\nrun = genai4eu.current_run()\nrun.metric('score', lr * (seed + 1))"
#: Runs of seed 1 fail while there is a file called broken.
FAILS = "import pathlib\nassert seed != 1 or not pathlib.Path('broken').exists(), 'seed 1 is broken'"
WAITS = "import pathlib, time\nwhile seed == 1 and not pathlib.Path('go').exists(): time.sleep(0.1)"
SLOW = "import time\ntime.sleep(600 if seed else 0)"


def statuses(command: Command) -> list[str]:
    return [point.status for point in command.points()]


def test_one_failure_leaves_the_others_alone_and_is_run_again_alone(
    house: Path,
    notebook: Callable[..., Path],
    sweep: Callable[..., Command],
    genai4eu: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    path = notebook(DECLARED, FAILS, SCORE)
    (house / "broken").touch()
    asked = (path, "-p", "lr=0.1,0.2", "-p", "seed=0..1", "--jobs", "2")
    first = sweep(*asked)
    code, _, err = first.ended()
    assert code == 1
    assert "2 completed, 2 failed (AssertionError: seed 1 is broken); the same command runs those 2 again" in err
    assert sorted(statuses(first)) == ["completed", "completed", "failed", "failed"]
    records = [Record(house / "runs" / str(point.run)) for point in first.points()]
    assert {r.info["sweep"] for r in records} == {first.folder.name}
    assert all(r.sealed for r in records)
    assert [r.parameters["lr"] for r in records] == [0.1, 0.1, 0.2, 0.2]

    (house / "broken").unlink()
    again = sweep(*asked)
    code, out, err = again.ended()
    assert code == 0, err
    assert "2 completed before and are not run again" in err
    assert err.count(" completed in ") == 2
    assert "4 completed" in out
    shown = json.loads(genai4eu("sweeps", "show", "latest", "--json").stdout)
    assert (shown["statuses"], len(shown["runs"])) == ({"completed": 4}, 4)
    assert again.folder.name in genai4eu("sweeps", "list").stdout
    summary = json.loads((again.folder / "summary.ipynb").read_text())
    assert not [o for c in summary["cells"] for o in c.get("outputs", []) if o["output_type"] == "error"]
    assert "The best score is 0.4, at lr = 0.2, seed = 1" in (again.folder / "summary.html").read_text()
    points = again.points()
    assert [p.metrics["score"] for p in points] == pytest.approx([0.1, 0.2, 0.2, 0.4])
    assert [len(p.earlier) for p in points] == [0, 1, 0, 1]
    again.nobody_left()


def test_nothing_starts_where_a_value_is_not_allowed(
    house: Path, notebook: Callable[..., Path], sweep: Callable[..., Command]
) -> None:
    code, out, err = sweep(notebook(DECLARED), "-p", "lr=0.1,7", "-p", "sed=0..4").ended()
    assert (code, out) == (1, "")
    assert "'lr' cannot be 7" in err
    assert "did you mean 'seed'?" in err
    assert not (house / "runs").exists()
    code, out, err = sweep(notebook(DECLARED), "-p", "seed=0..4", "--dry-run", "--json").ended()
    assert len(json.loads(out)["points"]) == 5
    assert not (house / "runs").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_leaves_nobody_and_goes_on_later(
    notebook: Callable[..., Path], sweep: Callable[..., Command], number: int, house: Path
) -> None:
    path = notebook(DECLARED, SLOW, SCORE)
    command = sweep(path, "-p", "seed=0..3", "--jobs", "2")
    eventually(lambda: statuses(command).count("completed") == 1 and len(command.running()) == 2)
    for _ in range(3):  # a nervous hand
        command.process.send_signal(number)
        time.sleep(0.05)
    code, _, err = command.ended()
    assert code == 130
    assert "stopped with 3 of 4 points to do; the same command goes on" in err
    command.nobody_left()
    assert statuses(command) == ["completed", "cancelled", "cancelled", "pending"]
    cancelled = Record(house / "runs" / str(command.points()[1].run))
    assert cancelled.sealed
    assert cancelled.info["status"] == "cancelled"


def test_a_killed_sweep_takes_workers_and_kernels_along(
    notebook: Callable[..., Path], sweep: Callable[..., Command]
) -> None:
    command = sweep(notebook(DECLARED, SLOW), "-p", "seed=1..3", "--jobs", "2")
    eventually(lambda: len(command.running()) == 2)
    command.process.kill()
    command.nobody_left()
    assert statuses(command) == ["cancelled", "cancelled", "pending"]


def test_a_killed_worker_takes_its_run_alone(
    house: Path, notebook: Callable[..., Path], sweep: Callable[..., Command]
) -> None:
    path = notebook(
        DECLARED, "import pathlib, time\nwhile seed == 1 and not pathlib.Path('go').exists(): time.sleep(0.1)"
    )
    command = sweep(path, "-p", "seed=0..3", "--jobs", "1")
    eventually(lambda: statuses(command)[:2] == ["completed", "running"] and command.running())
    run = Record(house / "runs" / command.running()[0])
    os.kill(run.info["pid"], signal.SIGKILL)
    (house / "go").touch()
    code, _, err = command.ended()
    assert code == 1
    assert statuses(command) == ["completed", "died", "completed", "completed"], err
    assert run.info["status"] == "died"
    command.nobody_left()


def test_two_at_once_are_refused(notebook: Callable[..., Path], sweep: Callable[..., Command]) -> None:
    path = notebook(DECLARED, SLOW)
    command = sweep(path, "-p", "seed=1", "--jobs", "1")
    eventually(lambda: command.running())
    code, _, err = sweep(path, "-p", "seed=1").ended()
    assert code == 1
    assert "is being carried out already" in err
    command.process.send_signal(signal.SIGINT)
    command.ended()
    command.nobody_left()


def test_a_target_that_refuses_all_ends_the_sweep(
    house: Path, notebook: Callable[..., Path], sweep: Callable[..., Command]
) -> None:
    kernel = house / "jupyter" / "kernels" / "broken" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text(json.dumps({"argv": ["false", "{connection_file}"], "display_name": "x", "language": "python"}))
    code, _, err = sweep(notebook(DECLARED), "-p", "seed=0..9", "--on", "broken", "--jobs", "1").ended()
    assert code == 1
    assert "target broken gave no kernel" in err
    assert not list((house / "runs").glob("*/run.json"))
    made = all_sweeps()[0]
    first, *others = made.states()
    assert first.status == "refused" and first.error and "target broken gave no kernel" in first.error
    late = replace(first, status="cancelled", error="its job 7_0 ended: COMPLETED")  # a queue that was quicker
    made.save([late, *others])
    assert made.states()[0] == first, "what the task itself wrote says more"
    assert made.current(made.forget(made.states()[0])).status == "pending"


def test_from_python(house: Path, notebook: Callable[..., Path]) -> None:
    me = psutil.Process()
    before = set(me.children(recursive=True))  # of tests before: a browser's driver stays for the session
    done = from_python(notebook(DECLARED, SCORE), seed=range(2), lr=0.5, jobs=1)
    assert [s.metrics["score"] for s in done.states()] == [0.5, 1.0]
    with pytest.raises(WorkbenchError, match="'seed' cannot be -1"):
        from_python(notebook(DECLARED, SCORE), seed=[-1, 0])
    eventually(lambda: not [c for c in me.children(recursive=True) if c not in before and _lives(c)])


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
