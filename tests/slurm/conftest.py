"""One Slurm for all tests of this room, and a Jupyter home of its own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client import BlockingKernelClient, KernelManager

from genai4eu.kernels.slurm.options import Options
from genai4eu.kernels.slurm.targets import add

from ..patience import eventually
from . import cluster as slurm


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slurm)


@pytest.fixture(scope="session")
def cluster(sbatch_path: str) -> Iterator[slurm.Cluster]:
    """Four nodes on this computer, and ``SLURM_CONF`` in the environment."""
    if missing := [program for program in slurm.PROGRAMS if not slurm.find(program)]:
        reason = f"slurm is not whole ({', '.join(missing)} not found)"
        if "slurm" in os.environ.get("GENAI4EU_REQUIRE", "").split(","):
            pytest.fail(f"{reason}, and GENAI4EU_REQUIRE asks for it")
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, slurm.running(Path(folder)) as cluster:
        os.environ["SLURM_CONF"] = str(cluster.conf)
        yield cluster
        del os.environ["SLURM_CONF"]


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Private folders for Jupyter, for the jobs' files, for what relays share."""
    for variable in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "shared"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass
class Kernel:
    """A kernel as a blocking client sees it, and all that was shown."""

    manager: KernelManager
    client: BlockingKernelClient
    said: list[dict[str, Any]] = field(default_factory=list)

    def run(self, code: str, timeout: float = 60) -> str:
        """Run code and return what it printed."""
        start = len(self.said)
        reply = self.client.execute_interactive(code, output_hook=self.said.append, timeout=timeout)
        assert reply["content"]["status"] == "ok", reply["content"]
        return self.text(start)

    def text(self, start: int = 0) -> str:
        """Return the streams so far, and how errors ended cells."""
        said = [message["content"] for message in self.said[start:] if message["msg_type"] in ("stream", "error")]
        return "".join(content.get("text") or content["evalue"] for content in said)

    def shown(self) -> list[str]:
        """Return what was displayed so far, updates too."""
        kinds = ("display_data", "update_display_data")
        return [m["content"]["data"]["text/plain"] for m in self.said if m["msg_type"] in kinds]

    def listen(self, fact: Callable[[], object], seconds: float = 60) -> None:
        """Read what comes until ``fact`` holds."""
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, f"it did not come about: {self.said[-5:]}"
            try:
                self.said.append(self.client.get_iopub_msg(timeout=0.1))
            except Exception as error:  # noqa: BLE001  # nothing came
                assert type(error).__name__ == "Empty"

    def reply_to(self, asked: str) -> dict[str, Any]:
        """Return the content of the reply to a request; others may come before it."""
        while (reply := self.client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
            pass
        content: dict[str, Any] = reply["content"]
        return content

    @property
    def relay(self) -> psutil.Process:
        return psutil.Process(self.manager.provisioner.pid)

    def job(self) -> str:
        return self.run("import os; print(os.environ['SLURM_JOB_ID'])").strip()


@pytest.fixture
def target(cluster: slurm.Cluster) -> Callable[..., str]:
    """Add a target; options override the usual ones."""

    def make(name: str = "far", **options: Any) -> str:
        add(name, Options(**{"partition": "cpu", "time": "10", "cpus": 1, **options}), check=False)
        return name

    return make


@pytest.fixture
def start(cluster: slurm.Cluster, tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    """Start kernels by name; those still there are ended after the test, and no job may be left."""
    kernels: list[Kernel] = []

    def begin(name: str, wait: bool = True) -> Kernel:
        file = tmp_path / f"connection-{len(kernels)}.json"
        manager = KernelManager(kernel_name=name, connection_file=str(file))
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        kernels.append(Kernel(manager, client))
        if wait:
            client.wait_for_ready(timeout=60)
        return kernels[-1]

    yield begin
    for kernel in kernels:
        kernel.client.stop_channels()
        if kernel.manager.has_kernel:
            kernel.manager.shutdown_kernel()
    eventually(lambda: not cluster("squeue", "-h"), 20)


def state(cluster: slurm.Cluster, job: str) -> str:
    return cluster("squeue", "-h", "--states=all", "-j", job, "-o", "%T").strip()
