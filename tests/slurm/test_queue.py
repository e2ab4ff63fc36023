"""Kernels that wait: what is shown, what is answered, what an interrupt, a shutdown and a silent Slurm do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client import KernelManager

from ..patience import eventually
from .cluster import Cluster
from .conftest import Kernel, state

pytestmark = pytest.mark.slow

Start = Callable[..., Kernel]
Make = Callable[..., str]


@pytest.fixture
def full(cluster: Cluster) -> Iterator[Callable[[], None]]:
    """A gpu partition with no room, and one job that waits before ours; called, it has room again."""
    block = ["sbatch", "--parsable", "-p", "gpu", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap=sleep 300"]
    jobs = [cluster(*block).strip(), cluster(*block).strip()]
    eventually(lambda: state(cluster, jobs[0]) == "RUNNING")

    def free() -> None:
        cluster("scancel", *jobs)

    yield free
    free()


def waiting(kernel: Kernel, cluster: Cluster) -> str:
    """Return the number of the kernel's job, once it waits in the queue."""
    eventually(lambda: cluster("squeue", "-h", "-t", "PD", "-o", "%i %j").count("genai4eu-far") == 1)
    lines = cluster("squeue", "-h", "-t", "PD", "-o", "%i %j").splitlines()
    return next(line.split()[0] for line in lines if "genai4eu-far" in line)


def test_a_cell_waits_in_the_queue(start: Start, target: Make, cluster: Cluster, full: Callable[[], None]) -> None:
    kernel = start(target(partition="gpu", gpus="1"))  # the client's own wait for a kernel does not notice
    job = waiting(kernel, cluster)
    first = kernel.client.execute("import os; print('first', os.environ['SLURM_JOB_ID'])")
    second = kernel.client.execute("print('second', os.environ['CUDA_VISIBLE_DEVICES'], os.environ['SLURMD_NODENAME'])")
    kernel.listen(lambda: any("place 2 in partition gpu" in text for text in kernel.shown()))
    assert f"job {job}" in kernel.shown()[-1]
    assert "state pending" in kernel.shown()[-1]
    assert "reason " in kernel.shown()[-1]
    assert "start " in kernel.shown()[-1]
    html = next(m for m in kernel.said if m["msg_type"] == "display_data")["content"]
    assert html["data"]["text/html"].startswith("<table")
    full()
    kernel.listen(lambda: "second" in kernel.text())
    assert [kernel.reply_to(asked)["status"] for asked in (first, second)] == ["ok", "ok"]
    printed = kernel.text().splitlines()
    assert printed[0] == f"first {job}"
    assert printed[1] in ("second 0 node3", "second 0 node4", "second 1 node3", "second 1 node4")
    assert "node node" in kernel.shown()[-1]
    assert "time left 9 min" in kernel.shown()[-1]


def test_interrupt_and_restart_keep_the_place_and_shutdown_leaves_the_queue(
    start: Start, target: Make, cluster: Cluster, full: Callable[[], None]
) -> None:
    kernel = start(target(partition="gpu"))
    job = waiting(kernel, cluster)
    asked = kernel.client.execute("1")
    kernel.listen(kernel.shown)
    kernel.manager.interrupt_kernel()
    reply = kernel.reply_to(asked)
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    assert f"Slurm job {job} stays in the queue" in reply["evalue"]
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=60)
    assert waiting(kernel, cluster) == job
    kernel.manager.shutdown_kernel()
    assert state(cluster, job) == "CANCELLED"


def test_a_waiting_job_cancelled_by_somebody_else(
    start: Start, target: Make, cluster: Cluster, full: Callable[[], None]
) -> None:
    kernel = start(target(partition="gpu"))
    job = waiting(kernel, cluster)
    kernel.client.execute("1")
    kernel.listen(kernel.shown)
    cluster("scancel", job)
    kernel.listen(lambda: f"Slurm job {job} ended (CANCELLED)" in kernel.text())
    eventually(lambda: not kernel.manager.is_alive())


def test_a_job_that_fails_before_its_kernel_says_why(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target(python="/no/such/python"), wait=False)
    kernel.client.execute("1")
    kernel.listen(lambda: " ended (FAILED, NonZeroExitCode, exit code 127): " in kernel.text())
    assert "/no/such/python" in kernel.text()
    assert kernel.text().strip().endswith("check --python and --kernel of the target: genai4eu slurm add replaces it")


def test_a_kernel_that_is_not_on_the_node(start: Start, target: Make) -> None:
    kernel = start(target(kernel="not-there"), wait=False)
    kernel.client.execute("1")
    kernel.listen(lambda: "--kernel of the target" in kernel.text())
    assert "not-there" in kernel.text()
    eventually(lambda: not kernel.manager.is_alive())


def test_what_slurm_refuses_is_said_in_the_cell(start: Start, target: Make) -> None:
    kernel = start(target(partition="nowhere"))
    for _ in range(2):  # it asks again each time
        asked = kernel.client.execute("1")
        reply = kernel.reply_to(asked)
        assert (reply["status"], reply["ename"]) == ("error", "SlurmError")
        assert "invalid partition" in reply["evalue"]
    assert kernel.manager.is_alive()


def test_a_job_that_ended_is_not_replaced_before_a_cell_asks_for_it(
    start: Start, target: Make, cluster: Cluster
) -> None:
    """Jupyter restarts what died by itself."""
    kernel = start(target())
    job = kernel.job()
    cluster("scancel", job)
    eventually(lambda: not kernel.manager.is_alive())
    kernel.manager.restart_kernel(now=True)
    kernel.client.wait_for_ready(timeout=60)
    assert not cluster("squeue", "-h")
    assert kernel.job() != job


@pytest.mark.slow
def test_a_slurm_that_is_down_for_a_while_kills_nothing(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    shared = Path(os.environ["XDG_RUNTIME_DIR"])
    cluster.stop_controller()
    try:
        assert kernel.run("print(1)") == "1\n"
        (file,) = shared.glob("genai4eu-slurm-*/squeue-*.json")
        eventually(lambda: 'error": "squeue' in file.read_text())
        late = start(target(), wait=False)  # asks when it is back
        late.client.execute("'late'")
        late.listen(lambda: any("not submitted yet, but Slurm does not answer (sbatch: " in t for t in late.shown()))
        assert kernel.run("print(2)") == "2\n"
    finally:
        cluster.start_controller()
    assert kernel.job() == job
    late.client.wait_for_ready(timeout=60)
    assert late.job() != job


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Counts how often squeue is called."""
    log = tmp_path / "squeue.log"
    real = next(f for f in (Path(p) / "squeue" for p in os.environ["PATH"].split(":")) if f.exists())
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "squeue"
    wrapper.write_text(f'#!/bin/sh\necho x >> {log}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    return lambda: len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.slow
def test_twenty_kernels_at_once(target: Make, cluster: Cluster, counted: Callable[[], int], tmp_path: Path) -> None:
    name = target()
    began = time.monotonic()
    managers = [KernelManager(kernel_name=name, connection_file=str(tmp_path / f"{n}.json")) for n in range(20)]
    kernels = []
    try:
        for manager in managers:
            manager.start_kernel()
        for manager in managers:
            client = manager.client()
            client.start_channels()
            kernels.append(Kernel(manager, client))
        for kernel in kernels:
            kernel.client.wait_for_ready(timeout=180)
        number = "import os; print(os.environ['SLURM_JOB_ID'])"
        jobs = {kernel.run(number, timeout=180) for kernel in kernels}
        assert len(jobs) == 20
        took = time.monotonic() - began
        # At most one every two seconds, whatever the number of kernels, and one more each for the queue's places.
        assert 1 <= counted() <= took / 2 * 2 + 4, took
    finally:
        relays = [psutil.Process(m.provisioner.pid) for m in managers if m.has_kernel]
        for kernel in kernels:
            kernel.client.stop_channels()
        for manager in managers:
            manager.shutdown_kernel()
        assert not psutil.wait_procs(relays, timeout=20)[1]
        eventually(lambda: not cluster("squeue", "-h"), 60)
