"""What a participant's browser asks a room for: the sheet's code, the seat, a kernel that executes."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import httpx
from websockets.sync.client import connect


class Browser:
    """A browser with its own cookies.

    Parameters
    ----------
    address : str
        The room's.
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self.http = httpx.Client(base_url=self.address, follow_redirects=True, timeout=120)
        self.seat = ""

    def sign_in(self, code: str) -> httpx.Response:
        """Type a code."""
        self.http.get("/hub/login")
        token = self.http.cookies.get("_xsrf", path="/hub/")
        answer = self.http.post("/hub/login", data={"code": code, "_xsrf": token})
        parts = answer.url.path.split("/")
        self.seat = parts[2] if answer.is_success and parts[1] == "user" else ""
        return answer

    def api(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask the seat's notebook server."""
        token = self.http.cookies.get("_xsrf", path=f"/user/{self.seat}/")
        return self.http.request(method, f"/user/{self.seat}/api/{path}", headers={"X-XSRFToken": token or ""}, **more)

    def kernel(self) -> str:
        """Start a kernel, and return its id."""
        started = self.api("POST", "kernels", json={"name": "genai4eu"})
        started.raise_for_status()
        return str(started.json()["id"])

    def run(self, code: str, kernel: str | None = None, patience: float = 60) -> str:
        """Execute code in a kernel, and return what it printed and displayed, and the error's last line."""
        kernel = kernel or self.kernel()
        address = f"{self.address.replace('http', 'ws')}/user/{self.seat}/api/kernels/{kernel}/channels"
        own = [c for c in self.http.cookies.jar if c.path in ("/", f"/user/{self.seat}/")]
        cookies = {"Cookie": "; ".join(f"{c.name}={c.value}" for c in own)}
        with connect(address, additional_headers=cookies, max_size=None) as socket:
            asked = _request(code)
            socket.send(json.dumps(asked))
            return _printed(socket, asked["header"]["msg_id"], time.monotonic() + patience)


def _request(code: str) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "", "session": uuid.uuid4().hex,
              "version": "5.3", "date": "2026-01-01T00:00:00Z"}  # fmt: skip
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}


def _printed(socket: Any, asked: str, until: float) -> str:
    said = ""
    while time.monotonic() < until:
        message = json.loads(socket.recv(timeout=max(0.1, until - time.monotonic())))
        if message["parent_header"].get("msg_id") != asked:
            continue
        content = message["content"]
        if message["msg_type"] == "stream":
            said += content["text"]
        elif message["msg_type"] == "display_data":
            said += content["data"].get("text/plain", "")
        elif message["msg_type"] == "error":
            said += f"{content['ename']}: {content['evalue']}"
        elif message["msg_type"] == "status" and content["execution_state"] == "idle":
            return said
    raise TimeoutError(f"no answer; so far {said!r}")
