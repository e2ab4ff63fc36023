"""Runs at a gateway that goes on living without us: it refuses, and it is restarted in the middle of a cell."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from genai4eu.runs.store import all_runs

Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3  # count [1] in 1..5")
pytestmark = pytest.mark.slow


class Service:
    """A gateway as an operator starts it, with one user, ada."""

    def __init__(self, house: Path) -> None:
        self.house = house
        self.state = ("--state", str(house / "gateway"))
        self.process: subprocess.Popen[bytes] | None = None
        self.port = "0"

    def add_ada(self, *limits: str) -> None:
        page = self.type("gateway", "add-user", "ada", *limits, *self.state).stdout
        token = self.house / "ada.token"
        token.touch(0o600)
        token.write_text(re.findall(r"^token +(\S+)", page, re.MULTILINE)[0])

    def start(self) -> None:
        log = self.house / "gateway.log"
        with log.open("wb") as stream:
            self.process = subprocess.Popen(self._command("gateway", "start", "--port", self.port, *self.state),
                                            cwd=self.house, stdout=stream, stderr=stream)  # fmt: skip
        while not (found := re.search(r"http://127.0.0.1:(\d+)", log.read_text())):
            assert self.process.poll() is None, log.read_text()
            time.sleep(0.1)
        self.port = found[1]

    def connect(self) -> None:
        url, token = f"http://127.0.0.1:{self.port}", str(self.house / "ada.token")
        done = self.type("connect", "factory", "--url", url, "--token-file", token)
        assert done.returncode == 0, done.stderr

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def type(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*arguments), cwd=self.house, capture_output=True, text=True, timeout=120, check=False
        )

    def _command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("genai4eu")), *arguments]


@pytest.fixture
def service(house: Path) -> Iterator[Service]:
    made = Service(house)
    yield made
    made.type("gateway", "stop", *made.state)


def test_a_run_that_gets_no_kernel_says_why_and_leaves_no_record(service: Service, notebook: Write) -> None:
    service.add_ada("--kernels", "0")
    service.start()
    service.connect()
    done = service.type("run", str(notebook(PARAMETERS, "print(n)")), "--on", "factory-genai4eu")
    assert done.returncode == 1 and "ada may have no kernels here" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not all_runs()


def test_a_sweep_takes_no_more_kernels_than_its_user_may_have(service: Service, notebook: Write) -> None:
    service.add_ada("--kernels", "1")
    service.start()
    service.connect()
    asked = ("sweep", str(notebook(PARAMETERS, "print(n)")), "-p", "n=1..3", "--jobs", "2", "--on", "factory-genai4eu")
    done = service.type(*asked)
    assert done.returncode == 0 and "3 completed" in done.stdout, done.stderr
    assert {record.info["target"] for record in all_runs()} == {"factory-genai4eu"}


def test_a_cell_whose_gateway_is_restarted_died_with_its_outputs(service: Service, notebook: Write) -> None:
    service.add_ada()
    service.start()
    service.connect()
    started = service.house / "started"
    busy = f"print('so far', flush=True)\nopen({str(started)!r}, 'w').close()\nimport time; time.sleep(120)"
    path = str(notebook(PARAMETERS, busy, "print('never')"))
    runner = subprocess.Popen(service._command("run", path, "--on", "factory-genai4eu"), cwd=service.house)
    while not started.exists():
        assert runner.poll() is None
        time.sleep(0.1)
    time.sleep(2)  # its output is on its way here
    service.kill()
    service.start()
    assert runner.wait(timeout=90) != 0
    (record,) = all_runs()
    assert (record.info["status"], record.info["error"]) == ("died", "died: gateway restarted")
    assert [cell["status"] for cell in record.info["cells"]] == ["completed", "died", "not run"]
    assert "so far" in (record.folder / "notebook.ipynb").read_text()
