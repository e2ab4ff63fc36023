"""Other tools on a Slurm target: papermill, a gateway; GPUs and warm kernels in the job."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway.state import State

from ..patience import PAPERMILL, eventually, genai4eu
from .cluster import Cluster, free_block
from .conftest import Kernel, state

pytestmark = pytest.mark.slow

Start = Callable[..., Kernel]
Make = Callable[..., str]


def notebook(path: Path, *cells: str) -> Path:
    about: dict[str, object] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"name": "far", "display_name": "far", "language": "python"}
    made = [{**about, "id": f"c{number}", "source": source} for number, source in enumerate(cells)]
    path.write_text(json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def papermill(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [*PAPERMILL, "--engine", "nbclient", "-k", "far", str(source), str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_papermill(target: Make, cluster: Cluster, tmp_path: Path) -> None:
    target()
    out = tmp_path / "out.ipynb"
    done = papermill(notebook(tmp_path / "in.ipynb", "import os", "print(os.environ['SLURM_JOB_ID'])"), out)
    assert done.returncode == 0, done.stderr
    (output,) = json.loads(out.read_text())["cells"][1]["outputs"]
    assert state(cluster, "".join(output["text"]).strip()) in ("COMPLETED", "COMPLETING")
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    failed = papermill(notebook(tmp_path / "in.ipynb", kill), out)
    assert failed.returncode != 0
    assert "DeadKernelError" in failed.stderr
    assert "its kernel died (killed by SIGKILL)" in out.read_text()
    eventually(lambda: not cluster("squeue", "-h"))


def test_gpus_are_those_of_the_job(start: Start, target: Make) -> None:
    kernel = start(target(partition="gpu", gpus="fake:2"))
    printed = kernel.run("import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['SLURMD_NODENAME'])")
    assert printed in ("0,1 node3\n", "0,1 node4\n")


@pytest.mark.slow
def test_a_warm_kernel_in_the_job(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target(warm=True))
    job = kernel.job()
    parents = "import psutil; print(*[p.pid for p in psutil.Process().parents()], os.environ['GENAI4EU_WARM_OWNER'])"
    *pids, owner = kernel.run(parents).split()
    assert owner == f"slurm-{job}"
    lines = [psutil.Process(int(pid)).cmdline() for pid in pids]
    template = next(
        psutil.Process(int(p)) for p, line in zip(pids, lines, strict=True) if "genai4eu.kernels.warm" in line
    )
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=60)
    assert kernel.job() == job
    assert str(template.pid) in kernel.run(parents).split()  # one template for each allocation
    kernel.manager.shutdown_kernel()
    assert not psutil.wait_procs([template], timeout=10)[1]
    eventually(lambda: state(cluster, job) == "COMPLETED")


class Service:
    """A gateway as its operator starts it, with one user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_block(1)
        self.token = folder.with_name("token")
        self.token.touch(0o600)
        self.token.write_text(State(folder).users().add(["anna"])["anna"])

    def begin(self) -> None:
        options = ["--port", str(self.port), "--state", str(self.folder)]
        command = [sys.executable, "-P", "-m", "genai4eu", "gateway", "start", *options]
        with self.folder.with_suffix(".log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=-1, stderr=log, text=True, start_new_session=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[1]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        genai4eu("gateway", "stop", "--state", str(self.folder))
        self._process.wait(30)
        mine = str(self.folder)
        eventually(lambda: not [p for p in psutil.process_iter(["cmdline"]) if mine in (p.info["cmdline"] or [])])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "state")
    service.begin()
    yield service
    service.stop()


@pytest.mark.slow
def test_a_gateway_and_its_restart_with_a_running_job(
    target: Make, cluster: Cluster, service: Service, start: Start
) -> None:
    target()
    connect("site", service.url, service.token)
    kernel = start("site-far")
    job = kernel.job()
    kernel.run("kept = 42")
    service.kill()
    service.begin()
    assert kernel.run("print(kept, os.environ['SLURM_JOB_ID'])") == f"42 {job}\n"
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=60)
    assert kernel.job() == job
    assert kernel.run("print('kept' in globals())") == "False\n"
    kernel.manager.shutdown_kernel()
    eventually(lambda: state(cluster, job) in ("COMPLETED", "CANCELLED"))


@pytest.mark.slow
def test_through_a_gateway_one_sees_why_a_job_ended(
    target: Make, cluster: Cluster, service: Service, start: Start
) -> None:
    target()
    connect("site", service.url, service.token)
    kernel = start("site-far")
    job = kernel.job()
    kernel.client.execute("import threading; threading.Event().wait(600)")
    cluster("scancel", job)
    kernel.listen(lambda: f"Slurm job {job} ended (CANCELLED)" in kernel.text())
    eventually(lambda: not kernel.manager.is_alive())
