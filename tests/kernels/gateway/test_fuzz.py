"""Whatever is sent, the gateway answers with less than 500, goes on, and shows nothing of other users.

``GENAI4EU_FUZZ=20`` tries twenty times as much; the figures in SECURITY.md say how much was tried.
"""

from __future__ import annotations

import json
import os
import socket
import string
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest
import websocket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import SPEC, Service, Someone

TIMES = int(os.environ.get("GENAI4EU_FUZZ", "1"))
SECRET = "raven-46"
V1, V2 = "v1.kernel.websocket.jupyter.org", "v2.genai4eu.kernel.websocket"


def tries(count: int) -> settings:
    return settings(
        max_examples=count * TIMES, deadline=None, derandomize=TIMES == 1, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@dataclass
class Scene:
    """Somebody with a kernel of their own, and a victim with another one in which a secret lies."""

    service: Service
    someone: Someone
    own: str
    victim: Someone
    theirs: str
    pid: int

    def check(self, status: int, answer: bytes) -> None:
        assert status < 500, (status, answer)
        assert SECRET.encode() not in answer
        assert self.victim.token.encode() not in answer


@pytest.fixture(scope="module")
def scene(shared: Service) -> Iterator[Scene]:
    victim, someone = shared.user("victim"), shared.user("someone", kernels=2, kernelspecs=["python3"])
    theirs, own = victim.start(env={"JPY_SESSION_NAME": SECRET}), someone.start()
    victim.talk(theirs).run(f"secret = '{SECRET}'")
    assert shared.process is not None
    made = Scene(shared, someone, own, victim, theirs, shared.process.pid)
    yield made
    assert psutil.Process(made.pid).is_running()
    assert (
        victim.talk(theirs).run("print(secret)") == f"{SECRET}\n"
    )  # nothing reached the victim's kernel, and it lives
    assert list(victim.kernels()) == [theirs]
    said = shared.log.read_text()
    assert "Traceback" not in said, said[-3000:]


ids = st.sampled_from(["OWN", "THEIRS", str(uuid.UUID(int=0)), "", "..", "%2e%2e", "x", "a" * 5000, "%00", "ä"])
tails = st.sampled_from(
    ["", "/", "/interrupt", "/restart", "/channels", "/../THEIRS", "/%2e%2e/THEIRS", "//THEIRS", "/x"]
)
roots = st.sampled_from([
    "/api/kernels", "/api/sessions", "/api/kernelspecs", "/kernelspecs", "/api", "/api/me", "/api/status", "/metrics",
    "/health", "/api/contents", "/files", "//api/kernels", "/api//kernels", "/./api/kernels", "/%61pi/kernels",
])  # fmt: skip
words = st.text(string.printable.replace("\r", "").replace("\n", ""), max_size=30)
paths = st.one_of(
    st.builds(lambda root, name, tail: f"{root}/{name}{tail}", roots, ids, tails),
    st.builds(lambda root, query: f"{root}?{query}", roots, words),
    st.builds(lambda word: f"/{word}", words),
)
usual = st.sampled_from(["GET", "POST", "DELETE", "PATCH"])
methods = usual | usual | st.sampled_from(["PUT", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"])
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["OWN", "THEIRS"])
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
known = ["name", "kernel_id", "env", "lease", "batch", "path", "type", "kernel", "id", "notebook", "permissions"]
objects = st.dictionaries(st.sampled_from(known), trees, max_size=6)
bodies = st.one_of(
    objects.map(lambda o: json.dumps(o).encode()), trees.map(lambda t: json.dumps(t).encode()), st.binary(max_size=200)
)
headers = st.dictionaries(
    st.sampled_from([
        "Host", "Cookie", "Origin", "X-Forwarded-For", "X-Real-Ip", "X-XSRFToken", "Upgrade", "Connection",
        "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Transfer-Encoding", "Expect", "Range",
        "Authorization", "KERNEL_USERNAME", "Content-Encoding", "Accept", "Referer",
    ]),
    words | st.sampled_from(["websocket", "Upgrade", "13", "chunked", "100-continue", "gzip", "token ", "a" * 9000]),
    max_size=5,
)  # fmt: skip


def send(scene: Scene, method: str, path: str, sent: dict[str, str], body: bytes, token: str) -> tuple[int, bytes]:
    """Send a request as it stands, with no library that would put it right; return status and all that comes."""
    host, port = scene.service.url.split("://")[1].split(":")
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in sent.items()]
    lines += [f"Authorization: token {token}"] if token else []
    if "Transfer-Encoding" not in sent:
        lines.append(f"Content-Length: {len(body)}")
    lines += ["Connection: close"] if "Connection" not in sent else []
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + body)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) < 1 << 20 and (got := _receive(connection)):
            answer += got
    status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/1.1 ") else b"0"
    return int(status), answer


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:  # hung up on, which is an answer too
        return b""


@pytest.mark.slow
def test_rest(scene: Scene) -> None:
    """Paths, methods, headers and bodies, with the token of somebody, without one, and with a wrong one."""
    tried: list[int] = []

    @tries(400)
    @given(methods, paths, headers, bodies, st.sampled_from(["mine", "mine", "mine", "wrong", ""]))
    def attempt(method: str, path: str, sent: dict[str, str], body: bytes, token: str) -> None:
        own, theirs = scene.own, scene.theirs
        path = path.replace("OWN", own).replace("THEIRS", theirs).replace(" ", "%20")
        body = body.replace(b"OWN", own.encode()).replace(b"THEIRS", theirs.encode())
        token = {"mine": scene.someone.token}.get(token, token)
        status, answer = send(scene, method, path, {"Host": "127.0.0.1", **sent}, body, token)
        tried.append(status)
        scene.check(status, answer)
        if token != scene.someone.token and path.startswith("/api/"):
            assert status != 200, path
        if scene.own not in (mine := scene.someone.kernels()):  # it was ended, as asked
            scene.own = next(iter(mine), None) or scene.someone.start()
        for extra in [kernel for kernel in mine if kernel != scene.own]:
            scene.someone.ask("DELETE", f"/api/kernels/{extra}")

    attempt()
    print(f"\nREST: {len(tried)} requests, answered {sorted({s: tried.count(s) for s in set(tried)}.items())}")


def frame(*parts: bytes) -> bytes:
    """Return a v1 message of a channel and parts."""
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


names = st.sampled_from(["execute_request", "kernel_info_request", "comm_msg", "input_reply", "x", ""])
heads = st.one_of(
    st.builds(lambda kind: {"msg_type": kind, "msg_id": "m", "session": "s", "username": "u", "version": "5.3"}, names),
    trees,
)
channels = st.sampled_from(["shell", "iopub", "stdin", "control", "x", "", "hb", "shell\0"])
texts = st.one_of(
    st.builds(
        lambda head, parent, about, content, channel: json.dumps(
            {"header": head, "parent_header": parent, "metadata": about, "content": content, "channel": channel}
        ),
        heads, trees, trees, trees, channels,
    ),
    trees.map(json.dumps),
    st.text(max_size=50),
)  # fmt: skip
parts = st.one_of(heads.map(lambda tree: json.dumps(tree).encode()), st.binary(max_size=30))
frames = st.one_of(
    st.builds(lambda channel, four: frame(channel.encode(), *four), channels, st.lists(parts, max_size=7)),
    st.binary(max_size=100),
    st.lists(st.integers(0, 2**64 - 1), max_size=6).map(lambda n: struct.pack(f"<{len(n)}Q", *n)),
    st.sampled_from([b"", b"\0" * 8, b"\xff" * 64, frame(b"shell", b"{}", b"{}", b"{}")]),
)
protocols = st.sampled_from([[V1], [V2], [], ["x"], [V1, V2], [V2, "x"]])


@pytest.mark.slow
def test_websocket(scene: Scene) -> None:
    """Frames of every protocol, to one's own kernel, which answers all the same afterwards."""
    tried = {"sockets": 0, "frames": 0}
    kernel = scene.someone.start(SPEC)

    @tries(60)
    @given(
        protocols, st.lists(texts | frames, max_size=6), st.sampled_from([uuid.uuid4().hex, "", "x", "a" * 300, "%00"])
    )
    def attempt(offered: list[str], sent: list[str | bytes], session: str) -> None:
        if kernel not in scene.someone.kernels():
            pytest.fail("a message ended the kernel")  # none of these may
        url = f"ws{scene.service.url.removeprefix('http')}/api/kernels/{kernel}/channels?session_id={session}"
        header = [f"Authorization: token {scene.someone.token}"]
        try:
            one = websocket.create_connection(url, timeout=20, header=header, subprotocols=offered or None)
        except websocket.WebSocketBadStatusException as error:
            assert error.status_code < 500, error
            return
        except websocket.WebSocketException:  # this client goes where its protocol is not spoken
            return
        tried["sockets"] += 1
        try:
            for message in sent:
                tried["frames"] += 1
                kind = websocket.ABNF.OPCODE_BINARY if isinstance(message, bytes) else websocket.ABNF.OPCODE_TEXT
                one.send(message if isinstance(message, bytes) else message.encode("utf-8", "replace"), kind)
        except (OSError, websocket.WebSocketException):  # hung up on, as it should be
            pass
        finally:
            one.close(timeout=1)

    attempt()
    assert scene.someone.ask("POST", f"/api/kernels/{kernel}/interrupt")[0] == 204
    assert scene.someone.talk(kernel).run("print('here')") == "here\n"
    assert scene.someone.ask("DELETE", f"/api/kernels/{kernel}")[0] == 204
    print(f"\nWebSocket: {tried}")


@pytest.mark.slow
def test_handshakes(scene: Scene) -> None:
    """Ways to ask for a WebSocket of another user's kernel, or in a form that there is not."""
    tried: list[int] = []

    @tries(150)
    @given(ids, tails, headers, st.sampled_from(["mine", "wrong", ""]))
    def attempt(name: str, tail: str, sent: dict[str, str], token: str) -> None:
        path = f"/api/kernels/{name}{tail}/channels".replace("OWN", str(uuid.uuid4())).replace("THEIRS", scene.theirs)
        base = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
        token = {"mine": scene.someone.token}.get(token, token)
        status, answer = send(scene, "GET", path, {**base, **sent}, b"", token)
        tried.append(status)
        scene.check(status, answer)
        assert status != 101

    attempt()
    print(f"\nHandshakes: {len(tried)}, answered {sorted({s: tried.count(s) for s in set(tried)}.items())}")
