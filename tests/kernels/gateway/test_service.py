"""The gateway as an operator meets it: what it refuses to do, TLS, handouts, status, audit log, metrics."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway import spans
from genai4eu.kernels.tokens import ensure_token

from ...patience import eventually, genai4eu
from .conftest import SPEC, Serve, Service, Someone, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this computer, signed by itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def refused(*options: str | Path) -> str:
    answer = genai4eu("gateway", "start", "--port", "0", *options)
    assert answer.returncode == 1, answer
    assert (answer.stdout, answer.stderr.count("\n")) == ("", 1)
    return answer.stderr


def test_it_does_not_start_open(tmp_path: Path) -> None:
    state = ("--state", tmp_path / "state")
    said = refused(*state)
    typed = said.split("type genai4eu ")[1].split(" first")[0].replace("NAME", "anna").split()
    assert genai4eu(*typed, "--expires", "2999-01-01").returncode == 0
    genai4eu("gateway", "revoke", "anna", *state)
    assert "nobody may use this gateway yet" in refused(*state)
    assert "leave out --token-file" in refused(*state, "--token-file", tmp_path / "token")
    assert not (tmp_path / "token").exists()


def test_it_does_not_listen_to_others_without_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    state = ("--state", tmp_path / "state", "--host", "0.0.0.0")
    assert "--certfile and --keyfile, or --behind-proxy" in refused(*state)
    assert "both --certfile and --keyfile" in refused(*state, "--certfile", cert)
    assert "cannot be read" in refused(*state, "--certfile", cert, "--keyfile", tmp_path / "no")
    assert "cannot be used" in refused(*state, "--certfile", key, "--keyfile", key)
    loose = tmp_path / "loose.pem"
    loose.write_bytes(key.read_bytes())
    loose.chmod(0o644)
    assert f"type chmod 600 {loose}" in refused(*state, "--certfile", cert, "--keyfile", loose)


def test_tls(serve: Serve, certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    service = serve("--host", "0.0.0.0", "--certfile", str(cert), "--keyfile", str(key))
    assert service.url.startswith("https://localhost:")  # the certificate's name
    trusting = ssl.create_default_context(cafile=str(cert))
    anna = service.user("anna")
    anna.context = trusting
    kernel = anna.start()
    talk = anna.talk(kernel, sslopt={"context": trusting})
    assert talk.run("print('over TLS')") == "over TLS\n"
    talk.socket.close()
    with pytest.raises(ssl.SSLCertVerificationError):
        Someone(anna.url, anna.token, ssl.create_default_context()).kernels()
    plain = Someone(anna.url.replace("https", "http"), anna.token)
    with pytest.raises(OSError):
        plain.kernels()
    old = ssl.create_default_context(cafile=str(cert))
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        Someone(anna.url, anna.token, old).kernels()
    status = json.loads(service.cli("status", "--json").stdout)
    assert status["gateway"]["health"] == "ok"
    assert genai4eu("connect", "far", "--url", anna.url, "--token-file", "/nonexistent").returncode == 1


def test_behind_a_proxy(serve: Serve) -> None:
    service = serve("--host", "0.0.0.0", "--behind-proxy")
    anna = service.user("anna")
    anna.url = f"http://127.0.0.1:{anna.url.rsplit(':', 1)[1]}"
    kernel = anna.ask("POST", "/api/kernels", {"name": SPEC}, Host="gateway.example.eu", **{"X-Real-Ip": "192.0.2.7"})
    assert kernel[0] == 201
    started = [line for line in service.audit() if line["what"] == "kernel start"]
    assert started[0]["address"] == "192.0.2.7"


def test_without_a_proxy_nobody_chooses_an_address(shared: Service) -> None:
    stranger = Someone(shared.url, "wrong")
    stranger.ask("GET", "/api/kernels", **{"X-Real-Ip": "192.0.2.7", "X-Forwarded-For": "192.0.2.8"})
    assert "192.0.2" not in (shared.folder / "audit.jsonl").read_text()


def test_a_gateway_of_one_person(serve: Serve, tmp_path: Path) -> None:
    token = tmp_path / "token"
    service = Service(tmp_path / "own", ("--token-file", str(token)))
    service.begin()
    try:
        me = Someone(service.url, ensure_token(token))
        kernel = me.start()
        assert me.ask("GET", "/metrics")[0] == 200
        assert me.ask("GET", "/api/status")[1]["quota"]["kernels"] is None
        assert me.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    finally:
        service.end()


def test_a_handout(shared: Service, tmp_path: Path) -> None:
    """One page a person; what it says to type works."""
    sheets = tmp_path / "sheets.html"
    options = (
        "--count",
        "12",
        "--prefix",
        "course",
        "--kernels",
        "2",
        "--expires",
        "2999-12-24",
        "--html",
        str(sheets),
    )
    answer = shared.cli("add-user", *options)
    pages = answer.stdout.split("\f")
    assert (answer.returncode, len(pages)) == (0, 12)
    tokens = [re.search(r"^token +(\S+)$", page, re.MULTILINE)[1] for page in pages]  # type: ignore[index]
    assert len(set(tokens)) == 12
    for number, (page, token) in enumerate(zip(pages, tokens, strict=True), 1):
        assert f"for course{number:02d}" in page
        assert "good until the end of 24 December 2999" in page
        assert shared.url in page
        assert len(re.findall(r"^   \S.*$", page, re.MULTILINE)) == 3
        assert Someone(shared.url, token).kernels() == {}
    kept = "".join(path.read_text() for path in shared.folder.rglob("*") if path.is_file())
    assert not [token for token in tokens if token in kept]
    assert sheets.stat().st_mode & 0o077 == 0
    assert all(token in sheets.read_text() for token in tokens)
    assert "http" not in re.sub(re.escape(shared.url), "", sheets.read_text())  # asks nobody for anything
    store, connect, lab = re.findall(r"^   (\S.*)$", pages[2], re.MULTILINE)
    subprocess.run(["bash", "-c", store.replace("~", str(tmp_path))], input=tokens[2] + "\n", text=True, check=True)
    done = genai4eu(*connect.replace("~", str(tmp_path)).split()[1:])
    assert (done.returncode, set(done.stdout.split()) >= {"factory-genai4eu", f"factory-{SPEC}"}) == (0, True)
    assert genai4eu("disconnect", "factory").returncode == 0
    assert lab.split() == ["genai4eu", "lab"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("Anna",), "cannot name a user"),
        (("anna", "--expires", "yesterday"), "is no date"),
        (("anna", "--expires", "2001-01-01"), "is past"),
        (("anna", "--longest", "8"), "is no length of time"),
        (("anna", "--longest", "0h"), "is no length of time"),
    ],
)
def test_users_that_cannot_be(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    answer = genai4eu("gateway", "add-user", *options, "--state", tmp_path)
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (1, "", 1)
    assert said in answer.stderr


def test_spans() -> None:
    assert [spans.seconds(text) for text in ("90s", "30m", "8h", "2d", "1.5 h")] == [90, 1800, 28800, 172800, 5400]
    assert [spans.span(s) for s in (0.2, 89, 600, 7200, 3 * 86400)] == ["1 s", "89 s", "10 min", "2 h", "3 days"]
    with pytest.raises(KernelsError):
        spans.seconds("")


def test_status(shared: Service) -> None:
    anna = shared.user("anna", kernels=3, longest=3600.0)
    kernel = anna.start()
    found = json.loads(shared.cli("status", "--json").stdout)
    assert (found["gateway"]["url"], found["gateway"]["health"]) == (shared.url, "ok")
    (mine,) = [user for user in found["users"] if user["name"] == "anna"]
    assert (mine["used"], mine["kernels"], mine["state"]) == (1, 3, "active")
    assert [k["alive"] for k in found["kernels"] if k["id"] == kernel] == [True]
    text = shared.cli("status").stdout
    assert f"gateway  {shared.url}, ok, for " in text
    assert "user     anna: active, 1 of 3 kernels" in text
    assert f"kernel   {kernel} {SPEC} of anna" in text
    assert anna.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204


def test_metrics(shared: Service) -> None:
    operator, bob = shared.user("op", operator=True), shared.user("bob", kernels=1)
    kernel = bob.start()
    talk = bob.talk(kernel)
    talk.run("1")
    bob.ask("POST", "/api/kernels", {"name": SPEC})
    assert bob.ask("GET", "/metrics")[0] == 403
    assert Someone(shared.url, "").ask("GET", "/metrics")[0] == 401

    def figures() -> dict[str, float]:
        lines = [line for line in operator.ask("GET", "/metrics")[1].splitlines() if not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    found = figures()
    assert found['genai4eu_kernels{kernelspec="python3",user="bob"}'] == 1
    assert found["genai4eu_websockets"] == 1
    assert found['genai4eu_refusals_total{reason="kernels"}'] >= 1
    assert found['genai4eu_starts_total{kernelspec="python3",result="started"}'] >= 1
    assert found['genai4eu_request_seconds_count{handler="Kernels",method="POST",status="2xx"}'] >= 1
    talk.socket.close()
    assert bob.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    wait_for(lambda: figures()["genai4eu_websockets"] == 0)
    assert 'genai4eu_kernels{kernelspec="python3",user="bob"}' not in figures()


def test_the_audit_log(shared: Service) -> None:
    """Who, what, when, where; no code, no token, no value of a variable."""
    secret = "raven-44"
    eve = shared.user("eve", kernels=1)
    kernel = eve.start(env={"JPY_SESSION_NAME": secret})
    talk = eve.talk(kernel)
    assert talk.run(f"print('{secret}')") == f"{secret}\n"
    eve.ask("POST", f"/api/kernels/{kernel}/interrupt")
    eve.ask("POST", "/api/kernels", {"name": SPEC})
    eve.ask("DELETE", f"/api/kernels/{kernel}")
    Someone(shared.url, f"{eve.token}x").ask("GET", f"/api/kernels?token={eve.token}")
    eventually(lambda: any(line["what"] == "token refused" for line in shared.audit()))
    mine = [line for line in shared.audit() if "eve" in (line.get("user"), line.get("owner"))]
    assert [line["what"] for line in mine] == [
        "kernel start", "connect", "kernel interrupt", "kernel refused", "kernel end",
    ]  # fmt: skip
    for line in mine:
        assert line["time"].startswith(time.strftime("%Y-"))
        assert line["address"] == "127.0.0.1"
    assert {line["kernel"] for line in mine if "kernel" in line} == {kernel}
    written = (shared.folder / "audit.jsonl").read_text() + shared.log.read_text()
    for hidden in (secret, eve.token, "print"):
        assert hidden not in written
    for path in shared.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_health_tells_nothing_else(shared: Service) -> None:
    nobody = Someone(shared.url, "")
    status, content, headers = nobody.raw("GET", "/health", None, {})
    assert (status, json.loads(content)) == (200, {"status": "ok"})
    assert "set-cookie" not in headers
    assert headers["server"] == "genai4eu"


def test_kernelspecs_keep_their_variables(shared: Service, home: dict[str, str]) -> None:
    """An operator may have put a secret into a kernelspec; files beside it are not handed out either."""
    folder = Path(home["JUPYTER_DATA_DIR"]) / "kernels" / "with-secret"
    folder.mkdir(parents=True, exist_ok=True)
    spec: dict[str, Any] = {"argv": ["python", "-f", "{connection_file}"], "display_name": "S", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps({**spec, "env": {"KEY": "raven-45"}}))
    (folder / "logo-64x64.png").write_bytes(b"png")
    user = shared.user("fay")
    for path in ("/api/kernelspecs", "/api/kernelspecs/with-secret"):
        assert "raven-45" not in str(user.ask("GET", path))
    assert user.ask("GET", "/kernelspecs/with-secret/logo-64x64.png") == (200, "png")
    for name in ("kernel.json", "..", "../kernel.json", "%2e%2e%2fkernel.json", "logo-64x64.png/..", "logo-x.png"):
        assert user.ask("GET", f"/kernelspecs/with-secret/{name}")[0] == 404
    shutil.rmtree(folder)  # the home is shared
