"""A run whose kernel is a Slurm job ends as its job did, and is tried again where that was the node's fault."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.runs.record import Record

from ..patience import eventually
from .cluster import Cluster

pytestmark = pytest.mark.slow

Make = Callable[..., str]


def start(folder: Path, cell: str, *options: str) -> subprocess.Popen[str]:
    """Start a run on the target ``far``; its second cell notes the job and then does what it is to do."""
    note = f"import os, time\nfrom pathlib import Path\nwith Path({str(folder / 'jobs')!r}).open('a') as stream:\n"
    note += "    stream.write(os.environ['SLURM_JOB_ID'] + ' ' + os.environ['SLURMD_NODENAME'] + '\\n')\n"
    base: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    cells = [{**base, "id": "p", "metadata": {"tags": ["parameters"]}, "source": "n: int = 1"}]
    cells += [{**base, "id": "c", "metadata": {}, "source": note + cell}]
    path = folder / "study.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    command = [sys.executable, "-P", "-m", "genai4eu", "run", str(path), "--on", "far", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def jobs(folder: Path) -> list[list[str]]:
    """Return the jobs that the run had so far, and their nodes."""
    path = folder / "jobs"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def only(folder: Path) -> Record:
    (path,) = (folder / "runs").glob("*/run.json")
    return Record(path.parent)


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [(["scontrol", "update", "EndTime=now+3", "JobId={job}"], "timeout", "(TIMEOUT): its time is up"),
     (["scancel", "{job}"], "cancelled", "(CANCELLED): it was cancelled")],
)  # fmt: skip
def test_a_run_ends_as_its_job(
    target: Make, cluster: Cluster, tmp_path: Path, end: list[str], status: str, said: str
) -> None:
    target()
    process = start(tmp_path, "time.sleep(600)", "--retries", "1")
    eventually(lambda: jobs(tmp_path), seconds=60)
    ((job, _),) = jobs(tmp_path)
    cluster(*[word.format(job=job) for word in end])
    _, errors = process.communicate(timeout=120)
    info = only(tmp_path).info
    assert info["status"] == status, (info["error"], errors)
    assert said in info["error"]
    assert [c["status"] for c in info["cells"]] == ["completed", status]
    assert len(info["attempts"]) == 1  # more time or another wish is for its user to decide


def test_a_run_whose_node_fails_is_tried_again(target: Make, cluster: Cluster, tmp_path: Path) -> None:
    target()
    cell = f"if len(Path({str(tmp_path / 'jobs')!r}).read_text().splitlines()) == 1:\n    time.sleep(600)"
    process = start(tmp_path, cell, "--retries", "1")
    eventually(lambda: jobs(tmp_path), seconds=60)
    ((_, node),) = jobs(tmp_path)
    cluster.kill_node(node)
    try:
        _, errors = process.communicate(timeout=240)
    finally:
        cluster.start_node(node)
    info = only(tmp_path).info
    assert info["status"] == "completed", (info["error"], errors)
    assert [a["status"] for a in info["attempts"]] == ["died", "completed"]
    # Slurm may take the node's end for one of the job's launch, where it looks just then.
    assert any(word in info["attempts"][0]["error"] for word in ("NODE_FAIL", "JobLaunchFailure"))
