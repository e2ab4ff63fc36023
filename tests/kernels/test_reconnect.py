"""A connection that breaks in mid-cell comes back, with what the kernel said meanwhile; one that cannot is a death."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from .conftest import Kernel, eventually, kernel_ids

pytestmark = pytest.mark.slow

Start = Callable[[str], Kernel]


class Proxy:
    """Hands bytes to and fro, until it is cut."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._hand_on, args=ends, daemon=True).start()

    def _hand_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        self._close(source, sink)

    @staticmethod
    def _close(*sockets: socket.socket) -> None:
        for end in sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut(self) -> None:
        """Break every connection; new ones are let through."""
        self._close(*self._sockets)

    def close(self) -> None:
        """Let nothing through any more."""
        self._close(self._listener)
        self.cut()


@pytest.fixture
def proxy(gateway: GatewayProcess) -> Iterator[Proxy]:
    with closing(Proxy(int(gateway.url.rsplit(":", 1)[1]))) as proxy:
        connect("cut", proxy.url, gateway.token_file)
        yield proxy
    disconnect("cut")


def test_a_cut_in_mid_cell(proxy: Proxy, start_kernel: Start, tmp_path: Path, rest: Gateway) -> None:
    before = kernel_ids(rest)
    kernel = start_kernel("cut-genai4eu")
    (kernel_id,) = kernel_ids(rest) - before
    flag = tmp_path / "flag"
    code = (
        "import pathlib, time\nprint('before', flush=True)\n"
        f"while not pathlib.Path({str(flag)!r}).exists(): time.sleep(0.01)\n"
        "for i in range(200): print('line', i, flush=True)"
    )
    asked = kernel.client.execute(code)
    while kernel.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
        pass
    proxy.cut()
    flag.touch()
    assert kernel.reply_to(asked)["status"] == "ok"
    printed = ""
    while (message := kernel.client.get_iopub_msg(timeout=60))["content"].get("execution_state") != "idle":
        printed += message["content"].get("text", "")
    assert printed == "".join(f"line {i}\n" for i in range(200))
    assert kernel.run("print(1)")[0] == "1\n"
    assert kernel_id in kernel_ids(rest)
    kernel.manager.shutdown_kernel()
    assert kernel_id not in kernel_ids(rest)


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
