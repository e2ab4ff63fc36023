"""Other tools on a Slurm target: papermill, a gateway; GPUs and warm kernels in the job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process

from .cluster import Cluster
from .conftest import Kernel, eventually, state

Start = Callable[..., Kernel]
Make = Callable[..., str]


def notebook(path: Path, *cells: str) -> Path:
    about: dict[str, object] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    kernel = {"name": "far", "display_name": "far", "language": "python"}
    made = [{**about, "id": f"c{number}", "source": source} for number, source in enumerate(cells)]
    path.write_text(json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def papermill(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "papermill", "--engine", "nbclient", "-k", "far", str(source), str(out)]
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


@pytest.mark.slow
def test_through_a_gateway(start: Start, target: Make, cluster: Cluster, tmp_path: Path) -> None:
    target()
    with process.start(tmp_path / "gateway", env=dict(os.environ)) as gateway:
        connect("site", gateway.url, gateway.token_file)
        kernel = start("site-far")
        job = kernel.job()
        assert state(cluster, job) == "RUNNING"
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=60)
        assert kernel.job() == job
        kernel.manager.shutdown_kernel()
        eventually(lambda: state(cluster, job) in ("COMPLETED", "CANCELLED"))
