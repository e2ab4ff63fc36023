"""What a hostile visitor may send: the server answers with less than 500, shows nothing it should not, and goes on.

``GENAI4EU_FUZZ=20`` tries twenty times as much; the figures in SECURITY.md say how much was tried.
"""

from __future__ import annotations

import os
import random
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running

TIMES = int(os.environ.get("GENAI4EU_FUZZ", "1"))
SECRET = "raven-46"


@pytest.fixture
def scene(published: Published) -> Iterator[Server]:
    """A gallery with a dashboard of which only the part that is published may be seen, and a secret everywhere else."""
    root = dashboards_root()
    dashboard = Dashboard(root / published.slug)
    for folder in (root.parent, root, dashboard.folder, dashboard.current.folder, dashboard.current.folder / "outputs"):
        (folder / "secret.json").write_text(f'"{SECRET}"', "utf-8")
    admission.add_link(dashboard, SECRET)
    with running(root) as server:
        yield server


def send(server: Server, request: bytes) -> bytes:
    """Send a request as it stands, with no library that would put it right; return all that comes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while got := connection.recv(65536):
                answer += got
        except ConnectionResetError:  # hung up on, which is an answer too
            pass
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def test_no_path_leads_out_of_what_is_published(scene: Server) -> None:
    """Pieces of paths that are known to lead astray elsewhere, put together at random."""
    chance = random.Random(46)
    pieces = [
        "..", ".", "", "%2e%2e", "%252e%252e", "..%2f", "..%5c", "..\\", "%00", "%c0%ae%c0%ae", "....//", "d",
        "l", "static", "media", "live", "outputs", "versions", "1", "secret.json", "site.json",
        "dashboard.json", "page.json", "live.ipynb", "tiny-wave-a1b2", "evidence", "notebook.ipynb", "etc",
        "passwd", "front", "A" * 43, "kiosk", "voila", "api", "kernels", "0" * 16 + ".json", "~root", "file:",
        "C:", ";x=1", "?v=1", "%0d%0aA:b", "\u00e4", "*",
    ]  # fmt: skip
    roots = ["", "d/tiny-wave-a1b2/", "d/tiny-wave-a1b2/media/", "d/tiny-wave-a1b2/live/", "static/", "l/"]
    tried: Counter[int] = Counter()
    for _ in range(400 * TIMES):
        path = chance.choice(roots) + "/".join(chance.choices(pieces, k=chance.randint(1, 6)))
        answer = send(scene, f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        tried[status(answer)] += 1
        assert status(answer) < 500 or (status(answer) == 503 and "live/" in path), path  # the live tier does not run
        assert SECRET.encode() not in answer and b"root:" not in answer, path
    print(f"\npaths: {tried.total()}, answered {sorted(tried.items())}")
    assert httpx.get(scene.address).status_code == 200


@pytest.mark.parametrize("path", ["", "d/tiny-wave-a1b2/", "static/dashboard.css", "sign-in"])
def test_pages_can_only_be_read(scene: Server, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW"):
        answer = send(scene, f"{method} /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())  # fmt: skip  # noqa: E501
        assert status(answer) in (404, 405), method


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: +5", "Content-Length: -1",
        "Transfer-Encoding: identity, chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Content-Length: 0x5", "Content-Length: 99999999",
        "Bad Header: x", "X-Long: " + "a" * 40_000, "\r\n".join(f"X-{n}: a" for n in range(5000)),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_or_is_too_large_is_refused(scene: Server, head: str) -> None:
    """After it nothing of the same connection is answered: no second request can hide in the first one's body."""
    hidden = "GET /d/tiny-wave-a1b2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = send(scene, f"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n0\r\n\r\n{hidden}".encode())
    assert answer.count(b"HTTP/1.1 ") <= 1 and status(answer) in (0, 400, 431), answer[:300]
    assert b"higher wave" not in answer


def test_many_slow_clients_keep_nobody_out(scene: Server) -> None:
    """Each sends a head that never ends; of the pages that others ask for meanwhile, the time is told."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(100 * TIMES, 1000)
    try:
        with ExitStack() as until:
            slow = [until.enter_context(socket.create_connection(("127.0.0.1", scene.port))) for _ in range(count)]
            for connection in slow:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            times = []
            for _ in range(30):
                begun = time.perf_counter()
                assert httpx.get(f"{scene.address}d/tiny-wave-a1b2/").status_code == 200
                times.append(1000 * (time.perf_counter() - begun))
            times.sort()
            print(f"\nslow clients: {count}; a page meanwhile: median {times[15]:.0f} ms, worst {times[-1]:.0f} ms")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_when_all_places_are_taken_who_waits_longest_goes(scene: Server) -> None:
    assert httpx.get(scene.address).status_code == 200
    assert scene.connections is not None
    scene.connections.most = 20
    with ExitStack() as until:
        slow = [until.enter_context(socket.create_connection(("127.0.0.1", scene.port))) for _ in range(60)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert httpx.get(scene.address).status_code == 200
        slow[0].settimeout(10)
        with suppress(ConnectionResetError):
            assert slow[0].recv(10) == b""


@pytest.mark.parametrize(
    ("options", "host", "expected"),
    [
        ({}, "dash.example.org", 403),
        ({"names": ("dash.example.org",)}, "dash.example.org", 200),
        ({"names": ("dash.example.org",)}, "DASH.example.org.:443", 200),
        ({"names": ("dash.example.org",)}, "evil.dash.example.org", 403),
        ({"names": ("dash.example.org",)}, "203.0.113.5", 403),
    ],
)
def test_only_our_own_names_are_answered(
    scene: Server, options: dict[str, tuple[str, ...]], host: str, expected: int
) -> None:
    with running(dashboards_root(), **options) as server:
        assert (
            httpx.get(server.address.replace("dash.example.org", "127.0.0.1"), headers={"Host": host}).status_code
            == expected
        )


def test_frames_tls_and_proxies(scene: Server) -> None:
    options = {"behind_proxy": True, "names": ("dash.example.org",), "embed_origins": ("https://www.example.org",)}
    with running(dashboards_root(), **options) as server:
        here = f"http://127.0.0.1:{server.port}/"
        answer = httpx.get(here, headers={"Host": "dash.example.org"})
        assert "frame-ancestors 'self' https://www.example.org" in answer.headers["content-security-policy"]
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        for number in range(40):  # each from another address, as the proxy says; what the visitor adds is not believed
            told = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9", "Host": "dash.example.org"}
            last = httpx.get(f"{here}l/{number:043d}/", headers=told).status_code
        assert last == 429
        told = {"X-Forwarded-For": "203.0.113.10", "Host": "dash.example.org"}
        assert httpx.get(f"{here}l/{'B' * 43}/", headers=told).status_code == 404
