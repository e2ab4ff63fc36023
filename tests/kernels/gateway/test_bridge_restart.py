"""What a client sees of a gateway that was killed or restarted: cells that ran have died, the kernel has not."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from genai4eu.kernels.connect import connect, disconnect

from ...patience import eventually
from ..conftest import Kernel
from ..proxy import Proxy
from ..test_reconnect import Cell
from ..test_tools import run_papermill
from .conftest import Serve, Service

pytestmark = pytest.mark.slow
Start = Callable[[str], Kernel]


def port(service: Service) -> int:
    return int(service.url.rsplit(":", 1)[1])


@pytest.fixture
def service(serve: Serve, home: dict[str, str]) -> Service:
    return serve(**home)


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Iterator[Proxy]:
    """An address at which the service stays, wherever it starts again."""
    token = tmp_path / "ada"
    token.touch(0o600)
    token.write_text(service.user("ada").token)
    with closing(Proxy(port(service))) as proxy:
        connect("stays", proxy.url, token)
        yield proxy
    disconnect("stays")


def start_again(service: Service, place: Proxy, number: signal.Signals = signal.SIGKILL) -> None:
    place.down()
    service.end(number)
    service.begin()
    place.up(port(service))


def test_a_killed_gateway(service: Service, place: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("stays-python3")
    kernel.run("x = 42")
    cell = Cell(kernel, "import time\nprint('begun', flush=True); time.sleep(8); print('late', flush=True)").begun()
    start_again(service, place)
    reply = cell.end()
    assert (reply["status"], reply["ename"], reply["evalue"]) == ("error", "KernelDied", "died: gateway restarted")
    assert cell.text("stdout") == "begun\n"
    assert [m["content"]["ename"] for m in cell.messages if m["msg_type"] == "error"] == ["KernelDied"]
    printed, reply = kernel.run("print(x)")  # behind what the kernel still does for the cell before
    assert (printed, reply["status"]) == ("42\n", "ok")
    kernel.manager.shutdown_kernel()
    eventually(lambda: not list((service.folder / "kernels").glob("*.json")))


def test_an_idle_kernel_does_not_notice(service: Service, place: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("stays-python3")
    kernel.run("x = 42")
    start_again(service, place, signal.SIGTERM)
    asked = kernel.client.execute("x += 1")
    assert kernel.reply_to(asked)["status"] == "ok"
    assert kernel.run("print(x)") == ("43\n", kernel.run("1")[1] | {"execution_count": 3})


def test_papermill_fails_truthfully(service: Service, place: Proxy, tmp_path: Path) -> None:
    printing = f"print('kept', flush=True)\nopen({str(tmp_path / 'begun')!r}, 'w')\nimport time; time.sleep(300)"
    cells = [nbformat.v4.new_code_cell(printing), nbformat.v4.new_code_cell("2")]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata.kernelspec = {"name": "stays-python3", "display_name": "x", "language": "python"}
    nbformat.write(made, tmp_path / "notebook.ipynb")
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_papermill, tmp_path / "notebook.ipynb", "stays-python3")
        eventually((tmp_path / "begun").exists)
        time.sleep(1)  # until what it printed is on its way
        start_again(service, place)
        answer = running.result()
    assert answer.returncode != 0
    assert "died: gateway restarted" in answer.stderr
    out = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert "kept\n" in [output.get("text") for cell in out.cells for output in cell.get("outputs", [])]


def test_a_revoked_token(service: Service, place: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("stays-python3")
    cell = Cell(kernel, "import time\nprint('begun', flush=True); time.sleep(60)").begun()
    assert service.cli("revoke", "ada").returncode == 0
    reply = cell.end()
    assert reply["status"] == "error"
    assert "refuses the token" in reply["evalue"]


def test_a_stopped_gateway_is_no_death_without_a_reason(service: Service, place: Proxy, start_kernel: Start) -> None:
    cell = Cell(start_kernel("stays-python3"), "import time\nprint('begun', flush=True); time.sleep(600)").begun()
    assert service.cli("stop").returncode == 0
    reply = cell.end()
    assert (reply["status"], reply["ename"]) == ("error", "KernelDied") and "the gateway was stopped" in reply["evalue"]
    eventually(lambda: not cell.kernel.manager.is_alive())
