"""A kernel in a Slurm job behaves like a local one to jupyter_client, in use, under interruption, and in death."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from ..patience import eventually
from .cluster import NODES, Cluster
from .conftest import Kernel, state

pytestmark = pytest.mark.slow

Start = Callable[..., Kernel]
Make = Callable[..., str]
BLOCK = "print('begun', flush=True)\nimport threading; threading.Event().wait(600)"


def block(kernel: Kernel) -> str:
    """Run a cell that does not end by itself; return its id once it runs."""
    asked: str = kernel.client.execute(BLOCK)
    kernel.listen(lambda: "begun" in kernel.text())
    return asked


def test_code_runs_in_a_job_that_ends_with_the_kernel(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    assert state(cluster, job) == "RUNNING"
    assert kernel.run("print(os.environ['SLURMD_NODENAME'])").strip() in NODES
    folder = Path(os.environ["XDG_STATE_HOME"]) / "genai4eu" / "slurm"
    (files,) = folder.iterdir()
    assert files.stat().st_mode & 0o777 == 0o700
    assert {f.name: f.stat().st_mode & 0o077 for f in files.glob("*.json")} == {"job.json": 0, "agent.json": 0}
    left = [kernel.relay, *kernel.relay.children()]
    private = Path(kernel.run("print(__import__('ipykernel').get_connection_file())").strip()).parent
    kernel.manager.shutdown_kernel()
    eventually(lambda: state(cluster, job) == "COMPLETED")  # by itself
    assert not psutil.wait_procs(left, timeout=10)[1]
    assert not list(folder.iterdir())
    assert not private.exists()


def test_the_job_does_not_get_the_login_nodes_secrets(
    start: Start, target: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_TOKEN", "secret")
    monkeypatch.setenv("SBATCH_PARTITION", "gpu")  # would change what is asked for
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "1")  # as inside another job
    monkeypatch.setenv("JPY_SESSION_NAME", "mine.ipynb")
    kernel = start(target())
    names = "SITE_TOKEN", "SLURM_JOB_PARTITION", "SLURM_EXPORT_ENV", "JPY_SESSION_NAME"
    printed = kernel.run(f"import os; print([os.environ.get(n) for n in {names}])")
    assert printed == "[None, 'cpu', None, 'mine.ipynb']\n"


def test_questions_and_large_output(start: Start, target: Make) -> None:
    kernel = start(target())
    printed: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    kernel.client.execute_interactive(
        "print(input('name? '))", output_hook=listen, timeout=60, stdin_hook=lambda m: kernel.client.input("Ada")
    )
    assert printed == ["Ada\n"]
    assert len(kernel.run("for i in range(200): print('x' * 99_999, flush=True)")) == 20_000_000


@pytest.mark.parametrize("mode", ["signal", "message"])
def test_interrupt(start: Start, target: Make, mode: str) -> None:
    kernel = start(target())
    job = kernel.job()
    kernel.manager.kernel_spec.interrupt_mode = mode
    asked = block(kernel)
    kernel.manager.interrupt_kernel()
    assert kernel.reply_to(asked)["ename"] == "KeyboardInterrupt"
    time.sleep(0.5)  # what comes while the kernel still clears up is answered with "aborted"
    assert kernel.job() == job


def test_restart_stays_in_the_job(start: Start, target: Make) -> None:
    kernel = start(target())
    job = kernel.job()
    kernel.run("x = 1")
    pid = kernel.run("print(os.getpid())")
    old = [kernel.relay, *kernel.relay.children()]
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=60)
    assert kernel.job() == job
    assert kernel.run("print('x' in globals())") == "False\n"
    assert kernel.run("print(os.getpid())") != pid
    assert not psutil.wait_procs(old, timeout=10)[1]  # the watcher saw that the job was adopted


def dead(kernel: Kernel, cluster: Cluster, job: str) -> str:
    """Wait for the relay's death; return what was said in the cell that ran."""
    eventually(lambda: not kernel.manager.is_alive(), 120)  # Slurm looks for jobs over their time every half minute
    kernel.listen(lambda: " ended" in kernel.text(), 5)
    eventually(lambda: state(cluster, job) not in ("RUNNING", "COMPLETING"))
    return kernel.text()


def test_a_killed_kernel_is_dead_and_ends_its_job(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    pid = int(kernel.run("print(os.getpid())"))
    block(kernel)
    psutil.Process(pid).kill()
    assert f"Slurm job {job} ended: its kernel died (killed by SIGKILL)" in dead(kernel, cluster, job)
    assert kernel.manager.provisioner.process.returncode == 1


def test_a_job_cancelled_by_somebody_else(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    block(kernel)
    waits = kernel.client.execute("1")
    cluster("scancel", job)
    reply = kernel.reply_to(waits)
    assert (reply["ename"], reply["evalue"]) == ("KernelDied", f"Slurm job {job} ended (CANCELLED): it was cancelled")
    assert f"Slurm job {job} ended (CANCELLED): it was cancelled" in dead(kernel, cluster, job)


@pytest.mark.slow
def test_the_end_of_the_walltime(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    block(kernel)
    (file,) = Path(os.environ["XDG_RUNTIME_DIR"]).glob("genai4eu-slurm-*/squeue-*.json")
    eventually(lambda: '"RUNNING"' in file.read_text())
    time.sleep(2)  # by then the relay has read how long the job was to run, without which 90 s are news to nobody
    cluster("scontrol", "update", f"JobId={job}", "EndTime=now+90")
    kernel.listen(lambda: f"Slurm job {job} ends in 1 min" in kernel.text())
    cluster("scontrol", "update", f"JobId={job}", "EndTime=now+1")
    assert f"Slurm job {job} ended (TIMEOUT): its time is up" in dead(kernel, cluster, job)
    assert kernel.text().count(" ends in ") == 1


@pytest.mark.slow
def test_a_node_that_fails(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    node = kernel.run("print(os.environ['SLURMD_NODENAME'])").strip()
    private = Path(kernel.run("print(__import__('ipykernel').get_connection_file())").strip()).parent
    block(kernel)
    try:
        cluster.kill_node(node)
        cluster("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        said = dead(kernel, cluster, job).partition(f"Slurm job {job} ended (")[2]
        assert said.startswith(("NODE_FAIL): its node failed", "FAILED, JobLaunchFailure): its node could not begin"))
    finally:
        shutil.rmtree(private)  # nobody was left on the node to do it
        cluster.start_node(node)
        cluster("scontrol", "update", f"nodename={node}", "state=resume", check=False)
        eventually(lambda: node in cluster.idle())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_relay_leaves_nothing(start: Start, target: Make, cluster: Cluster, number: signal.Signals) -> None:
    kernel = start(target())
    job = kernel.job()
    watcher = kernel.relay.children()
    kernel.manager.signal_kernel(number)  # to the whole process group, as shutdown_kernel(now=True) does
    eventually(lambda: state(cluster, job) in ("CANCELLED", "COMPLETED"), 10)
    assert not psutil.wait_procs(watcher, timeout=10)[1]


def test_a_relay_killed_while_it_submits_leaves_nothing(start: Start, target: Make, cluster: Cluster) -> None:
    before = cluster("squeue", "-h", "--states=all", "-o", "%i")
    kernel = start(target(), wait=False)
    eventually(kernel.relay.children)
    watcher = kernel.relay.children()
    kernel.manager.shutdown_kernel(now=True)
    assert not psutil.wait_procs(watcher, timeout=40)[1]
    assert not cluster("squeue", "-h")
    assert len(cluster("squeue", "-h", "--states=all", "-o", "%i").split()) <= len(before.split()) + 1


def test_a_killed_client_leaves_nothing(target: Make, cluster: Cluster) -> None:
    code = (
        "import sys\nfrom jupyter_client.manager import start_new_kernel\n"
        f"manager, client = start_new_kernel(kernel_name={target()!r})\n"
        "print(manager.provisioner.pid, flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdin=-1, stdout=-1, text=True) as client:
        assert client.stdout is not None
        relay = psutil.Process(int(client.stdout.readline()))
        left = [relay, *relay.children()]
        assert cluster("squeue", "-h")
        client.kill()
    assert not psutil.wait_procs(left, timeout=20)[1]
    eventually(lambda: not cluster("squeue", "-h"), 10)


@pytest.mark.slow
def test_a_login_node_that_goes_down_leaves_nothing(start: Start, target: Make, cluster: Cluster) -> None:
    """Nobody is left who could cancel the job: it ends by itself."""
    kernel = start(target(lease=10))
    job = kernel.job()
    for process in [*kernel.relay.children(), kernel.relay]:
        process.kill()
    eventually(lambda: state(cluster, job) == "FAILED", 30)
