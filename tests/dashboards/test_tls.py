"""The gallery under TLS, with a certificate made here; visitors who take what they asked for very slowly."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest
import tornado.httpclient
import tornado.websocket
from jupyter_server.auth import passwd

from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server

from ..benchmarks.viewers import PROTOCOL
from ..benchmarks.viewers import Visitor as Plain

pytestmark = pytest.mark.slow
PASSWORD = "a sunny afternoon in the hills"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for this computer, signed by itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("makes a certificate with openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made = [
        "-keyout",
        str(folder / "key.pem"),
        "-out",
        str(folder / "cert.pem"),
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    subprocess.run([*command, *made], check=True, capture_output=True)
    (folder / "key.pem").chmod(0o600)
    return folder


@pytest.fixture
def address(certificate: Path, published: Published) -> Iterator[str]:
    """Where ``genai4eu serve`` is under TLS, with a password for private dashboards."""
    config = certificate / "config.json"
    config.write_text(json.dumps({"PasswordIdentityProvider": {"hashed_password": passwd(PASSWORD)}}), "utf-8")
    command = [str(Path(sys.executable).with_name("genai4eu")), "serve", "--port", "0", "--no-browser"]
    command += ["--certfile", str(certificate / "cert.pem"), "--keyfile", str(certificate / "key.pem")]
    with subprocess.Popen([*command, "--config", str(config)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"https://\S+:(\d+)/", process.stdout.readline())
        assert found
        yield f"https://localhost:{found[1]}/"
        process.terminate()
        assert process.wait(timeout=30) == 0


class Visitor(Plain):
    """A page that trusts the certificate."""

    trusted: ssl.SSLContext

    async def post(self, path: str, body: str = "{}", **headers: str) -> tornado.httpclient.HTTPResponse:
        client = tornado.httpclient.AsyncHTTPClient(force_instance=True)
        return await client.fetch(
            self.address + path, method="POST", body=body, headers={"Origin": self.origin, **headers},
            request_timeout=60, raise_error=False, ssl_options=self.trusted,
        )  # fmt: skip

    async def connect(self) -> None:
        request = tornado.httpclient.HTTPRequest(
            self.address.replace("http", "ws", 1) + f"live/{self.session}", headers={"Origin": self.origin},
            ssl_options=self.trusted,
        )  # fmt: skip
        self.socket = await tornado.websocket.websocket_connect(request, subprotocols=[PROTOCOL])


def test_pages_cookies_and_live_views_come_by_tls_alone(address: str, certificate: Path, published: Published) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    place = f"d/{published.slug}/"
    with httpx.Client(base_url=address, verify=trusted) as client:
        for path in ("", place, place + "evidence", "kiosk", "accessibility", "no/such/page"):
            answer = client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000", path
            assert "http://localhost" not in answer.text and "set-cookie" not in answer.headers, path
        form = client.get("sign-in")
        token = re.search(r'name="_xsrf" value="([^"]+)"', form.text)
        assert token
        cookies = form.headers.get_list("set-cookie")
        said = {"password": PASSWORD, "_xsrf": token[1]}
        signed = client.post("sign-in", data=said, headers={"Origin": address.rstrip("/")})
        cookies += signed.headers.get_list("set-cookie")
        assert signed.status_code in (302, 303) and any(cookie.startswith("__Host-genai4eu=") for cookie in cookies)
        for cookie in cookies:
            assert re.search(r"; secure", cookie, re.I) and re.search(r"; httponly", cookie, re.I), cookie
            assert re.search(r"; samesite=strict", cookie, re.I), cookie
    with pytest.raises(httpx.HTTPError):  # who speaks plainly reads nothing
        httpx.get(address.replace("https", "http"))
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(address)

    async def scene() -> None:
        one = Visitor(address + place)
        one.trusted = trusted
        await one.attach()
        slider = next(name for name, told in one.shown() if told["state"].get("max") == 10)
        assert "A wave of 7 m; line" in json.dumps(await one.move(slider, value=7))
        await one.leave()

    asyncio.run(asyncio.wait_for(scene(), 150))


def test_who_never_finishes_a_handshake_keeps_nobody_out(address: str, certificate: Path) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    port = int(address.rstrip("/").rpartition(":")[2])
    with ExitStack() as until:
        for _ in range(200):
            silent = until.enter_context(socket.create_connection(("127.0.0.1", port)))
            silent.sendall(b"\x16\x03\x01\x02\x00\x01")  # a handshake of 512 bytes begins, and goes no further
        assert httpx.get(address, verify=trusted).status_code == 200


def _asks(server: Server, path: str, until: ExitStack) -> socket.socket:
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", server.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return until.enter_context(reader)


def test_two_hundred_who_read_a_byte_at_a_time_cost_no_memory_and_are_let_go(
    server: Server, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genai4eu.dashboards.serving.handlers.version._LONGEST", 3.0)
    (published.folder / "media" / f"{'0' * 16}.bin").write_bytes(os.urandom(1 << 20) * 32)
    path = f"/d/{published.slug}/media/{'0' * 16}.bin"
    process = psutil.Process()
    with ExitStack() as until:
        before = process.memory_info().rss
        slow = [_asks(server, path, until) for _ in range(200)]
        assert all(reader.recv(1) == b"H" for reader in slow)  # each is being answered
        assert httpx.get(f"{server.address}d/{published.slug}/").status_code == 200
        assert len(httpx.get(server.address.rstrip("/") + path).content) == 32 << 20  # who takes it gets all of it
        assert process.memory_info().rss - before < 400 << 20  # and not 200 times 32 MB
        assert server.connections is not None
        for _ in range(300):  # nobody reads on: their pieces wait, and then they go
            if server.connections._open < 20:
                break
            time.sleep(0.1)
        for reader in slow:
            reader.settimeout(30)
            taken = 1
            with pytest.raises((ConnectionResetError, EOFError)):  # until the connection ends
                while piece := reader.recv(1 << 16):
                    taken += len(piece)
                raise EOFError
            assert taken < 32 << 20


def test_a_file_that_is_not_changed_is_not_sent_twice(server: Server, published: Published) -> None:
    with httpx.Client(base_url=server.address) as client:
        for name in (
            "notebook.ipynb",
            "parameters.json",
            f"media/{next((published.folder / 'media').glob('*.svg')).name}",
        ):
            path = f"d/{published.slug}/{name}"
            first, head = client.get(path), client.head(path)
            assert first.status_code == head.status_code == 200 and not head.content
            assert first.headers["etag"] == head.headers["etag"]
            again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert again.status_code == 304 and not again.content
