"""A run on a gateway's kernel: the same record as here, and nothing assumes a shared disk."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.kernels.connect import connect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import process
from genai4eu.kernels.rest import Gateway
from genai4eu.runs.store import all_runs

Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3  # count [1] in 1..5")
TARGET = "factory-genai4eu"
pytestmark = pytest.mark.slow


@pytest.fixture
def gateway(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[process.GatewayProcess]:
    """A gateway whose kernels keep their side of a run in a folder of their own."""
    with process.start(house / "gateway") as started:
        connect("factory", started.url, started.token_file)
        monkeypatch.setenv("GENAI4EU_SCRATCH", str(house / "not-the-gateways"))
        yield started


def kernels(gateway: process.GatewayProcess) -> list[str]:
    found = Gateway(gateway.url, gateway.token_file).call("GET", "/api/kernels")
    return [k["id"] for k in found]


def test_run_through_a_gateway(gateway: process.GatewayProcess, notebook: Write, house: Path) -> None:
    big = (
        "import genai4eu, os\n"
        "run = genai4eu.current_run()\n"
        "(run.outputs / 'deep').mkdir()\n"
        "(run.outputs / 'deep' / 'big.bin').write_bytes(bytes(range(256)) * 80_000)\n"
        "run.metric('ppid', os.getppid())"
    )
    record = genai4eu.run(notebook(PARAMETERS, big), on=TARGET, n=5)
    assert (record.info["status"], record.info["target"]) == ("completed", TARGET)
    assert record.metrics["ppid"]["value"] == gateway.process.pid
    assert (record.outputs / "deep" / "big.bin").read_bytes() == bytes(range(256)) * 80_000
    assert kernels(gateway) == []
    left = [p for p in (house / "scratch").rglob("*") if p.is_file()]
    assert left == [], "the kernel's side is removed once its files are home"


def test_killed_remote_kernel_is_died(gateway: process.GatewayProcess, notebook: Write) -> None:
    record = genai4eu.run(notebook(PARAMETERS, "import os\nos.kill(os.getpid(), 9)", "print('never')"), on=TARGET)
    assert record.info["status"] == "died"
    assert [c["status"] for c in record.info["cells"]][-1] == "not run"


def test_ctrl_c_ends_the_remote_kernel(gateway: process.GatewayProcess, notebook: Write, house: Path) -> None:
    path = notebook(PARAMETERS, f"open({str(house / 'asleep')!r}, 'w').close()\nimport time\ntime.sleep(300)")
    command = [str(Path(sys.executable).with_name("genai4eu")), "run", str(path), "--on", TARGET]
    runner = subprocess.Popen(command, cwd=house, stderr=subprocess.PIPE, text=True)
    while not (house / "asleep").exists():
        assert runner.poll() is None, runner.communicate()
    assert len(kernels(gateway)) == 1
    children = psutil.Process(runner.pid).children(recursive=True)
    runner.send_signal(signal.SIGINT)
    runner.communicate(timeout=60)
    assert all_runs()[0].info["status"] == "cancelled"
    assert kernels(gateway) == []
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


def test_gateway_that_is_down_and_a_wrong_token(gateway: process.GatewayProcess, notebook: Write, house: Path) -> None:
    path = notebook(PARAMETERS, "n")
    token = gateway.token_file.read_text()
    gateway.token_file.write_text("x" * len(token))
    with pytest.raises(KernelsError, match="token"):
        genai4eu.run(path, on=TARGET)
    gateway.token_file.write_text(token)
    gateway.stop()
    with pytest.raises(KernelsError, match="does not answer"):
        genai4eu.run(path, on=TARGET)
    assert not (house / "runs").exists()


def test_target_without_the_use_case(
    gateway: process.GatewayProcess, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a use case is installed that the gateway's kernels do not have."""
    site = house / "site"
    info = site / "only_here-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: only-here\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[genai4eu.usecases]\nonly-here = only_here:USECASE\n")
    about = dict.fromkeys(("title", "sector", "summary", "version"), "x")
    usecase = {**about, "name": "only-here", "template": "only_here/t.ipynb"}
    (site / "only_here").mkdir()
    (site / "only_here" / "__init__.py").write_text(f"USECASE = {usecase!r}")
    cell = {"id": "p", "cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "n: int = 1"}
    cells = [{**cell, "outputs": [], "execution_count": None}]
    content = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (site / "only_here" / "t.ipynb").write_text(json.dumps(content))
    monkeypatch.syspath_prepend(str(site))
    with pytest.raises(WorkbenchError, match="the kernel has no use case 'only-here': install only-here there"):
        genai4eu.run("only-here", on=TARGET)
    assert list((house / "runs").iterdir()) == []
    assert kernels(gateway) == []
