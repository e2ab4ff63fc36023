"""REST calls to a gateway, with errors a person can act on. Called by ``connect``, targets and the bridge.

Plain ``http.client``: no proxy and no redirect, so that the token goes to the address that was named and nowhere else,
and quick to import, because every bridge does.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import KernelsError
from .tokens import read_token

#: Seconds that a gateway may take to answer a plain question.
TIMEOUT = 5.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class GatewayDown(KernelsError):
    """The gateway does not answer."""


class TokenRefused(KernelsError):
    """The gateway answers, but not to this token."""


class KernelGone(KernelsError):
    """The gateway knows no such kernel."""


def normal_url(url: str) -> str:
    """Return ``url`` without a trailing slash.

    Raises
    ------
    KernelsError
        If it is no gateway's address, or would send the token over a network unencrypted.
    """
    parts = urllib.parse.urlsplit(url)
    try:
        parts.port  # noqa: B018  # raises where the port is not a number
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or bool(parts.query or parts.fragment)
    except ValueError:
        wrong = True
    if wrong or parts.username is not None or any(c <= " " for c in url):
        raise KernelsError(f"{url!r} is not a gateway's address: write it like http://127.0.0.1:8888")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise KernelsError(
            f"{url} would send the token unencrypted: use an https address, or an SSH tunnel to this computer"
        )
    return url.rstrip("/")


@dataclass(frozen=True)
class Gateway:
    """A gateway as its client sees it: an address, and the file with the token, read anew for every call."""

    url: str
    token_file: Path

    def headers(self) -> dict[str, str]:
        """Return the header that authenticates a request."""
        return {"Authorization": f"token {read_token(self.token_file)}"}

    def specs(self, timeout: float = TIMEOUT) -> dict[str, dict[str, Any]]:
        """Return the gateway's kernelspecs, ``{name: spec}``, where a spec has ``display_name`` and ``language``."""
        answer = self.call("GET", "/api/kernelspecs", timeout=timeout)
        try:
            return {name: dict(model["spec"]) for name, model in answer["kernelspecs"].items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            raise KernelsError(f"{self.url} is not a kernel gateway: check the address") from None

    def start_kernel(self, spec: str, kernel_id: str, env: dict[str, str], timeout: float = 120) -> dict[str, Any]:
        """Start a kernel under the given id and return the gateway's description of it."""
        body = {"name": spec, "kernel_id": kernel_id, "env": env}
        answer: dict[str, Any] = self.call("POST", "/api/kernels", body, timeout)
        return answer

    def interrupt(self, kernel_id: str) -> None:
        """Interrupt what the kernel is doing."""
        self.call("POST", f"/api/kernels/{kernel_id}/interrupt", {}, 30)

    def delete(self, kernel_id: str, timeout: float = 30) -> None:
        """End the kernel."""
        self.call("DELETE", f"/api/kernels/{kernel_id}", timeout=timeout)

    def call(self, method: str, path: str, body: object = None, timeout: float = TIMEOUT) -> Any:
        """Send a request and return the decoded answer.

        Raises
        ------
        GatewayDown, TokenRefused, KernelGone, KernelsError
            Each with one line that names the gateway and the remedy.
        """
        headers = self.headers()
        try:
            status, content = self._request(method, path, body, headers, timeout)
        except ssl.SSLError as error:
            raise KernelsError(f"{self.url} cannot be trusted ({error.reason}): check its certificate") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise GatewayDown(
                f"the gateway at {self.url} does not answer ({reason}): start it, or check the address"
            ) from None
        return self._judge(status, content, path)

    def _request(
        self, method: str, path: str, body: object, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        parts = urllib.parse.urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        try:
            payload = None if body is None else json.dumps(body).encode()
            connection.request(method, parts.path + path, payload, {**headers, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _judge(self, status: int, content: bytes, path: str) -> Any:
        if status in (401, 403):
            raise TokenRefused(
                f"the gateway at {self.url} refuses the token in {self.token_file}: ask for the right one"
            )
        if status == 404 and path.startswith("/api/kernels/"):
            raise KernelGone(f"the kernel is no longer at the gateway {self.url}: restart it")
        try:
            answer = json.loads(content) if content else None
        except ValueError:
            answer = content
        if 200 <= status < 300 and not isinstance(answer, bytes):
            return answer
        if isinstance(answer, dict) and answer.get("message"):
            raise KernelsError(f"the gateway at {self.url} says: {answer['message']}")
        raise KernelsError(f"{self.url} does not answer like a kernel gateway (HTTP {status}): check the address")
