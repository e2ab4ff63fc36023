"""One template serves all tools: papermill, jupyter_client, Jupyter Server, Voila and the console, whoever began it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_core.paths import jupyter_runtime_dir

from genai4eu.kernels import local
from genai4eu.kernels.warm import client

from ...stack import ALL as LEFT_OUT  # noqa: F401  # kernels are looked at, and not what they compute
from .conftest import Kernel, wait_until

pytestmark = pytest.mark.slow

#: Says whether the kernel is a fork of a template.
PARENT = "import os; print('child of', open(f'/proc/{os.getppid()}/comm').read().strip())"
WARM = "child of genai4eu-warm"


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PARENT)])
    made.metadata.kernelspec = {"name": local.NAME, "display_name": local.NAME, "language": "python"}
    nbformat.write(made, tmp_path / "study.ipynb")
    return tmp_path / "study.ipynb"


def papermill(notebook: Path) -> str:
    """Run the command line of papermill; return what the kernel printed."""
    out = notebook.with_name("out.ipynb")
    command = [str(Path(sys.executable).with_name("papermill")), str(notebook), str(out)]
    subprocess.run(command, check=True, timeout=120, capture_output=True, cwd=notebook.parent)
    return str(nbformat.read(out, as_version=4).cells[0].outputs[0]["text"]).strip()


@contextmanager
def server(folder: Path, *command: str) -> Iterator[tuple[str, str]]:
    """Run a server; give its address and token."""
    options = ["--no-browser", "--port=0", "--ServerApp.ip=127.0.0.1", "--allow-root"]
    options = options if command[0] == "jupyter_server" else options[:2]
    with (folder / f"{command[0]}.log").open("w") as log:
        started = subprocess.Popen([sys.executable, "-P", "-m", *command, *options], stdout=log, stderr=log, cwd=folder)
    try:
        yield _address(started.pid)
    finally:
        started.terminate()
        started.wait(60)


def _address(pid: int) -> tuple[str, str]:
    def port() -> int:
        listening = [c for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        return listening[0].laddr.port if listening else 0

    wait_until(port, 60)
    told = Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json"
    return f"http://127.0.0.1:{port()}/", json.loads(told.read_text())["token"] if told.exists() else ""


def started_here() -> int:
    """Return how many kernels the template of this test has started."""
    (about,) = client.status()
    return int(about["kernels_started"])


def console() -> str:
    """Type a line into jupyter console, as on a terminal; return what it showed."""
    mine, its = pty.openpty()
    command = [sys.executable, "-P", "-m", "jupyter", "console", "--kernel", local.NAME, "--simple-prompt"]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "dumb"})
    os.close(its)
    os.write(mine, f"{PARENT}; print('done', 6 * 7)\n".encode())
    shown, deadline = b"", time.monotonic() + 120
    try:
        while b"done 42" not in shown and time.monotonic() < deadline:
            shown += os.read(mine, 1 << 16)
        os.write(mine, b"exit\n")
        while process.poll() is None and time.monotonic() < deadline:
            try:
                os.read(mine, 1 << 16)
            except OSError:  # it has closed its terminal
                break
        assert process.wait(60) == 0
    finally:
        process.kill()
        os.close(mine)
    return shown.decode()


def test_papermill_with_the_template_of_another(template: dict[str, Any], notebook: Path) -> None:
    assert papermill(notebook) == WARM


def test_all_tools_with_papermills_template(
    notebook: Path, start: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = notebook.with_name("run")
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    try:
        assert papermill(notebook) != WARM
        wait_until(lambda: client.status() and client.status()[0]["state"] == "ready")
        assert start().warm
        assert papermill(notebook) == WARM
        assert WARM in console()
        before = started_here()
        with server(notebook.parent, "jupyter_server") as (url, token):
            body = json.dumps({"name": local.NAME}).encode()
            request = urllib.request.Request(url + "api/kernels", body, {"Authorization": f"token {token}"})
            assert urllib.request.urlopen(request, timeout=60).status == 201
            assert started_here() == before + 1
        with server(notebook.parent, "voila", str(notebook)) as (url, _):
            assert WARM in urllib.request.urlopen(url, timeout=120).read().decode()
    finally:
        client.stop()
