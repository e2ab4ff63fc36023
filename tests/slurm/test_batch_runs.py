"""Runs that a Slurm job carries out: nothing depends on who asked for them, and the record says how they ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genai4eu.errors import WorkbenchError
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.slurm import batch as jobs
from genai4eu.runs import aside, fate
from genai4eu.runs.batch import number_of, submit
from genai4eu.runs.carry import kept as checkpoints
from genai4eu.runs.control import cancel, wait
from genai4eu.runs.plan import Limits, plan
from genai4eu.runs.record import Record
from genai4eu.runs.seal import check
from genai4eu.runs.store import all_runs, find

from ..patience import eventually, genai4eu
from .cluster import Cluster
from .conftest import state

pytestmark = pytest.mark.slow
Make = Callable[..., str]
Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3  # count [1] in 1..5")
KEEP = (
    "import genai4eu, os, socket, time\nrun = genai4eu.current_run()\n"
    "(run.outputs / 'ünï code.txt').write_text('kept')\nrun.metric('n', n)\n"
    "print('job', os.environ['SLURM_JOB_ID'], os.getcwd(), os.environ.get('SITE_TOKEN'), flush=True)"
)
SLEEP = "time.sleep(300)"


@pytest.fixture(autouse=True)
def _fresh_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fate, "FRESH", 0.2)


def number(record: Record) -> str:
    return str(number_of(record))


def ended(record: Record) -> dict[str, Any]:
    """Wait for a run's end, and return what its record says, which must be sealed and whole."""
    assert wait(record, 120), record.info
    assert record.sealed and check(record).whole, (record.info, check(record))
    eventually(lambda: not aside.of(record.folder).exists())
    return record.read("run.json")


def running(record: Record, text: str = "job ") -> None:
    """Wait until a run's cell has printed something."""
    eventually(lambda: text in "".join(p.read_text() for p in record.folder.glob("cells/*.json")), 60)


@pytest.fixture
def run(cluster: Cluster, target: Make, notebook: Write) -> Iterator[Callable[..., Record]]:
    """Submit a run of a notebook with these cells; jobs that are left are cancelled."""

    def start(*cells: str, retries: int = 0, **options: Any) -> Record:
        path = notebook(PARAMETERS, *cells, name="my stüdy.ipynb")
        return submit(plan(path, on=target(**options), parameters={"n": 2}, limits=Limits(retries=retries)))

    yield start
    jobs.cancel(job for job in jobs.look() if jobs.look()[job].name.startswith("genai4eu."))
    eventually(lambda: not cluster("squeue", "-h"), 20)


def test_a_run_whose_terminal_is_gone_completes(
    cluster: Cluster, target: Make, notebook: Write, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_TOKEN", "secret")
    path = notebook(PARAMETERS, KEEP, name="my stüdy.ipynb")
    command = [sys.executable, "-P", "-m", "genai4eu", "run", str(path), "-p", "n=2", "--on", target(), "--batch"]
    asked = subprocess.Popen(command, stdout=-1, text=True, start_new_session=True)
    assert asked.stdout is not None
    first = asked.stdout.readline()
    os.killpg(asked.pid, signal.SIGKILL)  # the terminal is closed
    asked.wait()
    (record,) = all_runs()
    assert first == f"submitted as Slurm job {number(record)}: {record.folder}\n"
    info = ended(record)
    assert (info["status"], info["error"], info["target"]) == ("completed", None, "far")
    assert (record.outputs / "ünï code.txt").read_text() == "kept"
    assert record.metrics["n"]["value"] == 2
    assert info["job"]["number"] in first
    assert f"job {info['job']['number']} {house} None" in record.notebook_path.read_text()
    assert "completed in" in genai4eu("runs", "wait", record.id).stdout
    assert "job " in genai4eu("runs", "logs", record.id).stdout


@pytest.mark.parametrize("pause", [0.3, 0.9, 1.3, 1.8])
def test_a_submitter_killed_at_any_moment_leaves_a_true_record_or_none(
    cluster: Cluster, target: Make, notebook: Write, pause: float
) -> None:
    path = notebook(PARAMETERS, KEEP)
    command = [sys.executable, "-P", "-m", "genai4eu", "run", str(path), "--on", target(), "--batch"]
    asked = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    time.sleep(pause)
    os.killpg(asked.pid, signal.SIGKILL)
    asked.wait()
    for record in all_runs():
        info = ended(record)
        never = "it was never submitted: the process that would have done it ended before"
        assert (info["status"], info["error"]) in {("completed", None), ("died", never)}
    eventually(lambda: not cluster("squeue", "-h"), 60)


def test_a_full_queue_says_why_a_run_waits_and_can_be_left(cluster: Cluster, run: Callable[..., Record]) -> None:
    block = ["sbatch", "--parsable", "-p", "gpu", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 300"]
    others = [cluster(*block).strip(), cluster(*block).strip()]
    try:
        eventually(lambda: state(cluster, others[0]) == "RUNNING")
        record = run(KEEP, partition="gpu")
        eventually(lambda: "place 2" in str(record.info["waits"]))
        assert (record.info["status"], record.info["error"]) == ("pending", None)
        assert f"Slurm job {number(record)} waits (" in record.info["waits"]
        rows = {row["id"]: row for row in json.loads(genai4eu("runs", "list", "--json").stdout)}
        assert rows[record.id]["status"] == "pending"
        cancel(record)
    finally:
        cluster("scancel", *others)
    info = ended(record)
    assert (info["status"], state(cluster, info["error"].split("job ")[-1].split(",")[0])) == ("cancelled", "CANCELLED")


def test_the_end_of_the_walltime_is_a_timeout_with_its_outputs(cluster: Cluster, run: Callable[..., Record]) -> None:
    record = run(KEEP, SLEEP)
    running(record)
    cluster("scontrol", "update", f"JobId={number(record)}", "EndTime=now+34")  # in 4 s it is stopped
    info = ended(record)
    assert info["status"] == "timeout"
    assert (
        info["error"]
        == f"its time in Slurm was up: give the target more with --time (Slurm job {info['job']['number']})"
    )
    assert [cell["status"] for cell in info["cells"]] == ["completed", "completed", "completed", "timeout"]
    assert (record.outputs / "ünï code.txt").read_text() == "kept"
    eventually(lambda: state(cluster, info["job"]["number"]) in ("FAILED", "COMPLETED"))  # it left by itself


def test_scancel_from_outside(cluster: Cluster, run: Callable[..., Record]) -> None:
    record = run(KEEP, SLEEP)
    running(record)
    assert find(record.id).info["status"] == "running"
    assert f"job {number(record)} " in genai4eu("runs", "logs", record.id).stdout  # while it runs
    assert "running" in genai4eu("runs", "wait", record.id, "--timeout", "1").stderr
    cluster("scancel", number(record))
    info = ended(record)
    assert (info["status"], info["cells"][-1]["status"]) == ("cancelled", "cancelled")
    assert "its Slurm job was cancelled" in info["error"]


def test_a_killed_runner_in_the_job(cluster: Cluster, run: Callable[..., Record]) -> None:
    record = run(KEEP, SLEEP)
    running(record)
    os.kill(record.read("run.json")["pid"], signal.SIGKILL)
    info = ended(record)
    assert info["status"] == "died"
    assert f"Slurm job {info['job']['number']} ended (FAILED)" in info["error"]
    assert (record.outputs / "ünï code.txt").read_text() == "kept"  # it lay on a disk that is seen from here


@pytest.mark.parametrize("retries", [0, 1])
def test_a_failed_node(cluster: Cluster, run: Callable[..., Record], retries: int) -> None:
    record = run(KEEP, "time.sleep(300 if not (run.folder.parent / 'again').exists() else 0)", retries=retries)
    running(record)
    node = cluster("squeue", "-h", "-j", number(record), "-o", "%N").strip()
    again = Path(record.read("run.json")["remote"]["folder"]).parent / "again"
    again.touch()
    try:
        cluster.kill_node(node)
        cluster("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        if retries:
            eventually(lambda: record.info["status"] == "pending")
            assert "to be started again" in str(record.info.get("waits"))
            cluster("scontrol", "update", f"JobId={number(record)}", "StartTime=now")  # not in two minutes
        info = ended(record)
    finally:
        again.unlink()
        cluster.start_node(node)
        cluster("scontrol", "update", f"nodename={node}", "state=resume", check=False)
        eventually(lambda: node in cluster.idle())
    if not retries:
        assert (info["status"], "its node failed" in info["error"]) == ("died", True)
        return
    assert (info["status"], info["error"]) == ("completed", None)
    assert [attempt["status"] for attempt in info["attempts"]] == ["died", "completed"]
    assert "its node had failed" in info["attempts"][0]["error"]
    assert (record.folder / "attempts" / "1").is_dir()


@pytest.mark.parametrize("retries", [0, 1])
def test_a_job_of_higher_priority(cluster: Cluster, run: Callable[..., Record], retries: int) -> None:
    cluster("scontrol", "create", "PartitionName=urgent", "Nodes=node1", "PriorityTier=9", "MaxTime=5")
    try:
        kept = "began = (run.restore('a') or {'n': 0})['n']\nrun.checkpoint('a', {'n': 7})\nrun.metric('began', began)"
        again = f"{kept}\ntime.sleep(0 if os.environ.get('SLURM_RESTART_COUNT') else 300)"
        record = run(KEEP, again, retries=retries, extra=("--nodelist=node1",))
        running(record)
        cluster("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=sleep 3")
        if retries:
            eventually(lambda: record.info["status"] == "pending")
            eventually(lambda: not cluster("squeue", "-h", "--partition=urgent"))
            cluster("scontrol", "update", f"JobId={number(record)}", "StartTime=now")  # not in two minutes
        info = ended(record)
    finally:
        cluster("scancel", "--partition=urgent")
        eventually(lambda: not cluster("squeue", "-h", "--partition=urgent"))
        cluster("scontrol", "delete", "PartitionName=urgent")
    why = "a Slurm job of higher priority took its place"
    if retries:
        assert (info["status"], info["error"]) == ("completed", None)
        assert [attempt["status"] for attempt in info["attempts"]] == ["preempted", "completed"]
        assert why in info["attempts"][0]["error"]
        assert record.metrics["began"]["value"] == 7  # it went on where it was
    else:
        assert len(checkpoints(record.folder)) == 1  # for genai4eu runs resume
        assert (info["status"], why in info["error"]) == ("preempted", True)


def test_a_controller_that_is_away_makes_nothing_up(cluster: Cluster, run: Callable[..., Record]) -> None:
    record = run(KEEP, "time.sleep(6)")
    running(record)
    cluster.stop_controller()
    try:
        assert not wait(record, 1)
        assert record.info["status"] == "running"
        with pytest.raises(KernelsError, match="Slurm does not answer"):
            cancel(record)
        info = ended(record)  # the run itself needs no controller
        assert info["status"] == "completed"
    finally:
        cluster.start_controller()


def test_what_cannot_be_a_batch_job_is_refused_and_leaves_no_record(
    cluster: Cluster, run: Callable[..., Record], notebook: Write, house: Path
) -> None:
    with pytest.raises(WorkbenchError, match="genai4eu is no Slurm target"):
        submit(plan(notebook(PARAMETERS, KEEP)))
    with pytest.raises(KernelsError, match="invalid partition"):
        run(KEEP, partition="nowhere")
    assert not all_runs() and not (house / "runs" / ".aside").exists()


def test_a_job_that_cannot_begin_says_why(cluster: Cluster, run: Callable[..., Record]) -> None:
    record = run(KEEP, python="/no/such/python")
    info = ended(record)
    assert info["status"] == "died"
    assert "/no/such/python" in info["error"] and "ended (FAILED)" in info["error"]


def test_an_answer_from_before_the_submission_says_nothing_of_it(
    cluster: Cluster, run: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fate, "FRESH", 600.0)
    monkeypatch.setattr(fate, "_seen", (time.monotonic(), {}))  # asked a moment ago, when there was no job
    monkeypatch.setattr(fate, "_asked", time.time())
    record = run(KEEP)
    assert record.info["status"] in ("pending", "running")
    monkeypatch.setattr(fate, "FRESH", 0.2)
    assert ended(record)["status"] == "completed"


def test_a_warm_target_forks_the_kernel_in_the_job(cluster: Cluster, run: Callable[..., Record]) -> None:
    info = ended(run(KEEP, warm=True))
    assert (info["status"], info["kernel"]["warm"]) == ("completed", True), info["error"]
