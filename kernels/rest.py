"""REST calls to a gateway, with errors a person can act on. Called by ``connect``, targets and the bridge.

Plain ``http.client``: no proxy and no redirect, so that the token goes to the address that was named and nowhere else,
and quick to import, because every bridge does.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import KernelsError
from .tokens import read_token

if TYPE_CHECKING:
    import ssl

#: Seconds that a gateway may take to answer a plain question.
TIMEOUT = 5.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
#: OpenSSL's words for an answer that is no TLS at all.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")


class GatewayDown(KernelsError):
    """The gateway does not answer; ``refused`` if its computer does, and says that nobody listens there."""

    refused = False


class TokenRefused(KernelsError):
    """The gateway answers, but not to this token."""


class KernelGone(KernelsError):
    """The gateway knows no such kernel."""


class KernelThere(KernelsError):
    """There is a kernel with this id already."""


class Untrusted(KernelsError):
    """The gateway's certificate is not to be trusted."""


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
        raise KernelsError(f"{url!r} is not a gateway's address: write it like http://127.0.0.1:8899")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise KernelsError(
            f"{url} would send the token unencrypted: use an https address, or an SSH tunnel to this computer"
        )
    return url.rstrip("/")


@dataclass(frozen=True)
class Gateway:
    """A gateway as its client sees it: an address, and the file with the token, read anew for every call.

    Attributes
    ----------
    url : str
        Its address.
    token_file : Path
        File with the token.
    ca_file : Path or None
        Certificates of a private authority to trust beside the computer's own.
    """

    url: str
    token_file: Path
    ca_file: Path | None = None

    @property
    def is_here(self) -> bool:
        """Whether the address is one of this computer."""
        return urllib.parse.urlsplit(self.url).hostname in _LOOPBACK

    def tls(self) -> ssl.SSLContext | None:
        """Return what certificates are checked with; ``None`` for an address without TLS."""
        if not self.url.startswith("https:"):
            return None
        import ssl

        context = ssl.create_default_context()
        if self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except FileNotFoundError:
                raise KernelsError(f"{self.ca_file} does not exist: name a PEM file with --ca-file") from None
            except OSError as error:  # OpenSSL's own are some too
                why = f"holds no certificates ({reason_of(error)}): name a PEM file with --ca-file"
                raise KernelsError(f"{self.ca_file} {why}") from None
        return context

    def headers(self) -> dict[str, str]:
        """Return the header that authenticates a request."""
        return {"Authorization": f"token {read_token(self.token_file)}"}

    def check_version(self) -> None:
        """Make sure that the gateway speaks a version of Jupyter's protocol that the bridge knows.

        Raises
        ------
        KernelsError
            If it is too old or too new; says which side to update.
        """
        answer = self.call("GET", "/api")
        version = str(answer.get("version", "")) if isinstance(answer, dict) else ""
        major = version.partition(".")[0]
        if not major.isdigit():
            raise KernelsError(f"{self.url} does not answer like a kernel gateway: check the address")
        if int(major) < 2:
            raise KernelsError(f"the gateway at {self.url} is too old (jupyter_server {version}): 2 or newer is needed")
        if int(major) > 2:
            raise KernelsError(f"the gateway at {self.url} is too new (jupyter_server {version}): update genai4eu here")

    def specs(self, timeout: float = TIMEOUT) -> dict[str, dict[str, Any]]:
        """Return the gateway's kernelspecs, ``{name: spec}``, where a spec has ``display_name`` and ``language``."""
        answer = self.call("GET", "/api/kernelspecs", timeout=timeout)
        try:
            return {name: dict(model["spec"]) for name, model in answer["kernelspecs"].items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            raise KernelsError(f"{self.url} is not a kernel gateway: check the address") from None

    def start_kernel(
        self, spec: str, kernel_id: str, env: dict[str, str], lease: float | None = None, timeout: float = 120
    ) -> dict[str, Any]:
        """Start a kernel under the given id and return the gateway's description of it.

        With a ``lease`` the gateway ends the kernel when its bridge was away for so many seconds.
        """
        body: dict[str, Any] = {"name": spec, "kernel_id": kernel_id, "env": env}
        if lease is not None:
            body["lease"] = lease
        answer: dict[str, Any] = self.call("POST", "/api/kernels", body, timeout)
        return answer

    def kernel(self, kernel_id: str, timeout: float = TIMEOUT) -> dict[str, Any]:
        """Return the gateway's description of a kernel."""
        answer: dict[str, Any] = self.call("GET", f"/api/kernels/{kernel_id}", timeout=timeout)
        return answer

    def restart(self, kernel_id: str, timeout: float = 120) -> None:
        """Restart the kernel in its place."""
        self.call("POST", f"/api/kernels/{kernel_id}/restart", {}, timeout)

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
        headers = {"Content-Type": "application/json"}
        payload = None if body is None else json.dumps(body).encode()
        try:
            with self.answer(method, path, headers, timeout, payload) as answer:
                status, content = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._down(error) from None
        return self.judge(status, content, path)

    @contextmanager
    def answer(
        self, method: str, path: str, headers: dict[str, str], timeout: float = TIMEOUT, body: bytes | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request and give its answer, to be read bit by bit. Errors are the connection's own."""
        parts = urllib.parse.urlsplit(self.url)
        context = self.tls()
        if context is None:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        else:
            connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=context)
        try:
            connection.request(method, parts.path + path, body, {**self.headers(), **headers})
            yield connection.getresponse()
        finally:
            connection.close()

    def _down(self, error: Exception) -> KernelsError:
        """Return what went wrong on the way to an answer, in one line."""
        if hasattr(error, "verify_code"):  # of the certificate; ssl is not imported where it is not needed
            return Untrusted(f"the gateway at {self.url} cannot be trusted: {_wrong_certificate(error, self.ca_file)}")
        down = GatewayDown(f"the gateway at {self.url} {self._remedy(error)}")
        down.refused = isinstance(error, ConnectionRefusedError)
        return down

    def _remedy(self, error: Exception) -> str:
        """Return why it does not answer, and what to do: the address may be of the other scheme."""
        scheme, _, rest = self.url.partition("://")
        plain = f"try http://{rest}" if self.is_here else "check its port"  # elsewhere it is not to be plain
        if getattr(error, "reason", None) in _NO_TLS:
            return f"does not speak TLS: {plain}"
        if scheme == "https" and "handshake" in str(error):  # it waits for more of what it takes for HTTP, or hangs
            return f"does not answer in TLS: if it does not speak TLS, {plain}; else start it again"
        remedy = "start it, or check the address"
        if scheme == "http" and isinstance(error, (ConnectionResetError, http.client.BadStatusLine)):
            remedy = f"it may speak TLS: try https://{rest}; else start it, or check the address"
        return f"does not answer ({reason_of(error)}): {remedy}"

    def refused_token(self) -> TokenRefused:
        """Return the error that says that the token does not count. Used for the WebSocket too."""
        return TokenRefused(
            f"the gateway at {self.url} refuses the token in {self.token_file}: "
            "it may have expired or been revoked; ask the operator for a fresh one"
        )

    def judge(self, status: int, content: bytes, path: str) -> Any:
        """Return the decoded answer, or raise what a refusal means."""
        if status == 401 or (status == 403 and not path.startswith("/api/kernels")):
            raise self.refused_token()
        if status == 404 and path.startswith("/api/kernels/"):
            raise KernelGone(f"the kernel is no longer at the gateway {self.url}: restart it")
        if status == 404 and path.startswith("/api/genai4eu/"):
            raise KernelGone(f"the gateway at {self.url} has no such file of this run (any more)")
        try:
            answer = json.loads(content) if content else None
        except ValueError:
            answer = content
        if 200 <= status < 300 and not isinstance(answer, bytes):
            return answer
        if isinstance(answer, dict) and answer.get("message"):
            said = " ".join(str(answer["message"]).split())
            kind = KernelThere if status == 409 else TokenRefused if status == 403 else KernelsError
            raise kind(f"the gateway at {self.url} says: {said}")
        raise KernelsError(f"{self.url} does not answer like a kernel gateway (HTTP {status}): check the address")


def reason_of(error: Exception) -> str:
    """Return the error's own words, without the place in Python's source that ssl adds."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return re.sub(r" ?\(_ssl\.c:\d+\)|_ssl\.c:\d+: ", "", words)


def _wrong_certificate(error: Any, ca_file: Path | None) -> str:
    """Return what is wrong with a certificate, by OpenSSL's code, and the remedy."""
    trust = "if you trust its authority, name its certificate with --ca-file FILE"
    if ca_file is not None:
        trust = f"{ca_file} does not hold its authority: ask its operator for the right file"
    known = {
        9: "its certificate is not valid yet: check the clocks",
        10: "its certificate has expired: tell its operator",
        18: f"its certificate is self-signed: {trust}",
        19: f"its certificate is signed by an authority of its own: {trust}",
        20: f"its certificate is signed by an unknown authority: {trust}",
        21: f"its certificate is signed by an unknown authority: {trust}",
        62: f"its certificate is for another host ({error.verify_message}): check the address",
        64: f"its certificate is for another host ({error.verify_message}): check the address",
    }
    return known.get(error.verify_code, f"its certificate is wrong ({error.verify_message}): tell its operator")
