"""Stock papermill, JupyterLab and Voila use a gateway kernel by its name, unchanged."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_core.paths import jupyter_runtime_dir
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from genai4eu.kernels.bridge.wire import V1, pack_v1, unpack_v1
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from ..patience import PAPERMILL, eventually
from .conftest import WHERE, kernel_ids

pytestmark = pytest.mark.slow


@pytest.fixture
def notebook(tmp_path: Path, target: str) -> Path:
    cells = [nbformat.v4.new_code_cell(code) for code in (WHERE, "x = 20", "print('answer', x + 22)")]
    cells[1].metadata["tags"] = ["parameters"]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata.kernelspec = {"name": target, "display_name": target, "language": "python"}
    nbformat.write(made, tmp_path / "notebook.ipynb")
    return tmp_path / "notebook.ipynb"


@contextmanager
def server(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server; everything it started must end with it."""
    with (folder / "server.log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", *command], stdout=log, stderr=log, text=True, cwd=folder
        )
    try:
        yield started
    finally:
        children = psutil.Process(started.pid).children(recursive=True)
        started.terminate()
        started.wait(60)
        assert not psutil.wait_procs(children, timeout=60)[1]


def run_papermill(notebook: Path, target: str, *options: str) -> subprocess.CompletedProcess[str]:
    out = notebook.with_name("out.ipynb")
    command = [*PAPERMILL, str(notebook), str(out), "-k", target, *options]
    folder = str(notebook.parent)
    return subprocess.run([*command, "--cwd", folder], capture_output=True, text=True, timeout=120, check=False)


def test_papermill(notebook: Path, target: str, gateway: GatewayProcess, rest: Gateway) -> None:
    before = kernel_ids(rest)
    answer = run_papermill(notebook, target, "-p", "x", "100")
    assert answer.returncode == 0, answer.stderr
    out = nbformat.read(notebook.with_name("out.ipynb"), as_version=4)
    printed = [output["text"] for cell in out.cells for output in cell.get("outputs", [])]
    assert printed == ["at far\n", "answer 122\n"]
    assert kernel_ids(rest) <= before


def test_papermill_sees_the_death_of_the_kernel(notebook: Path, target: str, rest: Gateway) -> None:
    made = nbformat.read(notebook, as_version=4)
    made.cells[2].source = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    nbformat.write(made, notebook)
    answer = run_papermill(notebook, target)
    assert answer.returncode != 0
    assert "Kernel died" in answer.stderr
    assert "KernelDied: the kernel died" in notebook.with_name("out.ipynb").read_text()  # and why


def lab_address(process_id: int) -> dict[str, Any]:
    path = Path(jupyter_runtime_dir()) / f"jpserver-{process_id}.json"
    eventually(lambda: path.exists() and path.read_text().strip().endswith("}"), 60)
    told: dict[str, Any] = json.loads(path.read_text())
    return told


async def run_as_lab_does(url: str, token: str, kernel_id: str, code: str) -> str:
    """Run code over the server's WebSocket and return what it prints."""
    address = f"ws{url.removeprefix('http')}api/kernels/{kernel_id}/channels?session_id={uuid.uuid4()}"
    request = HTTPRequest(address, headers={"Authorization": f"token {token}"}, connect_timeout=60, request_timeout=60)
    socket = await websocket_connect(request, subprotocols=[V1])
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "s",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    parts = [
        json.dumps(part).encode()
        for part in ({**header, "username": "", "date": "2026-01-01T00:00:00Z"}, {}, {}, content)
    ]
    await socket.write_message(pack_v1("shell", parts), binary=True)
    printed = ""
    while True:
        data = await socket.read_message()
        assert isinstance(data, bytes)
        channel, answer = unpack_v1(data)
        kind = json.loads(answer[0])["msg_type"]
        if json.loads(answer[1]).get("msg_id") != header["msg_id"] or channel != "iopub":
            continue
        body = json.loads(answer[3])
        printed += body.get("text", "") if kind == "stream" else ""
        if kind == "status" and body["execution_state"] == "idle":
            socket.close()
            return printed


def test_jupyterlab(tmp_path: Path, target: str, gateway: GatewayProcess, rest: Gateway) -> None:
    before = kernel_ids(rest)
    options = ["--no-browser", "--port=0", "--ip=127.0.0.1", "--allow-root", f"--ServerApp.root_dir={tmp_path}"]
    with server(tmp_path, "jupyterlab", *options) as lab:
        told = lab_address(lab.pid)
        url, token = told["url"], told["token"]

        def call(path: str, body: object = None) -> Any:
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(url + path, data, {"Authorization": f"token {token}"})
            return json.load(urllib.request.urlopen(request, timeout=120))

        eventually(lambda: _answers(url + "api"), 60)
        assert call("api/kernelspecs")["kernelspecs"][target]["spec"]["display_name"] == "far · GenAI4EU (warm)"
        kernel_id = call("api/kernels", {"name": target})["id"]
        assert asyncio.run(run_as_lab_does(url, token, kernel_id, WHERE)) == "at far\n"
        old = kernel_ids(rest) - before
        assert len(old) == 1
        call(f"api/kernels/{kernel_id}/restart", {})
        code = WHERE + "; print('os' in dir())"
        assert asyncio.run(run_as_lab_does(url, token, kernel_id, code)).startswith("at far\n")
        assert kernel_ids(rest) - before == old  # restarted in its place
    eventually(lambda: kernel_ids(rest) <= before)


def _answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).status == 200)
    except OSError:
        return False


def _listening(pid: int) -> int:
    """Return the port on which the process listens, 0 as long as it does not."""
    ports = [c.laddr.port for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    return ports[0] if ports else 0


def test_voila(notebook: Path, gateway: GatewayProcess, rest: Gateway) -> None:
    before = kernel_ids(rest)
    options = [str(notebook), "--no-browser", "--port=0", "--Voila.ip=127.0.0.1"]
    with server(notebook.parent, "voila", *options) as voila:
        eventually(lambda: voila.poll() is not None or _listening(voila.pid), 60)
        page = urllib.request.urlopen(f"http://127.0.0.1:{_listening(voila.pid)}/", timeout=120).read().decode()
        assert "at far" in page
        assert "answer 42" in page
        assert kernel_ids(rest) - before
    eventually(lambda: kernel_ids(rest) <= before)


def test_the_token_is_in_no_environment(gateway: GatewayProcess) -> None:
    token = gateway.token_file.read_text().strip()
    assert token not in os.environ.values()
    assert token not in str(psutil.Process(gateway.process.pid).environ())
