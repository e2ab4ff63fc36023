"""Where there can be no kernel, a notebook says why in its cell, a batch run fails at once, and the next cell tries."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.gateway.process import GatewayProcess

from .conftest import Kernel
from .test_tools import run_papermill

Start = Callable[[str], Kernel]
SPECS = {"kernelspecs": {"gpu": {"name": "gpu", "spec": {"display_name": "GPU · 1 h", "language": "python"}}}}
ANSWERS = {
    401: ("", "it may have expired or been revoked; ask the operator for a fresh one"),
    403: ("the kernelspec 'gpu' is not for you", "says: the kernelspec 'gpu' is not for you"),
    404: ("this gateway has no kernelspec 'gpu'", "says: this gateway has no kernelspec 'gpu'"),
    429: ("you use 3 of 3 kernels: end one", "says: you use 3 of 3 kernels: end one"),
    503: ("this gateway is about to restart", "says: this gateway is about to restart"),
}


class Refusing(http.server.ThreadingHTTPServer):
    """A gateway that offers a kernelspec and refuses its kernels."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status, self.asked = 429, 0
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Answers(http.server.BaseHTTPRequestHandler):
    server: Refusing

    def answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer(200, SPECS if self.path == "/api/kernelspecs" else {"version": "2.21.1"})

    def do_POST(self) -> None:
        self.server.asked += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(self.server.status, {"reason": "", "message": ANSWERS[self.server.status][0]})

    def do_DELETE(self) -> None:
        self.answer(404, {"message": "no such kernel"})

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[Refusing]:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("some-token")
    with Refusing() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connect("no", server.url, token)
        yield server
        server.shutdown()
    disconnect("no")


def shown(kernel: Kernel, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a notebook shows of a cell, and its reply."""
    errors: list[dict[str, Any]] = []
    hook = lambda m: errors.append(m["content"]) if m["msg_type"] == "error" else None  # noqa: E731
    reply = kernel.client.execute_interactive(code, output_hook=hook, timeout=30)
    return errors[0], reply["content"]


@pytest.mark.parametrize("status", ANSWERS)
def test_the_cell_says_why(refusing: Refusing, start_kernel: Start, status: int) -> None:
    refusing.status = status
    began = time.monotonic()
    kernel = start_kernel("no-gpu")
    error, reply = shown(kernel, "1")
    assert time.monotonic() - began < 30  # not what a client waits for a kernel
    assert reply["status"] == "error" and reply["ename"] == error["ename"] == "KernelRefused"
    assert ANSWERS[status][1] in error["evalue"]
    assert "\n" not in error["evalue"]
    asked = refusing.asked
    shown(kernel, "2")
    assert refusing.asked == asked + 1  # each cell tries again
    assert kernel.manager.is_alive()


@pytest.mark.slow
def test_papermill_fails_with_the_line(refusing: Refusing, tmp_path: Path) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    made.metadata.kernelspec = {"name": "no-gpu", "display_name": "x", "language": "python"}
    nbformat.write(made, tmp_path / "notebook.ipynb")
    began = time.monotonic()
    answer = run_papermill(tmp_path / "notebook.ipynb", "no-gpu")
    assert answer.returncode != 0 and time.monotonic() - began < 50  # its own patience is 60 s
    assert "KernelRefused: the gateway at" in answer.stderr and "you use 3 of 3 kernels: end one" in answer.stderr
    assert "you use 3 of 3 kernels" in (tmp_path / "out.ipynb").read_text()


def test_a_token_put_right_and_a_gateway_that_comes_back(
    gateway: GatewayProcess, tmp_path: Path, start_kernel: Start
) -> None:
    from contextlib import closing

    from .proxy import Proxy

    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(gateway.token_file.read_text())
    with closing(Proxy(int(gateway.url.rsplit(":", 1)[1]))) as proxy:
        connect("later", proxy.url, token)
        try:
            token.write_text("wrong")
            kernel = start_kernel("later-genai4eu")
            assert "refuses the token" in shown(kernel, "1")[0]["evalue"]
            token.write_text(gateway.token_file.read_text())
            proxy.down()
            assert "does not answer" in shown(kernel, "1")[0]["evalue"]
            proxy.up()
            assert kernel.run("print(1)")[0] == "1\n"
            kernel.manager.shutdown_kernel()
        finally:
            disconnect("later")
