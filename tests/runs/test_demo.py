"""The whole way once, as a script and as somebody who changes their mind halfway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from genai4eu.dashboards.server import running
from genai4eu.runs.store import all_runs, find

pytestmark = pytest.mark.slow
CLI = Callable[..., subprocess.CompletedProcess[str]]


def test_demo_for_scripts(genai4eu: CLI, house: Path) -> None:
    done = genai4eu("demo", "--profile", "smoke", "--no-serve", "--json", timeout=300)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {"run", "status", "target", "kernel_id", "metrics", "dashboard"} <= set(said)
    record = find(said["run"])
    assert record.sealed
    assert (said["status"], said["target"]) == ("completed", "demo-genai4eu")
    assert said["kernel_id"] == record.info["kernel_id"]
    assert said["metrics"] == {k: m["value"] for k, m in record.metrics.items()} != {}
    assert (Path(said["dashboard"]) / "index.html").is_file()
    assert not (house / "jupyter" / "kernels" / "demo-genai4eu").exists(), (
        "the demo's gateway is gone, so is its target"
    )
    with running(Path(said["dashboard"]).parent) as server:
        import urllib.request

        page = urllib.request.urlopen(f"{server.address.rstrip('/')}/d/{Path(said['dashboard']).name}/").read().decode()
    assert "<h1" in page


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_stopped_halfway_leaves_no_process(house: Path, sign: signal.Signals) -> None:
    command = [str(Path(sys.executable).with_name("genai4eu")), "demo", "--profile", "smoke", "--no-serve"]
    process = subprocess.Popen(command, cwd=house, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    while not (all_runs() and all_runs()[0].info["kernel_id"]):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 3, "gateway, kernel, bridge"
    process.send_signal(sign)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive
    assert all_runs()[0].info["status"] == "cancelled"
