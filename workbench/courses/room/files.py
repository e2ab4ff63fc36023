"""JupyterLab's own files for all seats: ``python -P -m genai4eu.courses.room.files PORT``.

They are the same for everybody, and no secret. One process answers from memory, compressed once, where each seat's
server would send the same megabytes again, and browsers get a third of the bytes. Run by the room, behind its proxy.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from jupyter_core.paths import jupyter_path
from jupyterlab.commands import get_app_dir
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPServerRequest, ResponseStartLine

from ..seat import LAB

#: The service's name at the hub, and where its files are then.
NAME = "files"
ADDRESS = f"/services/{NAME}"
#: What is compressed already.
_PACKED = (".png", ".jpg", ".gif", ".woff", ".woff2", ".ico")
#: What only tools for developers ask for.
_LEFT_OUT = (".map",)
#: Bytes and seconds of a request, of which nothing but its first lines is of use here; seconds between two.
_BODY, _PATIENCE, _IDLE = 1024, 10, 120
_YEAR, _HOUR = "public, max-age=31536000, immutable", "public, max-age=3600"


def listed() -> dict[str, Path]:
    """Return all files by their path: JupyterLab's below ``lab/``, those of extensions below ``extensions/NAME/``."""
    static = Path(get_app_dir()) / "static"
    found = {f"lab/{path.relative_to(static).as_posix()}": path for path in _files(static)}
    for folder in (LAB, *map(Path, jupyter_path("labextensions"))):
        for about in sorted([*folder.glob("[!@]*/package.json"), *folder.glob("@*/*/package.json")]):
            name = about.parent.relative_to(folder).as_posix()
            for path in _files(about.parent):
                found.setdefault(f"extensions/{name}/{path.relative_to(about.parent).as_posix()}", path)
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix not in _LEFT_OUT and path.is_file())


class Files:
    """Answers requests.

    Parameters
    ----------
    files : mapping of str to Path
        What there is; nothing else is ever read.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._read = lru_cache(maxsize=None)(self._packed)  # no more than there is: 8 MB, and 24 unpacked
        self._plain = lru_cache(maxsize=None)(Path.read_bytes)

    def __call__(self, request: HTTPServerRequest) -> None:
        """Answer a request. Called by tornado."""
        name = unquote(request.path).removeprefix(f"{ADDRESS}/")
        path = self._files.get(name)
        if request.method not in ("GET", "HEAD") or path is None:
            self._send(request, 404 if path is None else 405, HTTPHeaders({"Content-Length": "0"}), b"")
            return
        body, packed = self._read(path)
        if packed and "gzip" not in request.headers.get("Accept-Encoding", ""):
            body, packed = self._plain(path), False
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = HTTPHeaders({
            "Content-Type": kind, "Content-Length": str(len(body)), "Vary": "Accept-Encoding",
            "Cache-Control": _YEAR if request.query.startswith("v=") else _HOUR, "X-Content-Type-Options": "nosniff",
        })  # fmt: skip
        if packed:
            headers["Content-Encoding"] = "gzip"
        self._send(request, 200, headers, b"" if request.method == "HEAD" else body)

    def _send(self, request: HTTPServerRequest, status: int, headers: HTTPHeaders, body: bytes) -> None:
        assert request.connection is not None
        request.connection.write_headers(ResponseStartLine("HTTP/1.1", status, ""), headers)
        if body:
            request.connection.write(body)  # by itself it is not copied: however many wait for it, it is there once
        request.connection.finish()

    def _packed(self, path: Path) -> tuple[bytes, bool]:
        body = path.read_bytes()
        return (body, False) if path.suffix in _PACKED else (gzip.compress(body, 6, mtime=0), True)

    def warm(self) -> None:
        """Read and compress what every browser loads."""
        for path in self._files.values():
            if path.suffix in (".js", ".css") and path.stat().st_size > 1 << 16:
                self._read(path)


def served(files: Files) -> HTTPServer:
    """Return a server of files that no request can fill: it lives outside the seats' bounds."""
    return HTTPServer(files, max_body_size=_BODY, body_timeout=_PATIENCE, idle_connection_timeout=_IDLE)


async def _serve(port: int) -> None:
    files = Files(listed())
    served(files).listen(port, "127.0.0.1")
    await asyncio.get_running_loop().run_in_executor(None, files.warm)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
