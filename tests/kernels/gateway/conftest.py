"""Gateways as an operator starts them, and users who talk to them over plain HTTP and the stock WebSocket."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import websocket

from genai4eu.kernels.gateway.state import State

from ...patience import eventually, genai4eu

SPEC = "python3"  # of its own process, so that a test sees where it lives and dies


class Talk:
    """A stock client's WebSocket to one kernel."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket
        self.session = uuid.uuid4().hex

    def ask(self, code: str) -> str:
        """Send a cell and return its id."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        return self.send("execute_request", content)

    def send(self, kind: str, content: dict[str, Any]) -> str:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "session": self.session,
            "username": "u",
            "version": "5.3",
        }
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(message))
        return header["msg_id"]

    def next(self, kind: str) -> dict[str, Any]:
        """Return the content of the next message of a kind."""
        while True:
            got = self.socket.recv()
            if not got:
                raise ConnectionError("the socket is closed")
            message = json.loads(got)
            if message["msg_type"] == kind:
                content: dict[str, Any] = message["content"]
                return content

    def run(self, code: str) -> str:
        """Run a cell and return what it printed."""
        asked, printed = self.ask(code), []
        replied = idle = False
        while not (replied and idle):
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") != asked:
                continue
            replied |= message["msg_type"] == "execute_reply"
            idle |= message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
        return "".join(printed)

    def closed(self, timeout: float = 30) -> int:
        """Wait until the other side hangs up, and return its code."""
        self.socket.settimeout(timeout)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            opcode, data = self.socket.recv_data(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big")
        raise TimeoutError("the socket is open still")


@dataclass
class Someone:
    """A user of a gateway, or somebody who tries (without a token, if that is empty)."""

    url: str
    token: str
    context: ssl.SSLContext | None = None

    def headers(self) -> dict[str, str]:
        return {} if not self.token else {"Authorization": f"token {self.token}"}

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Return status and decoded answer."""
        status, content, _ = self.raw(method, path, None if body is None else json.dumps(body).encode(), headers)
        try:
            return status, json.loads(content) if content else None
        except ValueError:
            return status, content.decode()

    def raw(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        scheme, host = self.url.split("://")
        connection = http.client.HTTPConnection(host, timeout=60)
        if scheme == "https":
            connection = http.client.HTTPSConnection(host, timeout=60, context=self.context)
        try:
            connection.request(method, path, body, {**self.headers(), **headers})
            answer = connection.getresponse()
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        finally:
            connection.close()

    def start(self, spec: str = SPEC, **wish: Any) -> str:
        """Start a kernel and return its id."""
        status, model = self.ask("POST", "/api/kernels", {"name": spec, **wish})
        assert status == 201, model
        return str(model["id"])

    def kernels(self) -> dict[str, Any]:
        status, models = self.ask("GET", "/api/kernels")
        assert status == 200, models
        return {model["id"]: model for model in models}

    def talk(self, kernel: str, **options: Any) -> Talk:
        url = f"ws{self.url.removeprefix('http')}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
        headers = [f"{name}: {value}" for name, value in self.headers().items()]
        return Talk(websocket.create_connection(url, timeout=60, header=headers, **options))


@dataclass
class Service:
    """A gateway as ``genai4eu gateway start`` runs it."""

    folder: Path
    options: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    url: str = ""
    log: Path = Path()

    def begin(self) -> None:
        command = [
            sys.executable,
            "-P",
            "-m",
            "genai4eu",
            "gateway",
            "start",
            "--port",
            "0",
            "--state",
            str(self.folder),
        ]
        self.log = self.folder.with_suffix(".log")
        with self.log.open("ab") as log:
            env = {**os.environ, "GENAI4EU_WARM": "off", **self.env}
            self.process = subprocess.Popen(
                [*command, *self.options], stdout=-1, stderr=log, text=True, env=env, start_new_session=True
            )
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert first.startswith("gateway"), self.log.read_text()
        self.url = first.split()[1]

    def end(self, number: int = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(60)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return genai4eu("gateway", *arguments, "--state", str(self.folder))

    def user(self, name: str, **about: Any) -> Someone:
        """Add a user, as another process would."""
        return Someone(self.url, State(self.folder).users().add([name], **about)[name])

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()]

    def record(self, kernel: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "kernels" / f"{kernel}.json").read_text())
        return content

    def process_of(self, kernel: str) -> psutil.Process:
        return psutil.Process(self.record(kernel)["pid"])


Serve = Callable[..., Service]


def _serve(folder: Path, *options: str, **env: str) -> Service:
    service = Service(folder, options, env)
    service.user("first")  # it does not start without anybody
    service.begin()
    return service


def _clean(service: Service) -> None:
    """End it and whatever it left, and wait for its keeper to see that there is nothing to keep."""
    if service.process is not None and service.process.poll() is None:
        service.end()
    service.cli("stop")
    mine = str(service.folder)
    eventually(lambda: not [p for p in psutil.process_iter(["cmdline"]) if mine in (p.info["cmdline"] or [])])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts gateways with options and variables; they and their kernels are ended after the test."""
    started: list[Service] = []

    def start(*options: str, **env: str) -> Service:
        started.append(_serve(tmp_path / f"state{len(started)}", *options, **env))
        return started[-1]

    yield start
    for service in started:
        _clean(service)


@pytest.fixture(scope="module")
def shared(home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One gateway for the tests of a module that leave it as it was."""
    service = _serve(tmp_path_factory.mktemp("shared") / "state", **home)
    yield service
    _clean(service)


def wait_for(fact: Callable[[], Any], seconds: float = 30) -> Any:
    """Return the first answer that is something."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


def lives(process: psutil.Process) -> bool:
    """Return whether a process has not ended; one whose parent has not asked yet has."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
