"""A sweep on Slurm is one job array: each task carries out its points inside its job, whoever watches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.kernels.slurm import batch
from genai4eu.runs.record import Record
from genai4eu.sweeps.folder import State, Sweep, find

from ..patience import eventually
from .cluster import Cluster

CELLS = [
    ("parameters", "seed: int = 0  # seed in 0..99"),
    ("", "import os, pathlib, time\nassert seed != 1 or not pathlib.Path('broken').exists(), 'broken'"),
    ("", "while seed > 1 and pathlib.Path('wait').exists(): time.sleep(0.1)"),
    ("", "import genai4eu\ngenai4eu.current_run().metric('node', int(os.environ['SLURMD_NODENAME'][4:]))"),
]


@pytest.fixture
def study(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook, and a folder for its runs."""
    monkeypatch.setenv("GENAI4EU_RUNS", str(at_home / "runs"))
    base: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    cells = [
        {**base, "id": f"c{i}", "source": s, "metadata": {"tags": [t]} if t else {}} for i, (t, s) in enumerate(CELLS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = at_home / "study.ipynb"
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content))
    return path


def begin(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "genai4eu", "sweep", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def latest() -> Sweep:
    return find("latest")


def statuses() -> list[str]:
    return [state.status for state in latest().states()]


def record(state: State) -> Record:
    return latest().record(str(state.run))


@pytest.mark.slow
def test_an_array_carries_out_the_points_and_later_the_missing_ones(
    cluster: Cluster, target: Callable[..., str], study: Path
) -> None:
    (study.parent / "broken").touch()
    code, _, err = ended(begin(study, "-p", "seed=0..3", "--on", target(), "--jobs", "3"))
    assert code == 1
    assert "job array" in err
    assert "3 completed, 1 failed (AssertionError: broken); the same command runs it again" in err
    states = latest().states()
    assert [s.status for s in states] == ["completed", "failed", "completed", "completed"]
    about = record(states[2]).info
    (job,) = {array["job"] for array in latest().info["arrays"].values()}
    assert (about["target"], about["job"]["number"], about["sweep"]) == ("far", f"{job}_2", latest().id)
    assert about["kernel"]["used"] == "genai4eu"
    assert all(s.metrics["node"] in (1, 2, 3, 4) for s in states if s.status == "completed")

    (study.parent / "broken").unlink()
    code, out, err = ended(begin(study, "-p", "seed=0..3", "--on", "far"))
    assert (code, "4 completed" in out) == (0, True), err
    assert "3 completed before and are not run again" in err
    assert "of 1 tasks" in err


@pytest.mark.slow
def test_one_task_may_carry_out_several_points(cluster: Cluster, target: Callable[..., str], study: Path) -> None:
    code, out, err = ended(begin(study, "-p", "seed=0..2", "--on", target(), "--per-task", "2"))
    assert (code, "3 completed" in out) == (0, True), err
    assert "of 2 tasks" in err
    jobs = [record(state).info["job"]["number"].rpartition("_")[2] for state in latest().states()]
    assert jobs == ["0", "0", "2"]


@pytest.mark.slow
def test_ctrl_c_cancels_the_array(cluster: Cluster, target: Callable[..., str], study: Path) -> None:
    (study.parent / "wait").touch()
    process = begin(study, "-p", "seed=1..4", "--on", target(), "--jobs", "2")
    eventually(lambda: list((study.parent / "runs").glob("sweep-*/sweep.json")))
    eventually(lambda: statuses().count("completed") == 1 and statuses().count("running") == 2, 90)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "cancelling the job array" in err
    assert "the same command goes on" in err
    eventually(lambda: not cluster("squeue", "-h").strip())
    assert set(statuses()) <= {"completed", "cancelled", "pending"}


@pytest.mark.slow
def test_the_array_outlives_the_command_that_asked_and_is_followed_again(
    cluster: Cluster, target: Callable[..., str], study: Path
) -> None:
    (study.parent / "wait").touch()
    asked = (study, "-p", "seed=1..3", "--on", target())
    process = begin(*asked)
    eventually(lambda: list((study.parent / "runs").glob("sweep-*/sweep.json")))
    eventually(lambda: statuses().count("running") == 2, 90)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    again = begin(*asked)
    (study.parent / "wait").unlink()
    code, out, err = ended(again)
    assert (code, "3 completed" in out) == (0, True), err
    assert len({number.partition("_")[0] for number in batch.look()} & _jobs()) == 1, "it was not asked for twice"


def _jobs() -> set[str]:
    return {array["job"] for array in latest().info["arrays"].values()}


@pytest.mark.slow
def test_a_cancelled_task_is_told_as_such(cluster: Cluster, target: Callable[..., str], study: Path) -> None:
    (study.parent / "wait").touch()
    process = begin(study, "-p", "seed=1..2", "--on", target())
    eventually(lambda: list((study.parent / "runs").glob("sweep-*/sweep.json")))
    eventually(lambda: "running" in statuses() and "completed" in statuses(), 90)
    cluster("scancel", f"{_jobs().pop()}_1")
    code, _, err = ended(process)
    assert code == 1
    assert "1 cancelled" in err
