"""A connection that breaks in mid-cell comes back with all that was said; a kernel gone meanwhile is a death."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from ..patience import eventually
from .conftest import Kernel, kernel_ids
from .proxy import Proxy

pytestmark = pytest.mark.slow

Start = Callable[[str], Kernel]
SAID = ("connected again", "no connection")


@pytest.fixture
def proxy(gateway: GatewayProcess) -> Iterator[Proxy]:
    with closing(Proxy(int(gateway.url.rsplit(":", 1)[1]))) as proxy:
        connect("cut", proxy.url, gateway.token_file)
        yield proxy
    disconnect("cut")


def numbered(count: int, pause: float, size: int = 0) -> str:
    """A cell that prints numbered lines."""
    return f"import time\nfor i in range({count}): print('line', i, 'x' * {size}, flush=True); time.sleep({pause})"


class Cell:
    """A cell that runs, and what is heard of it."""

    def __init__(self, kernel: Kernel, code: str) -> None:
        self.kernel = kernel
        self.asked = kernel.client.execute(code)
        self.messages: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any]:
        message: dict[str, Any]
        while (message := self.kernel.client.get_iopub_msg(timeout=90))["parent_header"].get("msg_id") != self.asked:
            pass
        self.messages.append(message)
        return message

    def begun(self) -> Cell:
        while self.next()["msg_type"] != "stream":
            pass
        return self

    def end(self) -> dict[str, Any]:
        while self.messages[-1:] == [] or self.messages[-1]["content"].get("execution_state") != "idle":
            self.next()
        return self.kernel.reply_to(self.asked)

    def text(self, name: str) -> str:
        streams = [m["content"] for m in self.messages if m["msg_type"] == "stream"]
        return "".join(content["text"] for content in streams if content["name"] == name)

    def lines(self) -> list[int]:
        return [int(line.split()[1]) for line in self.text("stdout").splitlines()]


def spoil(proxy: Proxy, how: str) -> None:
    if how == "stall":
        proxy.stall(2)
    elif how == "frame":
        proxy.cut_after(100_001)
    else:
        getattr(proxy, how)()


@pytest.mark.parametrize("how", ["cut", "stall", "frame", "swallow"])
@pytest.mark.slow
def test_a_broken_connection_loses_and_doubles_nothing(proxy: Proxy, start_kernel: Start, how: str) -> None:
    kernel = start_kernel("cut-genai4eu")
    cell = Cell(kernel, numbered(200, 0.02, 2000)).begun()
    spoil(proxy, how)
    reply = cell.end()
    assert reply["status"] == "ok"
    assert cell.lines() == list(range(200))
    assert not [line for line in cell.text("stderr").splitlines() if not any(said in line for said in SAID)]
    assert kernel.run("print(1)")[0] == "1\n"


@pytest.mark.slow
def test_twenty_cuts_in_one_cell(proxy: Proxy, start_kernel: Start) -> None:
    cell = Cell(start_kernel("cut-genai4eu"), numbered(1000, 0.006, 500)).begun()
    done = threading.Event()

    def cut() -> None:
        for number in range(20):
            time.sleep(0.25)
            proxy.cut() if number % 2 else proxy.cut_after(5000 + 777 * number)
        done.set()

    thread = threading.Thread(target=cut)
    thread.start()
    reply = cell.end()
    thread.join()
    assert (reply["status"], cell.text("stderr")) == ("ok", "")
    assert cell.lines() == list(range(1000))
    assert done.is_set()


def test_cuts_among_binary_outputs_and_questions(proxy: Proxy, start_kernel: Start) -> None:
    """Both ways: what the client says is numbered too."""
    kernel = start_kernel("cut-genai4eu")

    def answer(message: dict[str, Any]) -> None:
        proxy.cut()
        kernel.client.input(message["content"]["prompt"].strip() * 2)
        proxy.cut()

    printed, reply = kernel.run("print([input(f'{i} ') for i in range(5)])", answer)
    assert (printed, reply["status"]) == ("['00', '11', '22', '33', '44']\n", "ok")


def test_a_cell_sent_while_there_is_no_connection_runs_once(proxy: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("cut-genai4eu")
    kernel.run("n = 0")
    proxy.down()
    asked = [kernel.client.execute("n += 1") for _ in range(5)]
    time.sleep(0.5)
    proxy.up()
    assert [kernel.reply_to(one)["execution_count"] for one in asked] == [2, 3, 4, 5, 6]
    assert kernel.run("print(n)")[0] == "5\n"


@pytest.mark.slow
def test_a_gateway_that_is_away_for_12_s(proxy: Proxy, start_kernel: Start) -> None:
    cell = Cell(start_kernel("cut-genai4eu"), numbered(160, 0.1)).begun()
    proxy.down()
    time.sleep(12)  # pauses between tries have become the longest, twice over
    proxy.up()
    assert cell.end()["status"] == "ok"
    assert cell.lines() == list(range(160))
    told = cell.text("stderr").splitlines()
    assert "no connection to the gateway" in told[0] and "nothing was lost" in told[1] and len(told) == 2


@pytest.mark.slow
def test_a_gateway_that_stands_still_for_17_s(tmp_path: Path, home: dict[str, str], start_kernel: Start) -> None:
    with process.start(tmp_path, env={**os.environ, **home}) as gateway:
        connect("still", gateway.url, gateway.token_file)
        kernel = start_kernel("still-genai4eu")
        cell = Cell(kernel, numbered(200, 0.1)).begun()
        os.kill(gateway.process.pid, signal.SIGSTOP)
        time.sleep(17)  # longer than the bridge listens to silence
        os.kill(gateway.process.pid, signal.SIGCONT)
        assert cell.end()["status"] == "ok"
        assert cell.lines() == list(range(200))
        kernel.manager.shutdown_kernel()
    disconnect("still")


@pytest.mark.parametrize("slowly", [False, True])
def test_a_kernel_that_ends_during_the_cut_is_dead(
    proxy: Proxy, start_kernel: Start, rest: Gateway, slowly: bool
) -> None:
    """Slowly: the bridge is back before the kernel's process has ended."""
    before = kernel_ids(rest)
    kernel = start_kernel("cut-genai4eu")
    (kernel_id,) = kernel_ids(rest) - before
    if slowly:
        kernel.run("import atexit, time; atexit.register(time.sleep, 2)")
    proxy.cut()
    rest.delete(kernel_id)
    eventually(lambda: not kernel.manager.is_alive())


def test_last_words_of_a_kernel_that_died_during_a_cut(proxy: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("cut-genai4eu")
    kernel.run("1")
    proxy.down()
    cell = Cell(kernel, "1")
    proxy.up()
    cell.end()
    code = (
        "import os, time\nprint('begun', flush=True); time.sleep(1)\nprint('last words', flush=True); time.sleep(0.2)\n"
    )
    cell = Cell(kernel, code + "os.kill(os.getpid(), 9)").begun()
    proxy.down()
    time.sleep(2.5)
    proxy.up()
    while "last words" not in cell.text("stdout"):
        cell.next()
    reply = cell.end()
    assert reply["ename"] == "KernelDied" and "died" in reply["evalue"]
    eventually(lambda: not kernel.manager.is_alive())


def test_an_interrupt_during_a_cut_is_delivered(proxy: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("cut-genai4eu")
    cell = Cell(kernel, "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)").begun()
    proxy.down()
    for _ in range(3):
        kernel.manager.interrupt_kernel()
        time.sleep(0.5)
    while "will be delivered" not in cell.text("stderr"):
        cell.next()
    proxy.up()
    assert cell.end()["ename"] == "KeyboardInterrupt"
    assert cell.text("stderr").count("will be delivered") == 1  # three presses are one
    assert kernel.run("print(1)")[0] == "1\n"


def test_an_interrupt_during_a_cut_spares_the_next_cell(proxy: Proxy, start_kernel: Start) -> None:
    kernel = start_kernel("cut-genai4eu")
    cell = Cell(kernel, "import time; print('begun', flush=True); time.sleep(2)").begun()
    following = kernel.client.execute("time.sleep(8); print('unharmed')")
    proxy.down()
    kernel.manager.interrupt_kernel()
    while "will be delivered" not in cell.text("stderr"):
        cell.next()
    time.sleep(3)  # the cell ends, the next one begins
    proxy.up()
    assert cell.end()["status"] == "ok"
    assert kernel.reply_to(following)["status"] == "ok"


def test_a_restart_during_a_cut(proxy: Proxy, start_kernel: Start, rest: Gateway) -> None:
    """Twice, as somebody does to whom it takes too long: it stays one kernel."""
    before = kernel_ids(rest)
    kernel = start_kernel("cut-genai4eu")
    kernel.run("n = 1")
    mine = kernel_ids(rest) - before
    proxy.down()
    kernel.manager.restart_kernel()
    time.sleep(2)
    kernel.manager.restart_kernel()
    cell = Cell(kernel, "print('n' in globals())")
    while "connecting again" not in cell.text("stderr"):
        cell.next()
    proxy.up()
    assert cell.end()["status"] == "ok"
    assert cell.text("stdout") == "False\n"
    assert kernel_ids(rest) - before == mine
