"""One template for the tests of a file, in a folder of its own, and kernels that are forked from it."""

from __future__ import annotations

import ast
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import KernelManager

from genai4eu.kernels import local
from genai4eu.kernels.ready import BlockingReadyClient
from genai4eu.kernels.warm import client
from genai4eu.kernels.warm.process import WarmProcess

from ... import stack


class Kernel:
    """A kernel of the local kernelspec, and a client of it."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def process(self) -> Any:
        return self.manager.provisioner.process

    @property
    def warm(self) -> bool:
        return isinstance(self.process, WarmProcess)

    def run(self, code: str, timeout: float = 30) -> str:
        """Execute code that does not fail; return what it printed."""
        printed = []

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            assert "ename" not in content, f"{content['ename']}: {content['evalue']}"
            printed.append(content.get("text", ""))

        self.client.execute_interactive(code, timeout=timeout, output_hook=hook)
        return "".join(printed).strip()

    def value(self, expression: str, setup: str = "") -> Any:
        """Evaluate an expression to something that can be written down."""
        return ast.literal_eval(self.run(f"{setup}\nprint(repr(({expression})))"))

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def warm_home(
    request: pytest.FixtureRequest, home: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Variables of a private template, with the science stack where a file's ``LEFT_OUT`` does not say otherwise."""
    runtime, left = tmp_path_factory.mktemp("run"), getattr(request.module, "LEFT_OUT", "")
    about = {"GENAI4EU_WARM": "on", "GENAI4EU_WARM_IDLE": "300", stack.WITHOUT: left}
    return home | {"XDG_RUNTIME_DIR": str(runtime), **about}


@pytest.fixture(autouse=True)
def in_warm_home(at_home: None, warm_home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel leaves out something where it sees it
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # as many threads as there are where nobody asks
    for name, value in warm_home.items():
        monkeypatch.setenv(name, value)
    local.ensure()


@pytest.fixture(scope="module")
def _stopped(warm_home: dict[str, str]) -> Iterator[None]:
    yield
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", warm_home["XDG_RUNTIME_DIR"])
        client.stop()


def wait_until(condition: Callable[[], Any], timeout: float = 120) -> Any:
    """Return what a condition gives once it is true."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
    return found


@pytest.fixture
def until() -> Callable[..., Any]:
    return wait_until


@pytest.fixture
def template(_stopped: None) -> dict[str, Any]:
    """What the running template says of itself; some children wait ahead."""
    assert client.ensure(wait=True)
    folder = str(client.place_for(sys.executable, os.environ).folder)

    def about() -> dict[str, Any]:
        return next(one for one in client.status() if one["folder"] == folder)

    wait_until(lambda: len(about().get("ahead", [])) >= 2)
    return about()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    """Start a kernel; all that this test started end with it."""
    made: list[Kernel] = []
    number = itertools.count()

    def start(env: dict[str, str] | None = None, options: dict[str, Any] | None = None, **launch: Any) -> Kernel:
        manager = KernelManager(kernel_name=local.NAME, connection_file=str(tmp_path / f"k{next(number)}.json"))
        manager.client_factory = BlockingReadyClient
        for name, value in (options or {}).items():
            setattr(manager, name, value)
        plain = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        manager.start_kernel(env={**plain, **(env or {})}, **launch)
        made.append(Kernel(manager))
        return made[-1]

    yield start
    for kernel in made:
        kernel.close()


@pytest.fixture
def kernel(template: dict[str, Any], start: Callable[..., Kernel]) -> Kernel:
    """A warm kernel."""
    kernel = start()
    assert kernel.warm
    return kernel
