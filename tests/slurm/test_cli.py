"""``genai4eu slurm``, as its user types it, against a real Slurm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from ..patience import eventually, genai4eu
from .cluster import Cluster
from .conftest import Kernel, state

pytestmark = pytest.mark.slow


def test_add_list_remove(cluster: Cluster) -> None:
    done = genai4eu(
        *("slurm", "add", "gpu-1h", "--partition", "gpu", "--time", "1:00:00", "--gpus", "fake:2", "--cpus", "2"),
        *("--extra=--comment=a;b", "--memory", "200M", "--warm"),
    )
    assert (done.returncode, done.stdout) == (0, "gpu-1h\n"), done.stderr
    spec = KernelSpecManager().get_kernel_spec("gpu-1h")
    assert spec.display_name == "GenAI4EU (Slurm · gpu · GPU fake:2 · 1:00:00)"
    assert spec.metadata["genai4eu"]["slurm"]["warm"] is True
    (listed,) = json.loads(genai4eu("slurm", "list", "--json").stdout)
    assert (listed["name"], listed["partition"], listed["gpus"]) == ("gpu-1h", "gpu", "fake:2")
    assert "--gres=gpu:fake:2" in genai4eu("slurm", "list").stdout
    again = genai4eu("slurm", "add", "gpu-1h", "--partition", "cpu")
    assert again.returncode == 0 and "replaced; " in again.stderr and "added; " in done.stderr
    assert genai4eu("slurm", "remove", "gpu-1h").returncode == 0
    assert "gpu-1h" not in KernelSpecManager().find_kernel_specs()
    again = genai4eu("slurm", "remove", "gpu-1h")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--partition", "nowhere"], "there is no partition nowhere: use one of cpu, gpu"),
        (
            ["--partition", "cpu", "--memory", "99T"],
            "): ask for less (cpus, memory, gpus, nodes), or",
        ),
        (
            ["--partition", "cpu", "--account", "none", "--extra=--constraint=nothing"],
            "change the option that it names",
        ),
        (["--partition", "cpu", "--time", "9-00:00:00"], "the partition cpu allows 2:00:00 at most"),
        (["--partition", "cpu", "--time", "0"], "could never start"),
        (["--partition", "cpu", "--display-name", "x\ny\x1b[31m"], "is not one line of plain text"),
        (["--partition", "cpu", "--time", "soon"], "time 'soon' is not minutes"),
        (["--partition", "cpu", "--extra=--wrap=x"], "leave it out"),
        (["--partition", "cpu\n#SBATCH -p gpu"], "is not one line of plain text"),
        (["--partition", "cpu", "--container", "sh -c x"], "apptainer exec"),
    ],
)
def test_add_says_what_is_wrong(cluster: Cluster, options: list[str], said: str) -> None:
    done = genai4eu("slurm", "add", "wrong", *options)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert said in done.stderr
    assert "wrong" not in KernelSpecManager().find_kernel_specs()


def test_add_without_slurm_or_with_a_silent_one(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    done = genai4eu("slurm", "add", "far", "--partition", "cpu")
    assert "sbatch is not on this computer" in done.stderr
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


CONTROLLER_AWAY = "ClusterName=x\nSlurmctldHost=x(127.0.0.1)\nSlurmctldPort=1\nNodeName=a\nPartitionName=p Nodes=a\n"
CONTROLLER_AWAY += "SlurmctldTimeout=1\nMessageTimeout=1\n"


@pytest.mark.parametrize("conf", ["", "Nonsense=1\n", CONTROLLER_AWAY], ids=["none", "bad", "away"])
@pytest.mark.parametrize("command", [("add", "far", "--partition", "cpu"), ("jobs",)], ids=["add", "jobs"])
def test_a_slurm_that_does_not_answer(
    cluster: Cluster, conf: str, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "slurm.conf"
    path.write_text(conf)
    monkeypatch.setenv("SLURM_CONF", str(path) if conf else "")
    done = genai4eu("slurm", *command)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith("genai4eu: Slurm does not answer (s"), done.stderr
    assert done.stderr.endswith("): check SLURM_CONF, or ask the operator of the cluster\n")


def test_jobs_and_cancel_are_for_our_jobs_only(
    start: Callable[..., Kernel], target: Callable[..., str], cluster: Cluster
) -> None:
    other = cluster("sbatch", "--parsable", "--output=/dev/null", "--wrap=sleep 300").strip()
    try:
        kernel = start(target("mine"))
        job = kernel.job()
        rows = {row["job"]: row for row in json.loads(genai4eu("slurm", "jobs", "--json").stdout)}
        assert other not in rows
        assert (rows[job]["target"], rows[job]["state"]) == ("mine", "RUNNING")
        assert 500 < rows[job]["left_seconds"] <= 600
        assert job in genai4eu("slurm", "jobs").stdout
        refused = genai4eu("slurm", "cancel", other)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert genai4eu("slurm", "cancel", "--all").stdout.split() == [job]
        eventually(lambda: state(cluster, job) == "CANCELLED")
        assert state(cluster, other) == "RUNNING"
        assert genai4eu("slurm", "cancel").returncode == 2
    finally:
        cluster("scancel", other)


@pytest.mark.parametrize("name", ["genai4eu", "python3"])
def test_a_name_that_jupyter_gives_something_else_is_refused(cluster: Cluster, name: str) -> None:
    done = genai4eu("slurm", "add", name, "--partition", "cpu")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert f"there is a kernelspec {name} of something else already" in done.stderr
    assert "slurm" not in KernelSpecManager().get_kernel_spec(name).metadata.get("genai4eu", {})


def test_a_job_that_is_only_called_like_ours_is_left_alone(cluster: Cluster) -> None:
    number = cluster("sbatch", "--parsable", "--job-name=genai4eu-train", "--wrap", "sleep 60").strip()
    try:
        assert number not in genai4eu("slurm", "jobs").stdout
        assert number not in genai4eu("slurm", "cancel", "--all").stdout
        assert cluster("squeue", "-h", "-j", number, "-o", "%T").strip() in ("PENDING", "RUNNING", "CONFIGURING")
    finally:
        cluster("scancel", number)
