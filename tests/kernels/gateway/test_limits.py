"""Output is not dropped where a stock server drops it; where it is, the user is told. Odd requests are turned away."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from genai4eu.kernels.tokens import ensure_token

from .conftest import Service, Someone

pytestmark = pytest.mark.slow

#: Has a stock kernel wait where it would drop: what its own sending thread, starved on a busy computer, has not sent.
PATIENT = "import zmq; get_ipython().kernel.iopub_thread.socket.setsockopt(zmq.XPUB_NODROP, 1)"
COUNT = "import sys\nfor i in range(20000): sys.stdout.write('%d ' % i); sys.stdout.flush()"


@pytest.mark.slow
def test_fast_output_arrives_whole(shared: Service) -> None:
    """A stock server drops what is beyond a thousand messages or a megabyte a second."""
    anna = shared.user("anna")
    kernel = anna.start()
    talk = anna.talk(kernel)
    talk.run(PATIENT)
    assert talk.run(COUNT) == "".join(f"{number} " for number in range(20000))
    big = talk.run("print('x' * 20_000_000)")
    assert len(big) == 20_000_001
    anna.ask("DELETE", f"/api/kernels/{kernel}")


def test_clients_that_leave_in_the_midst_of_output_are_no_errors(shared: Service) -> None:
    someone = shared.user("leaver")
    kernel = someone.start()
    for _ in range(3):
        one = someone.talk(kernel)
        one.ask("for _ in range(60): print('x' * 100_000, flush=True)")
        one.next("stream")
        assert one.socket.sock is not None
        one.socket.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # as a crash does
        one.socket.sock.close()
    assert someone.talk(kernel).run("print('here')") == "here\n"
    assert "Traceback" not in (said := shared.log.read_text()), said[-3000:]


def test_what_is_dropped_is_said(tmp_path: Path) -> None:
    """With the limits of a stock server, to see its line arrive."""
    code = (
        "import sys; from pathlib import Path; from genai4eu.kernels.gateway import settings, __main__ as gateway\n"
        "settings.OUTPUT_LIMITS = {'iopub_msg_rate_limit': 1000.0, 'iopub_data_rate_limit': 1e4}\n"
        "gateway.run(settings.Options(Path('state'), port=0, token_file=Path('token')))"
    )
    token = ensure_token(tmp_path / "token")
    with subprocess.Popen([sys.executable, "-P", "-c", code], cwd=tmp_path, stdout=-1, text=True) as gateway:
        assert gateway.stdout is not None
        anna = Someone(gateway.stdout.readline().split()[1], token)
        kernel = anna.start()
        assert "IOPub data rate exceeded" in anna.talk(kernel).run("print('x' * 1_000_000)")
        gateway.terminate()
        gateway.send_signal(2)


def lines(url: str, sent: bytes) -> bytes:
    """Send raw bytes and return the first answer."""
    host, port = url.split("://")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        return connection.recv(65536)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", b""),
        (b"POST /api/kernels HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2000000\r\n\r\n", b"400"),
        (b"POST /api/kernels HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"BREW /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"405"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request(shared: Service, sent: bytes, status: bytes) -> None:
    assert lines(shared.url, sent).partition(b" ")[2][:3] == status
    assert Someone(shared.url, "").ask("GET", "/health") == (200, {"status": "ok"})


def test_half_open_connections_keep_nobody_out(shared: Service) -> None:
    host, port = shared.url.split("://")[1].split(":")
    waiting = [socket.create_connection((host, int(port))) for _ in range(500)]
    try:
        for number, one in enumerate(waiting):
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n"[: number % 20])
        assert Someone(shared.url, "").ask("GET", "/health") == (200, {"status": "ok"})
        assert shared.user("carl").kernels() == {}
    finally:
        for one in waiting:
            one.close()


@pytest.mark.parametrize("body", [b"[]", b"3", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000, b'{"name": "x"', b"nul"])
def test_bodies_that_are_no_object(shared: Service, body: bytes) -> None:
    first = shared.user(f"u{abs(hash(body))}"[:20])
    for path in ("/api/kernels", "/api/sessions"):
        status, content, _ = first.raw("POST", path, body, {})
        assert status == 400
        assert "\n" not in json.loads(content)["message"]


@pytest.mark.parametrize(
    "wish",
    [
        {"lease": 0}, {"lease": -1}, {"lease": 1e9}, {"lease": "long"}, {"lease": True}, {"lease": float("inf")},
        {"lease": float("nan")}, {"env": {"JPY_SESSION_NAME": "\ud800"}}, {"env": {"JPY_SESSION_NAME": "a\0b"}},
        {"kernel_id": {}}, {"kernel_id": "../../etc"},
    ],
)  # fmt: skip
def test_wishes_that_cannot_be(shared: Service, wish: dict[str, object]) -> None:
    user = shared.user(f"w{abs(hash(str(wish)))}"[:20])
    assert user.ask("POST", "/api/kernels", {"name": "python3", **wish})[0] == 400
    assert not user.kernels()
