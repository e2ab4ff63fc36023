"""The same bridge joins a stock Jupyter Kernel Gateway, whose dying kernels are restarted behind the client's back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from genai4eu.kernels import targets
from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.rest import Gateway, GatewayDown

from ..patience import eventually
from .conftest import Kernel, kernel_ids
from .proxy import Proxy
from .test_reconnect import Cell

pytestmark = pytest.mark.slow
Start = Callable[[str], Kernel]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stock(home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Gateway]]:
    """Process id of a stock gateway, and its client."""
    folder = tmp_path_factory.mktemp("stock")
    token = folder / "token"
    token.touch(0o600)
    token.write_text("a-stock-token")
    gateway = Gateway(f"http://127.0.0.1:{free_port()}", token)
    options = [f"--KernelGatewayApp.port={gateway.url.rsplit(':', 1)[1]}", "--KernelGatewayApp.ip=127.0.0.1"]
    options += ["--JupyterWebsocketPersonality.list_kernels=True", "--KernelGatewayApp.port_retries=0"]
    env = {**os.environ, **home, "KG_AUTH_TOKEN": "a-stock-token"}
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-P", "-m", "kernel_gateway", *options]
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
    try:
        eventually(lambda: process.poll() is not None or _answers(gateway), 60)
        yield process.pid, gateway
    finally:
        process.terminate()
        process.wait(60)


def _answers(gateway: Gateway) -> bool:
    try:
        return bool(gateway.specs())
    except GatewayDown:
        return False


@pytest.fixture
def name(stock: tuple[int, Gateway]) -> Iterator[str]:
    _, gateway = stock
    assert "stock-python3" in connect("stock", gateway.url, gateway.token_file)
    yield "stock-python3"
    disconnect("stock")


def test_code_runs_there(stock: tuple[int, Gateway], name: str, start_kernel: Start) -> None:
    pid, gateway = stock
    before = kernel_ids(gateway)
    kernel = start_kernel(name)
    assert kernel.run("import os; print(os.getppid())")[0] == f"{pid}\n"
    assert len(kernel_ids(gateway) - before) == 1
    kernel.manager.shutdown_kernel()
    assert kernel_ids(gateway) <= before


def test_interrupt(name: str, start_kernel: Start) -> None:
    kernel = start_kernel(name)
    asked = kernel.client.execute("print('begun', flush=True)\nimport threading; threading.Event().wait(600)")
    while kernel.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    assert kernel.reply_to(asked)["ename"] == "KeyboardInterrupt"


def test_a_restart_behind_the_clients_back_is_a_death(
    stock: tuple[int, Gateway], name: str, start_kernel: Start
) -> None:
    """The stock gateway restarts a dead kernel, and a client that goes on would wait for ever for its reply."""
    _, gateway = stock
    before = kernel_ids(gateway)
    kernel = start_kernel(name)
    psutil.Process(int(kernel.run("import os; print(os.getpid())")[0])).send_signal(signal.SIGKILL)
    eventually(lambda: not kernel.manager.is_alive())
    eventually(lambda: kernel_ids(gateway) <= before)


def test_a_cell_that_saw_a_break_is_marked(stock: tuple[int, Gateway], start_kernel: Start) -> None:
    _, gateway = stock
    with closing(Proxy(int(gateway.url.rsplit(":", 1)[1]))) as proxy:
        connect("cut", proxy.url, gateway.token_file)
        kernel = start_kernel("cut-python3")
        code = "import time\nfor i in range(40): print('line', i, flush=True); time.sleep(0.1)"
        cell = Cell(kernel, code).begun()
        proxy.cut()
        cell.end()
        assert "output may be incomplete" in cell.text("stderr")
        marked = [m for m in cell.messages if m["metadata"].get("genai4eu") == {"incomplete": True}]
        assert {"stream", "status"} <= {m["msg_type"] for m in marked}
        printed, reply = kernel.run("print(1)")
        assert (printed, reply["status"]) == ("1\n", "ok")
        kernel.manager.shutdown_kernel()
    disconnect("cut")


def test_a_killed_bridge_leaves_nothing(stock: tuple[int, Gateway], name: str, start_kernel: Start) -> None:
    _, gateway = stock
    before = kernel_ids(gateway)
    kernel = start_kernel(name)
    assert kernel_ids(gateway) - before
    kernel.manager.shutdown_kernel(now=True)
    eventually(lambda: kernel_ids(gateway) <= before)


def test_a_wrong_token(stock: tuple[int, Gateway], tmp_path: Path) -> None:
    _, gateway = stock
    wrong = tmp_path / "token"
    wrong.touch(0o600)
    wrong.write_text("wrong")
    with pytest.raises(KernelsError, match="refuses the token"):
        connect("stock2", gateway.url, wrong)
    assert not [target for target in targets.all_targets() if target.gateway == "stock2"]
