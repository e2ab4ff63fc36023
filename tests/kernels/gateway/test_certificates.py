"""``connect`` says what is wrong with a certificate or a version; with a trusted one a kernel is reached over TLS."""

from __future__ import annotations

import http.server
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genai4eu.kernels import targets
from genai4eu.kernels.connect import connect, disconnect
from genai4eu.kernels.errors import KernelsError
from genai4eu.kernels.gateway.process import GatewayProcess

from ..conftest import Kernel
from .conftest import Serve

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes certificates with openssl")
Start = Callable[[str], Kernel]


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority ``ca.pem`` and certificates, keys beside them."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, subject in (("ca", "/CN=Private"), ("self", "/CN=127.0.0.1")):
        made = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj", subject, "-days", "9"]
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", *made, "-addext", "subjectAltName=IP:127.0.0.1")
    for name, host, end in (("good", "IP:127.0.0.1", 9), ("expired", "IP:127.0.0.1", 0), ("other", "DNS:x.org", 9)):
        (folder / "names").write_text(f"subjectAltName={host}\n")
        request = ["-keyout", folder / f"{name}.key", "-out", folder / "request", "-subj", f"/CN={name}"]
        openssl("req", "-newkey", "rsa:2048", "-nodes", *request)
        ca = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-set_serial", "1", "-extfile", folder / "names"]
        days = ["-days", str(end)] if end else ["-days", "-1"]
        openssl("x509", "-req", "-in", folder / "request", "-out", folder / f"{name}.pem", *ca, *days)
    return folder


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text("some-token")
    return path


@contextmanager
def server(version: str, certificate: Path | None = None) -> Iterator[str]:
    """A gateway as far as ``connect`` asks."""

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            spec = {"display_name": "P", "language": "python"}
            specs = {"kernelspecs": {"p": {"name": "p", "spec": spec}}}
            body = json.dumps(specs if "specs" in self.path else {"version": version}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that does not trust us hangs up."""

    with Quiet(("127.0.0.1", 0), Answers) as made:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            made.socket = context.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"http{'s' if certificate else ''}://127.0.0.1:{made.server_address[1]}"
        made.shutdown()


@pytest.mark.parametrize(
    ("name", "trusted", "said"),
    [
        ("self", False, "self-signed: .*--ca-file FILE"),
        ("good", False, "signed by an unknown authority: .*--ca-file FILE"),
        ("expired", True, "has expired"),
        ("other", True, "for another host .*check the address"),
    ],
)
def test_a_wrong_certificate(certificates: Path, token: Path, name: str, trusted: bool, said: str) -> None:
    ca_file = certificates / "ca.pem" if trusted else None
    with server("2.21.1", certificates / f"{name}.pem") as url, pytest.raises(KernelsError, match=said) as caught:
        connect("tls", url, token, ca_file)
    assert "\n" not in str(caught.value)
    assert not [target for target in targets.all_targets() if target.gateway == "tls"]


def test_a_trusted_one_stays_trusted(certificates: Path, token: Path) -> None:
    with server("2.21.1", certificates / "good.pem") as url:
        assert connect("tls", url, token, certificates / "ca.pem") == ["tls-p"]
        target = targets.find("tls-p")
        assert target.ca_file == str(certificates / "ca.pem")
        assert targets.state(target) == "ready"
    disconnect("tls")


@pytest.mark.parametrize("name", ["self", "good"])
def test_a_file_of_another_authority(certificates: Path, token: Path, name: str) -> None:
    wrong = certificates / "other.pem"
    with server("2.21.1", certificates / f"{name}.pem") as url, pytest.raises(KernelsError) as caught:
        connect("tls", url, token, wrong)
    assert f"{wrong} does not hold its authority: ask its operator" in str(caught.value)
    assert "FILE" not in str(caught.value)


def test_a_file_without_certificates(token: Path) -> None:
    with pytest.raises(KernelsError, match="holds no certificates") as caught:
        connect("tls", "https://127.0.0.1:9", token, token)
    assert "_ssl.c" not in str(caught.value)
    with pytest.raises(KernelsError, match=r"nofile does not exist: name a PEM file"):
        connect("tls", "https://127.0.0.1:9", token, token.with_name("nofile"))


def test_tls_asked_of_a_plain_server(token: Path) -> None:
    with server("2.21.1") as url, pytest.raises(KernelsError, match=f"does not speak TLS: try {url}$"):
        connect("tls", url.replace("http:", "https:"), token)


@pytest.mark.slow
def test_tls_asked_of_a_plain_gateway(gateway: GatewayProcess, token: Path) -> None:
    """It waits for the end of what it takes for a request."""
    with pytest.raises(KernelsError, match=f"does not speak TLS, try {gateway.url};") as caught:
        connect("tls", gateway.url.replace("http:", "https:"), token)
    assert "_ssl.c" not in str(caught.value)


def test_plain_http_asked_of_a_tls_server(certificates: Path, token: Path) -> None:
    with server("2.21.1", certificates / "good.pem") as url, pytest.raises(KernelsError, match=f"TLS: try {url};"):
        connect("tls", url.replace("https:", "http:"), token)


def test_plain_http_asked_of_a_tls_gateway(serve: Serve, home: dict[str, str], certificates: Path, token: Path) -> None:
    options = ("--certfile", str(certificates / "good.pem"), "--keyfile", str(certificates / "good.key"))
    service = serve(*options, **home)
    with pytest.raises(KernelsError, match=f"it may speak TLS: try {service.url};"):
        connect("tls", service.url.replace("https:", "http:"), token)


@pytest.mark.parametrize(("version", "said"), [("1.24.0", "too old"), ("3.0.0", "too new.*update genai4eu")])
def test_a_version_that_is_not_known(token: Path, version: str, said: str) -> None:
    with server(version) as url, pytest.raises(KernelsError, match=said):
        connect("odd", url, token)


def test_a_kernel_over_tls(
    serve: Serve, home: dict[str, str], certificates: Path, token: Path, start_kernel: Start
) -> None:
    options = ("--certfile", str(certificates / "good.pem"), "--keyfile", str(certificates / "good.key"))
    service = serve(*options, **home)
    token.write_text(service.user("ada").token)
    connect("tls", service.url, token, certificates / "ca.pem")
    kernel = start_kernel("tls-python3")
    printed, _ = kernel.run("print('x' * 3_000_000)")
    assert len(printed) == 3_000_001
    kernel.manager.shutdown_kernel()
    disconnect("tls")
