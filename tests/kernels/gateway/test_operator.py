"""What an operator and their users read: banners, handouts, refusals, the list of users."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from genai4eu.kernels.gateway import handout, spans
from genai4eu.kernels.gateway.__main__ import _welcome
from genai4eu.kernels.gateway.caretaker import Caretaker
from genai4eu.kernels.gateway.kernel import GatewayKernel
from genai4eu.kernels.gateway.managers import GatewayKernels
from genai4eu.kernels.gateway.records import Record, Records
from genai4eu.kernels.gateway.runfiles import RunFiles
from genai4eu.kernels.gateway.settings import Options
from genai4eu.kernels.gateway.userfile import UserFile
from genai4eu.kernels.gateway.users import User, Users

from ...patience import genai4eu
from .conftest import Serve, Service, Someone


def test_the_end_of_a_day() -> None:
    assert spans.until(spans.moment("2999-12-24")) == "the end of 24 December 2999"
    assert spans.until(spans.moment("2999-12-24T18:05")) == "18:05 on 24 December 2999"


def test_what_a_handout_says() -> None:
    for made in (handout.text, handout.page):
        said = made("https://x", {"anna": "t"}, None)
        assert "begin with factory ·" in said
        assert "pip install genai4eu" in said
        assert "--ca-file" not in said
        assert "--ca-file FILE" in made("https://x", {"anna": "t"}, None, private=True)


def test_a_command_on_paper_breaks_at_spaces_alone() -> None:
    sheet = handout.page("https://x", {"anna": "t"}, None)
    assert "<span>--token-file</span> <span>~/anna.token</span>" in sheet
    assert "pre span { white-space: nowrap; }" in sheet


def test_the_banner(tmp_path: Path) -> None:
    assert _welcome("http://x", Options(tmp_path))[2].endswith("--url http://x --token-file FILE")
    assert len(_welcome("http://x", Options(tmp_path))) == 4
    assert "--url" in _welcome("http://x", Options(tmp_path, "::"))[1]


def test_a_kernel_that_nobody_watches_yet(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The caretaker may look between a kernel's place on the list and the first note of what it does."""
    kernels = GatewayKernels()
    kernels.records = Records(tmp_path, RunFiles(tmp_path / "files"))
    kernels.records.add(Record("k", "anna", "python3", {}, 0.0, False))
    kernels._kernels["k"] = GatewayKernel()
    caretaker = Caretaker(kernels, Users([User("anna", "")]), 1000)
    with caplog.at_level(logging.ERROR):
        caretaker.look()
    assert not caplog.records
    assert time.time() - kernels.get_kernel("k").last_activity.timestamp() < 60


def test_a_refused_start_leaves_no_folder(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    answer = genai4eu("gateway", "start", "--port", "0", "--state", state)
    assert (answer.returncode, "nobody may use this gateway yet" in answer.stderr) == (1, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("status",), ("stop",), ("revoke", "anna")])
def test_a_typing_error_makes_no_folder(tmp_path: Path, command: tuple[str, ...]) -> None:
    answer = genai4eu("gateway", *command, "--state", tmp_path / "typo")
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (1, "", 1)
    assert f"there is no gateway's folder {tmp_path / 'typo'}: check --state" in answer.stderr
    assert not list(tmp_path.iterdir())


def test_add_user_says_what_is_a_guess(tmp_path: Path) -> None:
    add = ("gateway", "add-user", "--state", tmp_path / "state")
    answer = genai4eu(*add, "anna", "--kernelspec", "nosuch")
    assert (answer.returncode, "address  http://127.0.0.1:8899" in answer.stdout) == (0, True)
    spec, guess = answer.stderr.splitlines()
    assert re.search("has no kernelspec 'nosuch' now: it has .*genai4eu", spec)
    assert "does not run: the pages say http://127.0.0.1:8899; use --url to print another address" in guess
    sure = genai4eu(*add, "bob", "--kernelspec", "genai4eu", "--url", "http://x")
    assert (sure.returncode, sure.stderr, "address  http://x" in sure.stdout) == (0, "", True)


@pytest.mark.slow
def test_users_whose_time_is_over(tmp_path: Path) -> None:
    state = ("--state", tmp_path)
    genai4eu("gateway", "add-user", "--count", "3", *state)
    assert genai4eu("gateway", "revoke", "user1", "user2", *state).returncode == 0
    text = genai4eu("gateway", "status", *state).stdout
    assert "user3: active" in text
    assert "user1" not in text
    assert "2 revoked or expired; --all shows them" in text
    assert "user1: revoked" in genai4eu("gateway", "status", "--all", *state).stdout
    assert len(json.loads(genai4eu("gateway", "status", "--json", *state).stdout)["users"]) == 3
    assert genai4eu("gateway", "revoke", "--forget", "user1", "user3", *state).returncode == 0
    assert list(UserFile(tmp_path / "users.json").all()) == ["user2"]


@pytest.mark.slow
def test_refusals_say_why(shared: Service) -> None:
    gone, late = shared.user("gone"), shared.user("late", expires=time.time() - 1)
    assert shared.cli("revoke", "gone").returncode == 0
    wrong = [one.ask("GET", "/api/kernels") for one in (gone, late, Someone(shared.url, "never"))]
    assert wrong[0] == wrong[1] == wrong[2]
    assert (wrong[0][0], "unknown, expired or revoked" in wrong[0][1]["message"]) == (401, True)
    assert "send the gateway's token" in Someone(shared.url, "").ask("GET", "/api/kernels")[1]["message"]
    anna = shared.user("anna-refused")
    status, said = anna.ask("GET", "/api/kernels", Host="evil.example" + "x" * 200)
    assert (status, "'evil.examplexx" in said["message"], len(said["message"]) < 200) == (403, True, True)
    assert "is not one of this gateway's: use 127.0.0.1" in said["message"]
    assert anna.ask("PUT", "/api/kernels") == (
        405,
        {"reason": "Method Not Allowed", "message": "there is no PUT for /api/kernels"},
    )
    assert anna.ask("BREW", "/api/kernels")[1]["message"] == "there is no BREW for /api/kernels"


@pytest.mark.slow
def test_on_all_addresses(serve: Serve, tmp_path: Path) -> None:
    """People are told the certificate's name, and that it is a private one."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x"]
    command += ["-addext", "subjectAltName=DNS:*.x.org,DNS:hub.x.org", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    service = serve("--host", "0.0.0.0", "--certfile", str(cert), "--keyfile", str(key))
    assert service.url.startswith("https://hub.x.org:")
    answer = service.cli("add-user", "anna")
    assert f"address  {service.url}\n" in answer.stdout
    assert "--ca-file FILE" in answer.stdout
    assert "listens on all addresses" in answer.stderr
    assert "use --url" in answer.stderr
    assert f"{service.url}, ok, for" in service.cli("status").stdout


@pytest.mark.slow
def test_a_client_hears_that_the_gateway_was_stopped(serve: Serve) -> None:
    service = serve()
    anna = service.user("anna")
    kernel = anna.start()
    talk, process = anna.talk(kernel), service.process_of(kernel)
    talk.run("1")
    talk.ask("import time; time.sleep(600)")
    assert service.cli("stop").returncode == 0
    while True:
        opcode, data = talk.socket.recv_data(control_frame=True)
        if opcode == 8:
            break
    assert data[2:] == b"the gateway was stopped"
    psutil.wait_procs([process], timeout=30)
