"""The gateway has kernels and nothing else, answers to its token in the header alone, and knows no cookies."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import process
from genai4eu.kernels.gateway.process import GatewayProcess
from genai4eu.kernels.rest import Gateway

from ..patience import eventually, genai4eu
from .conftest import kernel_ids

KNOWN = ["/api", "/metrics", "/api/kernels", "/api/kernelspecs", "/api/sessions", "/api/status", "/api/me"]
UNKNOWN = [
    "/", "/lab", "/lab/tree/x", "/voila", "/voila/render/x.ipynb", "/tree", "/edit/x", "/notebooks/x.ipynb", "/login",
    "/logout", "/files/x", "/view/x", "/api/contents", "/api/contents/x", "/api/terminals", "/terminals/1",
    "/nbconvert/html/x.ipynb", "/api/nbconvert", "/api/config/x", "/api/shutdown", "/api/security/csp-report",
    "/api/events/subscribe", "/api/resolvePath?path=/etc", "/static/favicon.ico", "/static/x", "/favicon.ico",
    "/robots.txt", "/custom/custom.css", "/lsp/status", "/api/kernels/x",
]  # fmt: skip


def ask(url: str, method: str, path: str, headers: dict[str, str], body: str = "") -> tuple[int, str]:
    """Return status and text of an answer; none may ever set a cookie."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        assert "set-cookie" not in {name.lower() for name, _ in answer.getheaders()}
        return answer.status, answer.read().decode(errors="replace") if answer.status != 101 else ""
    finally:
        connection.close()


@pytest.fixture
def token(gateway: GatewayProcess) -> str:
    return gateway.token_file.read_text().strip()


@pytest.mark.parametrize("path", UNKNOWN)
def test_there_is_nothing_but_kernels(gateway: GatewayProcess, token: str, path: str) -> None:
    for headers in ({}, {"Authorization": f"token {token}"}):
        for method in ("GET", "POST", "PUT", "DELETE"):
            assert ask(gateway.url, method, path, headers)[0] == 404


@pytest.mark.parametrize(
    "path", [*KNOWN, f"/api/kernels/{uuid.UUID(int=1)}", f"/api/kernels/{uuid.UUID(int=2)}/channels"]
)
def test_only_the_header_opens(gateway: GatewayProcess, token: str, path: str) -> None:
    wrong: list[dict[str, str]] = [
        {},
        {"Authorization": "token wrong"},
        {"Authorization": "token "},
        {"Authorization": f"token {token}x"},
        {"Authorization": f"Basic {token}"},
        {"Authorization": token},
        {"Cookie": f"token={token}; username-127-0-0-1-8888={token}"},
    ]
    for headers in wrong:
        assert ask(gateway.url, "GET", path, headers)[0] == 401
        assert ask(gateway.url, "GET", f"{path}?token={token}", headers)[0] == 401
        assert ask(gateway.url, "POST", f"{path}?token={token}", headers)[0] == 401


@pytest.mark.parametrize("scheme", ["token", "Token", "bearer", "Bearer"])
def test_the_header_opens(gateway: GatewayProcess, token: str, scheme: str) -> None:
    for path in KNOWN:
        assert ask(gateway.url, "GET", path, {"Authorization": f"{scheme} {token}"})[0] == 200


def test_a_cookie_of_a_stock_server_does_not_open(gateway: GatewayProcess, token: str) -> None:
    """A stock server would answer a header token with a cookie that then suffices; there is none to be had here."""
    port = gateway.url.rsplit(":", 1)[1]
    cookie = {"Cookie": f"username-127-0-0-1-{port}=2|1:0|10:1795203406|x; _xsrf=2|x"}
    assert ask(gateway.url, "GET", "/api/kernels", {"Authorization": f"token {token}", **cookie})[0] == 200
    assert ask(gateway.url, "GET", "/api/kernels", cookie)[0] == 401


def test_no_cookie_with_a_websocket(gateway: GatewayProcess, token: str, rest: Gateway) -> None:
    kernel_id = str(uuid.uuid4())
    rest.start_kernel("genai4eu", kernel_id, {})
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    path = f"/api/kernels/{kernel_id}/channels"
    assert ask(gateway.url, "GET", path, upgrade)[0] == 401
    assert ask(gateway.url, "GET", f"{path}?token={token}", upgrade)[0] == 401
    assert ask(gateway.url, "GET", path, {**upgrade, "Authorization": f"token {token}"})[0] == 101
    rest.delete(kernel_id)


def test_the_token_is_not_in_the_log_or_a_command_line(gateway: GatewayProcess, token: str) -> None:
    ask(gateway.url, "GET", f"/api/kernels?token={token}", {})
    assert token not in gateway.log_file.read_text()
    assert token not in " ".join(psutil.Process(gateway.process.pid).cmdline())
    assert gateway.token_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("wish", "status", "said"),
    [
        ({"name": "nope"}, 404, "no kernelspec 'nope'"),
        ({"name": "genai4eu", "kernel_id": "../x"}, 400, "UUID"),
        ({"name": "genai4eu", "env": "PATH=x"}, 400, "object"),
        ({"name": "genai4eu", "env": {"JPY_SESSION_NAME": 3}}, 400, "strings"),
        ({"name": ["genai4eu"]}, 404, "no kernelspec"),
    ],
)
def test_bad_wishes(
    gateway: GatewayProcess, token: str, rest: Gateway, wish: dict[str, Any], status: int, said: str
) -> None:
    before = kernel_ids(rest)
    header = {"Authorization": f"token {token}"}
    got, text = ask(gateway.url, "POST", "/api/kernels", header, json.dumps(wish))
    assert (got, said in text) == (status, True), text
    assert kernel_ids(rest) == before


def test_a_kernel_gets_its_own_folder_and_only_allowed_variables(rest: Gateway) -> None:
    ids = [str(uuid.uuid4()) for _ in range(2)]
    for number, kernel_id in enumerate(ids):
        rest.start_kernel("python3", kernel_id, {"JPY_SESSION_NAME": f"nb{number}", "LD_PRELOAD": "x", "KERNEL_X": "x"})
    with pytest.raises(KernelsError, match="already"):
        rest.start_kernel("genai4eu", ids[0], {})
    found = [process for process in psutil.process_iter(["cmdline"]) for i in ids if i in str(process.info["cmdline"])]
    assert sorted(p.environ()["JPY_SESSION_NAME"] for p in found) == ["nb0", "nb1"]
    for kernel in found:
        assert not {"LD_PRELOAD", "KERNEL_X"} & kernel.environ().keys()
        assert Path(kernel.cwd()).name == "work"
        assert Path(kernel.cwd()).stat().st_mode & 0o077 == 0
    for kernel_id in ids:
        rest.delete(kernel_id)
    assert not set(ids) & kernel_ids(rest)


def test_an_end_asked_for_twice_and_during_a_restart(rest: Gateway, gateway: GatewayProcess) -> None:
    """As a bridge and its watcher do: each is told the truth, and nobody meets an error of the gateway's own."""
    kernel = rest.call("POST", "/api/kernels", {"name": "genai4eu"})["id"]

    def wish(method: str, path: str) -> str:
        try:
            rest.call(method, path)
        except KernelsError as error:
            return str(error)
        return "done"

    wishes = [("POST", f"/api/kernels/{kernel}/restart"), *[("DELETE", f"/api/kernels/{kernel}")] * 3]
    with ThreadPoolExecutor(len(wishes)) as people:
        answers = list(people.map(lambda asked: wish(*asked), wishes))
    assert answers.count("done") in (1, 2), answers
    assert "Internal Server Error" not in str(answers)
    assert kernel not in kernel_ids(rest)


def test_bridges_are_not_offered(rest: Gateway, target: str) -> None:
    assert "genai4eu" in rest.specs()
    assert target not in rest.specs()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_a_signal_ends_the_gateway_and_its_kernels(tmp_path: Path, number: signal.Signals) -> None:
    gateway = process.start(tmp_path)
    Gateway(gateway.url, gateway.token_file).start_kernel("python3", str(uuid.uuid4()), {})  # its own child, not warm
    kernels = psutil.Process(gateway.process.pid).children(recursive=True)
    assert kernels
    gateway.process.send_signal(number)
    assert gateway.process.wait(60) == 0
    assert not psutil.wait_procs(kernels, timeout=60)[1]


@pytest.mark.slow
def test_the_gateway_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom genai4eu.kernels.gateway import process\n"
        f"gateway = process.start({str(tmp_path)!r})\nprint(gateway.process.pid, flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdin=-1, stdout=-1, text=True) as parent:
        assert parent.stdout is not None
        gateway = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert not psutil.wait_procs([gateway], timeout=60)[1]


@pytest.mark.slow
def test_a_killed_gateway_leaves_no_kernel(tmp_path: Path) -> None:
    gateway = process.start(tmp_path)
    Gateway(gateway.url, gateway.token_file).start_kernel("python3", str(uuid.uuid4()), {})  # its own child, not warm
    kernels = psutil.Process(gateway.process.pid).children(recursive=True)
    gateway.process.kill()
    gateway.process.wait()
    assert not psutil.wait_procs(kernels, timeout=60)[1]


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(KernelsError, match=rf"^port {port} of 127.0.0.1 is in use: .*--port"):
            process.start(tmp_path, port=port)
        answer = genai4eu("gateway", "start", "--port", str(port), "--token-file", tmp_path / "token")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"genai4eu: port {port} of 127.0.0.1 is in use")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "said"),
    [
        *((host, "listens on this computer only") for host in ("0.0.0.0", "::", "192.0.2.1")),
        *((host, "is no address to listen on") for host in ("example.org", "")),
    ],
)
def test_only_this_computer_can_reach_it(tmp_path: Path, host: str, said: str) -> None:
    answer = genai4eu("gateway", "start", "--host", host, "--port", "0", "--token-file", tmp_path / "token")
    assert answer.returncode == 1
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(("content", "mode"), [("", 0o600), ("two words", 0o600), ("secret", 0o644), ("secret", 0o640)])
def test_a_bad_token_file(tmp_path: Path, content: str, mode: int) -> None:
    token = tmp_path / "token"
    token.write_text(content)
    token.chmod(mode)
    answer = genai4eu("gateway", "start", "--port", "0", "--token-file", token)
    assert answer.returncode == 1
    assert str(token) in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_the_command_line_prints_what_to_type_next(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "genai4eu", "gateway", "start", "--port", "0"]
    with subprocess.Popen(
        [*command, "--token-file", str(tmp_path / "token")], stdout=-1, stderr=-1, text=True, env=os.environ.copy()
    ) as started:
        assert started.stdout is not None
        lines = [started.stdout.readline() for _ in range(4)]
        typed = lines[2].split("genai4eu ", 1)[1].replace("NAME", "near").split()
        assert genai4eu(*typed).returncode == 0
        assert {"near-genai4eu", "near-python3"} <= set(genai4eu("disconnect", "near").stdout.split())
        assert lines[3].startswith("ready")
        started.send_signal(signal.SIGINT)
        assert started.wait(60) == 0
    eventually(lambda: not psutil.pid_exists(started.pid))
