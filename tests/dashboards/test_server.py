"""The server: what it answers, with which headers, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record
from genai4eu.verify.verdict import Verdict, keep, seal_of

from .conftest import html


def _get(server: Server, path: str, **headers: str) -> httpx.Response:
    return httpx.get(server.address + path, headers=headers)


@pytest.mark.parametrize("path", ["", "d/tiny-wave-a1b2/", "d/tiny-wave-a1b2/evidence", "nothing/here"])
def test_every_page_is_walled_in_and_sets_no_cookie(server: Server, path: str) -> None:
    answer = _get(server, path)
    assert answer.status_code == (404 if path.startswith("nothing") else 200)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'self'" in policy
    assert "unsafe-eval" not in policy and "script-src 'self' 'unsafe" not in policy
    assert ("unsafe-inline" in policy) == (path == "d/tiny-wave-a1b2/"), "inline styles are for widgets alone"
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers and "tornado" not in answer.headers["server"].lower()
    assert '<html lang="en">' in answer.text and answer.text.count("<h1") == 1


def test_the_gallery_shows_the_dashboard(server: Server) -> None:
    text = _get(server, "").text
    assert "Does a higher wave carry further?" in text and "0.5 (± 0.1)" in text and "Climate" in text
    thumb = re.search(r'<img src="\./(d/[^"]+)"', text)
    assert thumb and _get(server, thumb[1]).headers["content-type"] in ("image/svg+xml", "image/png")


def test_the_empty_gallery_says_what_to_type(tmp_path: Path) -> None:
    with running(tmp_path / "absent") as server:
        assert "genai4eu publish latest" in _get(server, "").text


@pytest.mark.parametrize(
    "edit",
    [
        lambda about: about.clear(),
        lambda about: about.pop("where"),
        lambda about: about.update(sector=["climate"]),
        lambda about: about.update(started=5),
        lambda about: about.update(figure={"src": 1}),
        lambda about: about.update(slug="another-0000"),
        None,
    ],
)
def test_a_damaged_dashboard_is_named_and_the_others_are_shown(
    server: Server, published: Published, edit: Callable[[dict[str, Any]], Any] | None
) -> None:
    house = dashboards_root()
    shutil.copytree(house / published.slug, house / "broken-0000")
    broken = house / "broken-0000" / "versions" / "1"
    about = json.loads((broken / "dashboard.json").read_text("utf-8")) | {"slug": "broken-0000"}
    (broken / "dashboard.json").chmod(0o644)
    if edit is not None:
        edit(about)
    (broken / "dashboard.json").write_text("{" if edit is None else json.dumps(about))
    answer = _get(server, "")
    assert answer.status_code == 200 and "broken-0000" in answer.text and "d/tiny-wave-a1b2/" in answer.text
    for path in ("d/broken-0000/", "d/broken-0000/evidence"):
        answer = _get(server, path)
        assert answer.status_code == 404 and "This dashboard is damaged" in answer.text


def test_an_unchanged_page_is_not_sent_twice(server: Server) -> None:
    for path in ("", "d/tiny-wave-a1b2/", "static/dashboard.css"):
        first = _get(server, path)
        again = _get(server, path, **{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_the_notebook_is_a_download(server: Server) -> None:
    answer = _get(server, "d/tiny-wave-a1b2/notebook.ipynb")
    assert answer.headers["content-disposition"] == 'attachment; filename="tiny-wave-a1b2.ipynb"'
    assert json.loads(answer.content)["cells"]


@pytest.mark.parametrize(
    "path",
    [
        "d/tiny-wave-a1b2/outputs/wave.npy", "d/tiny-wave-a1b2/dashboard.json", "d/tiny-wave-a1b2/live.ipynb",
        "d/tiny-wave-a1b2/media/../dashboard.json", "d/tiny-wave-a1b2/media/%2e%2e/dashboard.json",
        "d/../runs", "d/%2e%2e/%2e%2e/etc/passwd/", "static/../pages/frame.html.j2",
        "static/%2e%2e/pages/frame.html.j2",
        "static//etc/passwd", "d/absent-0000/", "d/absent-0000/live/status", f"d/absent-0000/live/{'a' * 32}",
        "static/%00",
        "live/voila/tree", "live/voila/files/tiny-wave-a1b2/index.html", "live/api/contents", "live/voila/api/contents",
        "live/voila/render/tiny-wave-a1b2/notebook.ipynb", "live/login", "lab", "voila", "api/kernels", "api/terminals",
    ],
)  # fmt: skip
def test_nothing_else_is_served(server: Server, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:  # a client library would tidy the path
        raw.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.split(b" ", 2)[1] in (b"403", b"404", b"503"), answer[:200]
    assert b"root:" not in answer and b"{%" not in answer
    assert server.tier.pid is None


@pytest.mark.parametrize("host", ["evil.example", "127.evil.example", "127.0.0.1.evil.example", "[", ""])
@pytest.mark.parametrize("path", ["", "static/dashboard.css", f"d/tiny-wave-a1b2/live/{'a' * 32}"])
def test_a_foreign_name_for_this_computer_is_refused(server: Server, host: str, path: str) -> None:
    assert _get(server, path, Host=host).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:1", "127.1.2.3", "[::1]:8866"])
def test_each_name_of_this_computer_is_answered(server: Server, host: str) -> None:
    assert _get(server, "", Host=host).status_code == 200


@pytest.mark.parametrize("path", ["", "d/tiny-wave-a1b2/", "d/tiny-wave-a1b2/evidence", "static/dashboard.css"])
def test_the_head_alone_can_be_asked_for(server: Server, path: str) -> None:
    answer = httpx.head(server.address + path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_page_can_only_be_read(server: Server) -> None:
    assert httpx.post(server.address).status_code == 405


def test_a_port_in_use_and_a_public_address_are_refused(tmp_path: Path, server: Server) -> None:
    with pytest.raises(WorkbenchError, match=rf"port {server.port} is in use.*--port"):
        Server(tmp_path, port=server.port)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(WorkbenchError, match="only this computer"):
            Server(tmp_path, host=host, port=0)


def test_serve_prints_its_address_and_leaves_on_a_signal(published: Published, genai4eu: Callable[..., object]) -> None:
    command = [str(Path(sys.executable).with_name("genai4eu")), "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address and httpx.get(address[0]).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_serve_tells_of_what_nobody_can_see(
    published: Published, genai4eu: Callable[..., object], tmp_path: Path
) -> None:
    published.dashboard.decide(visibility="private")
    for folder, said in ((dashboards_root(), f"{published.slug}: private, and nobody can sign in yet"),
                         (tmp_path / "absent", f"no dashboard in {tmp_path / 'absent'} yet")):  # fmt: skip
        command = [str(Path(sys.executable).with_name("genai4eu")), "serve", "--port", "0", "--no-browser"]
        environment = {**os.environ, "GENAI4EU_DASHBOARDS": str(folder)}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stderr is not None
            assert said in process.stderr.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0


def test_serve_says_in_one_line_that_the_port_is_taken(server: Server, genai4eu: Callable[..., object]) -> None:
    done = genai4eu("serve", "--port", str(server.port), "--no-browser")
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "in use" in done.stderr


def test_a_verification_after_publishing_is_shown(published: Published, record: Record) -> None:
    """The dashboard stays as it is; what is known of its run today is put in where it is served."""
    assert re.search(r"<dd>\s*Not yet", html(published))
    seal = seal_of(record.folder)
    assert seal is not None
    about: dict[str, Any] = {
        "run": record.id,
        "by": "20261201-101112-tiny-wave-ffff",
        "outcome": "equal",
        "target": "factory-genai4eu",
    }
    more: dict[str, Any] = {
        "where": "a <factory>",
        "environment": "lock file",
        "tolerance": "rtol 1e-06",
        "started": "2026-12-01T10:11:12+00:00",
    }
    with running(dashboards_root()) as server:
        before = _get(server, f"d/{published.slug}/")
        assert re.search(r"<dd>\s*Not yet", before.text)
        keep(record.folder, Verdict(seal="0" * 64, **about, **more))
        assert _get(server, f"d/{published.slug}/").text == before.text  # on another record
        keep(record.folder, Verdict(seal=seal, outputs={"a": {"outcome": "equal", "max_abs": 1e-9}}, **about, **more))
        page, evidence = (_get(server, f"d/{published.slug}/{name}") for name in ("", "evidence"))
    assert "Yes, within the tolerance, on a &lt;factory&gt;, <time" in page.text
    assert page.headers["etag"] != before.headers["etag"]
    assert "made from the lock file" in evidence.text and about["by"] in evidence.text
