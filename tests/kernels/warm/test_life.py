"""Signals, exit status, restart, and who outlives whom."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from genai4eu.kernels.warm import client
from genai4eu.kernels.warm.process import attach

from ...stack import ALL as LEFT_OUT  # noqa: F401  # kernels are looked at, and not what they compute
from .conftest import Kernel

pytestmark = pytest.mark.slow
Start = Callable[..., Kernel]
CLIENT = """
import os, sys, time
from jupyter_client import KernelManager
manager = KernelManager(kernel_name="genai4eu")
manager.start_kernel(independent={independent})
print(type(manager.provisioner.process).__name__, manager.provisioner.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "code", ["while True: pass", "import time; time.sleep(60)", "import os; os.system('sleep 60')"]
)
def test_interrupt(kernel: Kernel, code: str) -> None:
    question = kernel.client.execute(f"print('on')\n{code}")
    while kernel.client.get_iopub_msg(timeout=10)["msg_type"] != "stream":
        pass
    time.sleep(0.3)
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=10)
    assert reply["parent_header"]["msg_id"] == question
    assert reply["content"].get("ename") == "KeyboardInterrupt" or "sleep" in code
    time.sleep(0.3)  # a kernel drops what it finds queued after an interrupt
    assert kernel.value("1 + 1") == 2


@pytest.mark.parametrize(
    ("code", "status"),
    [("os._exit(7)", 7), ("os.kill(os.getpid(), 9)", -9), ("get_ipython().kernel.do_shutdown(False)", 0)],
)
def test_exit_status(kernel: Kernel, until: Callable[..., Any], code: str, status: int) -> None:
    assert kernel.process.poll() is None
    kernel.client.execute(f"import os\n{code}")
    if status == 0:
        kernel.client.shutdown()
    until(lambda: not kernel.manager.is_alive())
    assert kernel.process.poll() == kernel.process.wait() == status


def test_an_orderly_end_runs_what_was_registered(kernel: Kernel, tmp_path: Any, until: Callable[..., Any]) -> None:
    path = tmp_path / "said"
    kernel.run(f"import atexit\npath = {str(path)!r}\natexit.register(lambda: open(path, 'a').write('bye '))")
    kernel.run("left = open(path + '.left', 'w')\nleft.write('unflushed')")
    kernel.client.shutdown()
    until(lambda: not kernel.manager.is_alive())
    assert Path(f"{path}.left").read_text() == "unflushed"
    assert path.read_text() == "bye "


@pytest.mark.parametrize("now", [True, False])
def test_restart(kernel: Kernel, now: bool) -> None:
    before, connection = kernel.process.pid, kernel.manager.get_connection_info()
    kernel.run("x = 1")
    kernel.manager.restart_kernel(now=now)
    kernel.client.wait_for_ready(timeout=30)
    assert kernel.manager.get_connection_info() == connection
    assert kernel.process.pid != before and not psutil.pid_exists(before)
    assert kernel.value("'x' in globals()") is False and kernel.warm


def test_lists_of_processes_tell_template_and_kernel_apart(kernel: Kernel, template: dict[str, Any]) -> None:
    names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in (template["pid"], kernel.process.pid)]
    assert names == ["genai4eu-warm", "genai4eu-kernel"]


def test_kernels_outlive_the_template(kernel: Kernel, template: dict[str, Any], until: Callable[..., Any]) -> None:
    ended = psutil.Process(template["pid"])
    os.kill(template["pid"], signal.SIGKILL)
    until(lambda: not ended.is_running() or ended.status() == "zombie")
    assert kernel.value("1 + 1") == 2
    kernel.client.execute("while True: pass")
    time.sleep(0.3)
    kernel.manager.interrupt_kernel()
    assert kernel.client.get_shell_msg(timeout=10)["content"]["ename"] == "KeyboardInterrupt"
    kernel.manager.shutdown_kernel()
    assert not kernel.manager.is_alive()


def _state(pid: int) -> str:
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return "gone"


def test_stop_leaves_running_kernels(kernel: Kernel, template: dict[str, Any], until: Callable[..., Any]) -> None:
    waiting = template["ahead"]
    assert client.stop() == 1
    assert client.status() == []
    gone = {"zombie", "gone"}
    until(lambda: all(_state(pid) in gone for pid in waiting if pid != kernel.process.pid))
    assert kernel.value("2 + 2") == 4


@pytest.mark.parametrize("independent", [False, True])
def test_a_kernel_and_its_client(template: dict[str, Any], until: Callable[..., Any], independent: bool) -> None:
    """The kernel ends with its client, unless it was started to outlive it; then it can be taken up again."""
    code = CLIENT.format(independent=independent)
    one = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True)
    assert one.stdout
    kind, pid = one.stdout.readline().split()
    assert kind == "WarmProcess"
    kernel = psutil.Process(int(pid))
    one.kill()
    one.wait()
    one.stdout.close()
    if not independent:
        until(lambda: not kernel.is_running() or kernel.status() == "zombie", 10)
        return
    time.sleep(1.5)
    assert kernel.is_running()
    assert attach(kernel.pid, kernel.create_time() - 100) is None
    again = attach(kernel.pid, kernel.create_time())
    assert again and again.poll() is None
    again.kill()
    assert again.wait(10) in (-9, 1)


def test_a_provisioner_takes_up_a_kernel(kernel: Kernel) -> None:
    from genai4eu.kernels.warm.provisioner import WarmProvisioner

    info = asyncio.run(kernel.manager.provisioner.get_provisioner_info())
    other = WarmProvisioner(kernel_id="x", kernel_spec=kernel.manager.kernel_spec, parent=None)
    asyncio.run(other.load_provisioner_info(info))
    assert other.has_process and asyncio.run(other.poll()) is None
    asyncio.run(other.kill())
    assert asyncio.run(other.wait()) in (-9, 1)
