"""What a browser asks of a notebook server: sign in with a code, get a kernel, execute a cell. Needs the base install.

Imported by tests, and run by them in a network without a route: ``sitting.py ADDRESS SEAT CODE SOURCE``.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect


async def execute(base: str, headers: dict[str, str], source: str, patience: float = 120) -> tuple[str, str]:
    """Execute a cell in a new kernel of the server at ``base``; return its status and all that it showed."""
    client = AsyncHTTPClient()
    begun = await client.fetch(
        f"{base}api/kernels", method="POST", headers=headers, body=json.dumps({"name": "genai4eu"}),
        request_timeout=patience,
    )  # fmt: skip
    address = f"{base}api/kernels/{json.loads(begun.body)['id']}/channels".replace("http", "ws", 1)
    socket = await websocket_connect(HTTPRequest(address, headers=headers, request_timeout=patience))
    wanted = uuid.uuid4().hex
    content = {"code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    header = {"msg_id": wanted, "msg_type": "execute_request", "session": wanted, "username": "", "version": "5.3"}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps({**message, "buffers": []}))
    shown = []
    while True:
        said = await asyncio.wait_for(socket.read_message(), patience)
        assert isinstance(said, str), "the server hung up"
        answer = json.loads(said)
        if answer["parent_header"].get("msg_id") != wanted:
            continue
        shown.append(json.dumps(answer["content"], ensure_ascii=False))
        if answer["msg_type"] == "execute_reply":
            socket.close()
            return answer["content"]["status"], "\n".join(shown)


class Visitor:
    """Somebody with a browser that keeps cookies and follows redirects."""

    def __init__(self, address: str) -> None:
        self.address, self._client = address, AsyncHTTPClient()
        self._cookies: dict[str, str] = {}

    @property
    def headers(self) -> dict[str, str]:
        """What each request says: cookies, and the mark against forged requests."""
        kept = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return {"Cookie": kept, "X-XSRFToken": self._cookies.get("_xsrf", "")}

    async def go(self, path: str, form: dict[str, str] | None = None) -> HTTPResponse:
        """Go to an address, and on to where it leads."""
        url, body = urljoin(self.address, path), urlencode(form) if form else None
        for _ in range(20):
            answer = await self._client.fetch(
                HTTPRequest(url, "POST" if body else "GET", headers=self.headers, body=body, follow_redirects=False,
                            request_timeout=60), raise_error=False,
            )  # fmt: skip
            for line in answer.headers.get_list("Set-Cookie"):
                self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items() if morsel.value}
            if answer.code not in (301, 302, 303, 307):
                return answer
            url, body = urljoin(url, answer.headers["Location"]), None
        raise AssertionError(f"{url} leads nowhere")


async def sit_down(address: str, seat: str, code: str, source: str) -> tuple[str, str]:
    """Sign in with a code from the sheet, wait for the seat, execute a cell."""
    visitor = Visitor(address)
    page = await visitor.go("hub/login")
    mark = re.search(rb'name="_xsrf" value="([^"]+)"', page.body)
    await visitor.go("hub/login", {"code": code, **({"_xsrf": mark[1].decode()} if mark else {})})
    for _ in range(240):
        lab = await visitor.go(f"user/{seat}/lab")
        if lab.code == 200 and b"jupyter-config-data" in lab.body:
            return await execute(f"{address}user/{seat}/", visitor.headers, source)
        await asyncio.sleep(0.5)
    raise AssertionError(f"{seat} did not open: {lab.code} {lab.effective_url} {lab.body[:500]!r}")


if __name__ == "__main__":
    status, text = asyncio.run(sit_down(*sys.argv[1:5]))
    print(text)
    sys.exit(status != "ok")
