"""A gateway kernel behaves like a local one to jupyter_client, in use, under interruption, and in death."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client import BlockingKernelClient, KernelManager

from genai4eu.kernels import handover
from genai4eu.kernels.bridge import watcher
from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from ..patience import eventually
from .conftest import WHERE, Kernel, kernel_ids

pytestmark = pytest.mark.slow

Start = Callable[[str], Kernel]
ECHO = """
def echo(comm, message):
    @comm.on_msg
    def back(message):
        comm.send(message["content"]["data"], buffers=message["buffers"])
get_ipython().kernel.comm_manager.register_target("echo", echo)
"""


def ended(pids: list[int]) -> None:
    """Wait until the processes are gone."""
    found = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert not psutil.wait_procs(found, timeout=60)[1]


def bridge_of(kernel: Kernel) -> psutil.Process:
    return psutil.Process(kernel.manager.provisioner.pid)


def test_code_runs_under_the_gateway(
    start_kernel: Start, target: str, gateway: GatewayProcess, rest: Gateway, home: dict[str, str]
) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    printed, reply = kernel.run(WHERE + "; print(__import__('ipykernel').get_connection_file())")
    assert printed.startswith("at far\n")
    (kernel_id,) = kernel_ids(rest) - before
    assert kernel_id in printed
    assert reply["status"] == "ok"
    token = gateway.token_file.read_text().strip()
    for running in (bridge_of(kernel), *bridge_of(kernel).children()):
        assert token not in f"{running.cmdline()} {running.environ()}"
    left = [child.pid for child in bridge_of(kernel).children()]
    kernel.manager.shutdown_kernel()
    assert kernel_id not in kernel_ids(rest)
    ended(left)


@pytest.mark.slow
def test_errors_and_much_output_arrive(start_kernel: Start, target: str) -> None:
    kernel = start_kernel(target)
    printed, reply = kernel.run("for i in range(3000): print(i, 'x' * 1000, flush=True)\n1 / 0")
    assert [line.split()[0] for line in printed.splitlines()] == [str(i) for i in range(3000)]
    assert reply["ename"] == "ZeroDivisionError"


def test_binary_buffers(start_kernel: Start, target: str) -> None:
    client = start_kernel(target).client
    client.execute_interactive(ECHO, timeout=60)
    buffer = bytes(range(256)) * 80_000  # 20 MB
    for kind, content in (("comm_open", {"target_name": "echo"}), ("comm_msg", {})):
        message = client.session.msg(kind, {"comm_id": "c", "data": {"n": 1}, **content})
        client.shell_channel.send({**message, "buffers": [buffer, b""] if kind == "comm_msg" else []})
    while (answer := client.get_iopub_msg(timeout=60))["msg_type"] != "comm_msg":
        pass
    assert answer["content"]["data"] == {"n": 1}
    assert [bytes(b) for b in answer["buffers"]] == [buffer, b""]


def test_an_output_of_20_mb(start_kernel: Start, target: str) -> None:
    kernel = start_kernel(target)
    kernel.client.execute("from IPython.display import display; display({'x/y': 'z' * 20_000_000}, raw=True)")
    while (shown := kernel.client.get_iopub_msg(timeout=60))["msg_type"] != "display_data":
        pass
    assert shown["content"]["data"] == {"x/y": "z" * 20_000_000}


def test_completion(start_kernel: Start, target: str) -> None:
    kernel = start_kernel(target)
    kernel.run("import collections")
    asked = kernel.client.complete("collections.Ordered")
    assert "OrderedDict" in str(kernel.reply_to(asked)["matches"])


def test_a_cell_longer_than_any_launch_timeout(
    start_kernel: Start, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERNEL_LAUNCH_TIMEOUT", "8")
    assert start_kernel(target).run("import time; time.sleep(10); print('done')")[0] == "done\n"


def test_interrupt_in_a_busy_loop(start_kernel: Start, target: str) -> None:
    kernel = start_kernel(target)
    asked = kernel.client.execute("print('begun', flush=True)\nwhile True: pass")
    while kernel.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    assert kernel.reply_to(asked)["ename"] == "KeyboardInterrupt"


def test_questions_to_the_user(start_kernel: Start, target: str) -> None:
    kernel = start_kernel(target)

    def answer(message: dict[str, Any]) -> None:
        kernel.client.input({"name? ": "Ada", "age? ": "36"}[message["content"]["prompt"]])

    printed, reply = kernel.run("print(input('name? '), input('age? '))", answer)
    assert (printed, reply["status"]) == ("Ada 36\n", "ok")


@pytest.mark.parametrize("mode", ["signal", "message"])
def test_interrupt(start_kernel: Start, target: str, mode: str) -> None:
    kernel = start_kernel(target)
    kernel.manager.kernel_spec.interrupt_mode = mode
    asked = kernel.client.execute("print('begun', flush=True)\nimport threading; threading.Event().wait(600)")
    while kernel.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    kernel.manager.interrupt_kernel()
    assert kernel.reply_to(asked)["ename"] == "KeyboardInterrupt"
    # What comes while the kernel still clears up after the interrupt is answered with "aborted": ask again.
    eventually(lambda: kernel.run("print('still here')")[0] == "still here\n")


def test_a_killed_remote_kernel_is_a_dead_kernel(start_kernel: Start, target: str, rest: Gateway) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    bridge = bridge_of(kernel)
    watching = [child.pid for child in bridge.children()]
    pid = int(kernel.run("import os; print(os.getpid())")[0])
    ran, waited = [kernel.client.execute("import time; time.sleep(60)") for _ in range(2)]
    psutil.Process(pid).kill()
    for asked in (ran, waited):
        reply = kernel.reply_to(asked)
        assert (reply["status"], reply["ename"]) == ("error", "KernelDied") and "the kernel died" in reply["evalue"]
    eventually(lambda: not kernel.manager.is_alive(), 5)
    said: list[dict[str, Any]] = []
    while (
        not said
        or said[-1]["content"].get("execution_state") != "idle"
        or said[-1]["parent_header"]["msg_id"] != waited
    ):
        said.append(kernel.client.get_iopub_msg(timeout=5))
    assert [m["parent_header"]["msg_id"] for m in said if m["msg_type"] == "error"] == [ran, waited]
    assert kernel_ids(rest) <= before
    ended([bridge.pid, *watching])


@pytest.mark.slow
def test_exit_ends_the_kernel(start_kernel: Start, target: str, rest: Gateway) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    kernel.client.execute("exit")
    eventually(lambda: not kernel.manager.is_alive())
    eventually(lambda: kernel_ids(rest) <= before)


def test_a_kernel_deleted_at_the_gateway_is_a_dead_kernel(start_kernel: Start, target: str, rest: Gateway) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    (kernel_id,) = kernel_ids(rest) - before
    rest.delete(kernel_id)
    eventually(lambda: not kernel.manager.is_alive())


def test_a_kernel_restarted_at_the_gateway_is_a_dead_kernel(start_kernel: Start, target: str, rest: Gateway) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    (kernel_id,) = kernel_ids(rest) - before
    rest.call("POST", f"/api/kernels/{kernel_id}/restart", {}, 60)
    eventually(lambda: not kernel.manager.is_alive())
    eventually(lambda: kernel_ids(rest) <= before)


def test_restart_gives_a_fresh_kernel(start_kernel: Start, target: str, rest: Gateway, gateway: GatewayProcess) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    kernel.run("x = 1")
    old = kernel_ids(rest) - before
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=60)
    printed, _ = kernel.run(WHERE + "; print('x' in globals())")
    assert printed == "at far\nFalse\n"
    assert kernel_ids(rest) - before == old  # in its place: a job's allocation stays
    kernel.manager.shutdown_kernel()
    assert not kernel_ids(rest) & old


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.slow
def test_a_killed_bridge_leaves_nothing(
    start_kernel: Start, target: str, rest: Gateway, number: signal.Signals
) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    watching = [child.pid for child in bridge_of(kernel).children()]
    kernel.manager.signal_kernel(number)  # to the whole process group, as shutdown_kernel(now=True) does
    eventually(lambda: kernel_ids(rest) <= before, 10)
    ended(watching)


@pytest.mark.slow
def test_a_bridge_killed_with_its_watcher_leaves_nothing_after_its_lease(
    start_kernel: Start, target: str, rest: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENAI4EU_LEASE", "2")
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    for one in (*bridge_of(kernel).children(), bridge_of(kernel)):
        one.kill()
    assert kernel_ids(rest) - before
    eventually(lambda: kernel_ids(rest) <= before, 20)


def test_a_kernel_is_handed_over_at_a_restart(start_kernel: Start, target: str, rest: Gateway) -> None:
    """Whoever takes it up has the kernel; the watcher of the process before does not end it then."""
    before = kernel_ids(rest)
    kernel = start_kernel(target)
    watching = [child.pid for child in bridge_of(kernel).children()]
    given = handover.path_of(Path(kernel.manager.connection_file))
    kernel.manager.request_shutdown(restart=True)
    eventually(lambda: not kernel.manager.is_alive())
    assert given.stat().st_mode & 0o777 == 0o600
    assert kernel_ids(rest) - before
    assert handover.take(Path(kernel.manager.connection_file)) is not None
    ended(watching)  # it takes the kernel to be adopted
    (kernel_id,) = kernel_ids(rest) - before
    rest.delete(kernel_id)


def test_a_kernel_that_nobody_takes_up_is_ended(
    rest: Gateway, gateway: GatewayProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "ADOPTION", 0.5)
    kernel_id = rest.call("POST", "/api/kernels", {"name": "genai4eu"})["id"]
    handover.give(tmp_path / "kernel.json", {"kernel_id": kernel_id})
    watcher._clean_up(gateway.url, str(gateway.token_file), "", kernel_id, f"handed {tmp_path / 'kernel.json'}")
    assert kernel_id not in kernel_ids(rest)


def test_a_killed_client_leaves_nothing(target: str, rest: Gateway) -> None:
    before = kernel_ids(rest)
    code = (
        "import sys\nfrom jupyter_client.manager import start_new_kernel\n"
        f"manager, client = start_new_kernel(kernel_name={target!r})\n"
        "print(manager.provisioner.pid, flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdin=-1, stdout=-1, text=True) as client:
        assert client.stdout is not None
        bridge = psutil.Process(int(client.stdout.readline()))
        processes = [bridge.pid, *(child.pid for child in bridge.children())]
        assert kernel_ids(rest) - before
        client.kill()
    ended(processes)
    eventually(lambda: kernel_ids(rest) <= before)


@pytest.mark.slow
def test_a_client_killed_while_the_kernel_starts_leaves_nothing(target: str, rest: Gateway) -> None:
    before = kernel_ids(rest)
    manager = KernelManager(kernel_name=target)
    manager.start_kernel()
    bridge = psutil.Process(manager.provisioner.pid)
    eventually(bridge.children)  # the watcher is there, so the kernel is about to be asked for
    watching = [child.pid for child in bridge.children()]
    manager.shutdown_kernel(now=True)
    ended(watching)
    assert kernel_ids(rest) <= before


def test_ipc_on_the_local_side(target: str, gateway: GatewayProcess, tmp_path: Path) -> None:
    manager = KernelManager(kernel_name=target, transport="ipc", ip=str(tmp_path / "k"))
    manager.start_kernel()
    client: BlockingKernelClient = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        assert Kernel(manager, client).run(WHERE)[0] == "at far\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_many_kernels_at_once(start_kernel: Start, target: str) -> None:
    kernels = [start_kernel(target) for _ in range(3)]
    asked = [kernel.client.execute(f"x = {number}") for number, kernel in enumerate(kernels)]
    assert len(set(asked)) == 3
    for number, kernel in enumerate(kernels):
        assert kernel.run("print(x)")[0] == f"{number}\n"


@pytest.mark.slow
def test_the_gateway_ends_while_a_cell_runs(tmp_path: Path, start_kernel: Start) -> None:
    from genai4eu.kernels.connect import connect, disconnect

    gateway = process.start(tmp_path)
    try:
        connect("brief", gateway.url, gateway.token_file)
        kernel = start_kernel("brief-genai4eu")
        kernel.client.execute("import threading; threading.Event().wait(600)")
        watching = [child.pid for child in bridge_of(kernel).children()]
        gateway.stop()
        eventually(lambda: not kernel.manager.is_alive())  # told, not found out after the time of grace
        ended(watching)
    finally:
        gateway.stop()
        disconnect("brief")
