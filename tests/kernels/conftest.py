"""One gateway for all tests of this room, in a Jupyter home of its own that the user's does not know of."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.manager import start_new_kernel

from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

TARGET = "far-genai4eu"
#: Says at which gateway it runs.
WHERE = "import os; print('at', os.environ['PLACE'])"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables of a private Jupyter home."""
    base = tmp_path_factory.mktemp("home")
    names = {"JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_CONFIG_DIR": "config"}
    home = {variable: str(base / folder) for variable, folder in names.items()}
    return home | {"IPYTHONDIR": str(base / "ipython"), "XDG_STATE_HOME": str(base / "state")}


@pytest.fixture(autouse=True)
def at_home(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in home.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def gateway(home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    with process.start(tmp_path_factory.mktemp("gateway"), env={**os.environ, **home, "PLACE": "far"}) as gateway:
        yield gateway


@pytest.fixture
def rest(gateway: GatewayProcess) -> Gateway:
    return Gateway(gateway.url, gateway.token_file)


@pytest.fixture
def target(gateway: GatewayProcess) -> str:
    connect("far", gateway.url, gateway.token_file)
    return TARGET


@dataclass
class Kernel:
    """A kernel as a blocking client sees it."""

    manager: KernelManager
    client: BlockingKernelClient

    def run(self, code: str, answer: Callable[[dict[str, Any]], None] | None = None) -> tuple[str, dict[str, Any]]:
        """Run code, with something to answer its questions; return what it printed and the reply's content."""
        printed: list[str] = []

        def listen(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, output_hook=listen, stdin_hook=answer, timeout=60)
        return "".join(printed), reply["content"]

    def reply_to(self, asked: str) -> dict[str, Any]:
        """Return the content of the reply to a request; others may come before it."""
        while (reply := self.client.get_shell_msg(timeout=60))["parent_header"]["msg_id"] != asked:
            pass
        content: dict[str, Any] = reply["content"]
        return content


@pytest.fixture
def start_kernel() -> Iterator[Callable[[str], Kernel]]:
    """Starts kernels by name; those still there are ended after the test."""
    kernels: list[Kernel] = []

    def start(name: str) -> Kernel:
        kernels.append(Kernel(*start_new_kernel(kernel_name=name, startup_timeout=60)))
        return kernels[-1]

    yield start
    for kernel in kernels:
        kernel.client.stop_channels()
        if kernel.manager.has_kernel:
            kernel.manager.shutdown_kernel()


def kernel_ids(rest: Gateway) -> set[str]:
    """Ids of the kernels at the gateway."""
    return {model["id"] for model in rest.call("GET", "/api/kernels")}
