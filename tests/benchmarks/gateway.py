"""A kernel behind our gateway and bridge, beside a stock Jupyter Kernel Gateway and the kernel itself, in one run.

    python -P tests/benchmarks/gateway.py

All on the loopback interface, stock ipykernel in every row. ``direct`` is jupyter_client on the kernel's ZMQ sockets.
``stock`` is jupyter_kernel_gateway with a WebSocket client of its own protocol (jupyter_server's own gateway client
cannot log in there, see docs). ``stock+bridge`` is our bridge before that gateway.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import websocket
from jupyter_client import BlockingKernelClient, KernelManager

from genai4eu.kernels.connect import connect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import process
from genai4eu.kernels.rest import Gateway
from genai4eu.kernels.wire import V1, pack_v1, unpack_v1

SPEC, TRIPS, ROUNDS = "python3", 200, 3
SIZES = {"100 x 1 MB": (100, 1_000_000), "1000 x 100 kB": (1000, 100_000)}


class Zmq:
    """A kernel as jupyter_client has it."""

    def __init__(self, spec: str) -> None:
        began = time.perf_counter()
        self.manager = KernelManager(kernel_name=spec)
        self.manager.start_kernel()
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        asked = self.client.execute("1")
        self._reply(asked)
        self.started = time.perf_counter() - began
        self.client.wait_for_ready(timeout=60)

    def _reply(self, asked: str) -> None:
        while self.client.get_shell_msg(timeout=60)["parent_header"].get("msg_id") != asked:
            pass

    def trip(self) -> float:
        """Seconds from a cell to its reply."""
        began = time.perf_counter()
        asked = self.client.execute("1")
        self._reply(asked)
        took = time.perf_counter() - began
        self._until_idle(asked)
        return took

    def _until_idle(self, asked: str) -> int:
        size = 0
        while True:
            message = self.client.get_iopub_msg(timeout=120)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "display_data":
                size += len(message["content"]["data"]["text/plain"])
            if message["content"].get("execution_state") == "idle":
                return size

    def pour(self, code: str) -> tuple[float, int]:
        """Seconds in which a cell's outputs are all here, and their bytes."""
        began = time.perf_counter()
        size = self._until_idle(self.client.execute(code))
        return time.perf_counter() - began, size

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel()


class Plain:
    """A kernel as a WebSocket client of a stock gateway has it."""

    def __init__(self, url: str, token: str) -> None:
        began = time.perf_counter()
        self._headers = {"Authorization": f"token {token}"}
        self._url = url
        body = json.dumps({"name": SPEC}).encode()
        request = urllib.request.Request(f"{url}/api/kernels", body, self._headers)
        self._kernel = json.load(urllib.request.urlopen(request, timeout=60))["id"]
        address = f"ws{url.removeprefix('http')}/api/kernels/{self._kernel}/channels?session_id={uuid.uuid4().hex}"
        self._socket = websocket.create_connection(address, 60, header=self._headers, subprotocols=[V1])
        self.trip()
        self.started = time.perf_counter() - began

    def _ask(self, code: str) -> str:
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "s", "username": "u"}
        header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
        self._socket.send_binary(pack_v1("shell", [json.dumps(p).encode() for p in (header, {}, {}, content)]))
        return header["msg_id"]

    def _hear(self, asked: str) -> tuple[str, dict[str, Any]]:
        while True:
            _, parts = unpack_v1(self._socket.recv())
            if json.loads(parts[1]).get("msg_id") == asked:
                return json.loads(parts[0])["msg_type"], json.loads(parts[3])

    def trip(self) -> float:
        began = time.perf_counter()
        asked, took, idle = self._ask("1"), 0.0, False
        while not (took and idle):
            kind, content = self._hear(asked)
            took = time.perf_counter() - began if kind == "execute_reply" else took
            idle |= content.get("execution_state") == "idle"
        return took

    def pour(self, code: str) -> tuple[float, int]:
        began = time.perf_counter()
        asked, size = self._ask(code), 0
        while True:
            kind, content = self._hear(asked)
            size += len(content["data"]["text/plain"]) if kind == "display_data" else 0
            if content.get("execution_state") == "idle":
                return time.perf_counter() - began, size

    def close(self) -> None:
        self._socket.close()
        request = urllib.request.Request(
            f"{self._url}/api/kernels/{self._kernel}", None, self._headers, method="DELETE"
        )
        urllib.request.urlopen(request, timeout=60)


@contextmanager
def stock_gateway(folder: Path) -> Iterator[Gateway]:
    """Run a stock gateway."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = folder / "stock-token"
    token.touch(0o600)
    token.write_text("a-stock-token")
    options = [f"--KernelGatewayApp.port={port}", "--KernelGatewayApp.ip=127.0.0.1"]
    command = [sys.executable, "-P", "-m", "kernel_gateway", *options]
    with (folder / "stock.log").open("w") as log:
        env = {**os.environ, "KG_AUTH_TOKEN": "a-stock-token"}
        running = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
    gateway = Gateway(f"http://127.0.0.1:{port}", token)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                gateway.specs()
                break
            except KernelsError:  # not up yet
                time.sleep(0.1)
        yield gateway
    finally:
        running.terminate()
        running.wait(60)


def pss(processes: list[psutil.Process]) -> float:
    """Proportional share of memory in MB."""
    return sum(one.memory_full_info().pss for one in processes) / 1e6


def table(rows: dict[str, Any]) -> None:
    """Measure every row in turn, round by round, so that what else the computer does falls on all of them."""
    trips: dict[str, list[float]] = {name: [] for name in rows}
    rates: dict[str, dict[str, list[float]]] = {name: {size: [] for size in SIZES} for name in rows}
    for _ in range(ROUNDS):
        for name, kernel in rows.items():
            trips[name] += [kernel.trip() for _ in range(TRIPS // ROUNDS)]
            for size, (count, length) in SIZES.items():
                code = "from IPython.display import display\n"
                code += f"for _ in range({count}): display({{'text/plain': 'x' * {length}}}, raw=True)"
                try:
                    took, got = kernel.pour(code)
                except queue.Empty:
                    took, got = float("inf"), 0
                rates[name][size].append(got / took / 1e6 if got == count * length else 0.0)
    print(f"{'':14}{'round trip':>12}" + "".join(f"{size:>16}" for size in SIZES) + f"{'first reply':>14}")
    for name, kernel in rows.items():
        trip = f"{statistics.median(trips[name]) * 1000:.1f} ms"
        middle = [statistics.median(rates[name][size]) for size in SIZES]
        cells = "".join(f"{f'{rate:.0f} MB/s' if rate else 'incomplete':>16}" for rate in middle)
        print(f"{name:14}{trip:>12}{cells}{kernel.started:>12.2f} s")
    ours, stock = statistics.median(trips["ours"]), statistics.median(trips["stock"])
    print(f"\nround trip: ours {ours * 1000:.1f} ms, stock / ours = {stock / ours:.1f}")
    for size in SIZES:
        share = statistics.median(rates["ours"][size]) / statistics.median(rates["direct"][size])
        print(f"100 MB of outputs as {size}: ours / direct = {share:.2f}")


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "XDG_STATE_HOME"):
            os.environ[name] = str(folder / name)
        ours = stack.enter_context(process.start(folder / "ours"))
        stock = stack.enter_context(stock_gateway(folder))
        connect("ours", ours.url, ours.token_file)
        connect("stock", stock.url, stock.token_file)
        makers: dict[str, Callable[[], Any]] = {
            "direct": lambda: Zmq(SPEC),
            "ours": lambda: Zmq(f"ours-{SPEC}"),
            "stock": lambda: Plain(stock.url, "a-stock-token"),
            "stock+bridge": lambda: Zmq(f"stock-{SPEC}"),
        }
        rows = {}
        for name, make in makers.items():
            rows[name] = make()
            stack.callback(rows[name].close)
        bridge = psutil.Process(rows["ours"].manager.provisioner.pid)
        time.sleep(3)
        print(f"idle bridge with its watcher: {pss([bridge, *bridge.children()]):.1f} MB PSS\n")
        table(rows)


if __name__ == "__main__":
    main()
