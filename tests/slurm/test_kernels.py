"""A kernel in a Slurm job behaves like a local one to jupyter_client."""

from __future__ import annotations

from collections.abc import Callable

from .cluster import Cluster
from .conftest import Kernel, eventually, state

Start = Callable[..., Kernel]
Make = Callable[..., str]


def test_code_runs_in_a_job(start: Start, target: Make, cluster: Cluster) -> None:
    kernel = start(target())
    job = kernel.job()
    assert state(cluster, job) == "RUNNING"
    assert kernel.run("print(os.environ['SLURMD_NODENAME'])").strip() in ("node1", "node2", "node3", "node4")
    kernel.manager.shutdown_kernel()
    eventually(lambda: state(cluster, job) == "COMPLETED")  # it ended by itself
