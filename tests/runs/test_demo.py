"""The whole way once, as a script and as somebody who changes their mind halfway."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from genai4eu.dashboards.serving.server import running
from genai4eu.runs.store import all_runs, find

pytestmark = pytest.mark.slow


def test_make_demo_for_scripts(house: Path, root: Path) -> None:
    command = ["make", "demo", "OPTIONS=--profile smoke --no-serve --json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    # make says where it is, before and after, where it is called by another make, and where it installs anew
    said, _ = json.JSONDecoder().raw_decode(done.stdout[done.stdout.index("{") :])
    assert {"run", "status", "target", "kernel_id", "metrics", "dashboard"} <= set(said)
    record = find(said["run"])
    assert record.sealed
    assert (said["status"], said["target"]) == ("completed", "demo-genai4eu")
    assert said["kernel_id"] == record.info["kernel_id"]
    assert said["metrics"] == {k: m["value"] for k, m in record.metrics.items()} != {}
    version = Path(said["dashboard"])  # dashboards/<slug>/versions/1
    assert json.loads((version / "page.json").read_text())["blocks"]
    assert not (house / "jupyter" / "kernels" / "demo-genai4eu").exists(), (
        "the demo's gateway is gone, so is its target"
    )
    with running(version.parents[2]) as server:
        address = f"{server.address.rstrip('/')}/d/{version.parents[1].name}/"
        page = urllib.request.urlopen(address).read().decode()
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
