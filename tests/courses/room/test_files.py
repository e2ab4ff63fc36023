"""JupyterLab's own files for all seats, and what is worked out before seats are forked."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.testing import bind_unused_port

from genai4eu.courses.room.ahead import kept
from genai4eu.courses.room.files import ADDRESS, Files, _files, listed, served


@pytest.fixture
def there(tmp_path: Path) -> dict[str, Path]:
    """A script that compresses well, a picture, and a secret beside them that is not listed."""
    for name, content in (("a.js", b"x = 1;" * 999), ("b.png", b"\x89PNG"), ("secret", b"no")):
        (tmp_path / name).write_bytes(content)
    return {"lab/a.js": tmp_path / "a.js", "lab/b.png": tmp_path / "b.png"}


async def _asked(files: Files, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    socket, port = bind_unused_port()
    server = served(files)
    server.add_socket(socket)
    async with httpx.AsyncClient(headers={"Accept-Encoding": "identity", **headers}) as client:
        answer = await client.request(method, f"http://127.0.0.1:{port}{path}")
    server.stop()
    return answer


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_script_is_whole_and_compressed_for_who_takes_that(there: dict[str, Path], encoding: str) -> None:
    """A third of the bytes on the way, the same for the browser; a name with a version is kept for a year."""
    answer = asyncio.run(_asked(Files(there), f"{ADDRESS}/lab/a.js?v=abc", **{"Accept-Encoding": encoding}))
    assert (answer.status_code, answer.content) == (200, there["lab/a.js"].read_bytes())
    assert answer.headers["content-type"] == "text/javascript"
    assert ("content-encoding" in answer.headers) == (encoding == "gzip")
    assert (int(answer.headers["content-length"]) < 999) == (encoding == "gzip")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/lab/../secret", "GET", 404),
        ("/lab/%2e%2e/secret", "GET", 404),
        ("//etc/passwd", "GET", 404),
        ("/secret", "GET", 404),
        ("/lab/a.js", "POST", 405),
        ("/lab/b.png", "HEAD", 200),
    ],
)
def test_nothing_else_is_read(there: dict[str, Path], path: str, method: str, status: int) -> None:
    """What is not listed is not there, however it is written."""
    answer = asyncio.run(_asked(Files(there), ADDRESS + path, method))
    assert (answer.status_code, answer.content) == (status, b"")


def test_a_request_with_a_body_is_refused(there: dict[str, Path]) -> None:
    async def ask() -> bytes:
        sock, port = bind_unused_port()
        server = served(Files(there))
        server.add_socket(sock)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            f"GET {ADDRESS}/lab/a.js HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n".encode() + b"x" * 2000
        )
        answer = await reader.read()
        writer.close()
        server.stop()
        return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 400")


def test_who_takes_nothing_of_an_answer_costs_no_copy_of_it(there: dict[str, Path]) -> None:
    """Neither of what is kept packed nor of what is asked for plain: the same bytes wait for all."""
    files, given = Files(there), []
    for encoding in ("gzip", "identity") * 2:
        sent: list[bytes] = []
        connection = SimpleNamespace(write_headers=lambda *_: None, write=sent.append, finish=lambda: None)
        request = HTTPServerRequest("GET", f"{ADDRESS}/lab/a.js", headers=HTTPHeaders({"Accept-Encoding": encoding}))
        request.connection = cast("Any", connection)
        files(request)
        given += sent
    assert given[0] is given[2] and given[1] is given[3] and gzip.decompress(given[0]) == given[1]


def test_maps_for_debugging_are_left_out(tmp_path: Path) -> None:
    for name in ("a.js", "a.js.map"):
        (tmp_path / name).touch()
    assert _files(tmp_path) == [tmp_path / "a.js"]


def test_all_that_a_lesson_loads_is_listed() -> None:
    """JupyterLab's own, the widgets' and ours."""
    found = listed()
    assert any(name.startswith("lab/main.") for name in found)
    assert any(name.startswith("extensions/@jupyter-widgets/jupyterlab-manager/static/remoteEntry") for name in found)
    assert "extensions/genai4eu-lesson/static/lesson.js" in found
    assert all(path.is_file() for path in found.values())


def test_packed_as_gzip_is(there: dict[str, Path]) -> None:
    """A picture is left as it is."""
    files = Files(there)
    body, packed = files._packed(there["lab/a.js"])
    assert (packed, gzip.decompress(body)) == (True, there["lab/a.js"].read_bytes())
    assert files._packed(there["lab/b.png"]) == (b"\x89PNG", False)


def test_schema_is_read_once_and_nobody_changes_anothers() -> None:
    """The caller writes into what it gets; other overrides are another schema."""
    calls: list[str] = []

    def read(folder: str, name: str, overrides: dict[str, Any], path: Any) -> tuple[dict[str, Any], str]:
        calls.append(name)
        return {"type": "object", **overrides.get(name, {})}, "1"

    again = kept(read)
    first, _ = again("f", "a", {}, None)
    first["type"] = "changed"
    assert again("f", "a", {"b": {"x": 1}}, labextensions_path=None)[0] == {"type": "object"}
    assert again("f", "a", {"a": {"x": 1}}, None)[0] == {"type": "object", "x": 1}
    assert calls == ["a", "a"]
