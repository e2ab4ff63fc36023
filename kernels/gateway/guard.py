"""Stands before every handler: no token, no answer; no kernel but one's own; never a cookie; errors as plain JSON."""

from __future__ import annotations

import json
import math
from http.client import responses
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from . import channels
from .managers import GatewayKernels
from .quotas import Refused
from .throttle import Throttle
from .users import User


class Guard:
    """Mixed into each of jupyter_server's handlers."""

    @property
    def user(self) -> User:
        """The user who asks, with their quotas."""
        users = self.identity_provider.users.all()  # type: ignore[attr-defined]
        user: User = users[self.current_user.username]  # type: ignore[attr-defined]
        return user

    @property
    def kernels(self) -> GatewayKernels:
        """The kernels of all users."""
        kernels: GatewayKernels = self.settings["kernel_manager"]  # type: ignore[attr-defined]
        return kernels

    @property
    def address(self) -> str:
        """Where the request came from."""
        return str(self.request.remote_ip)  # type: ignore[attr-defined]

    def whose(self, kernel_id: str) -> str | None:
        """Return the name of a kernel's owner."""
        return self.kernels.owner(kernel_id)

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Turn away whoever has no token, or means another user's kernel, before anything that jupyter_server does."""
        principal = self.identity_provider.get_user(self)  # type: ignore[attr-defined]
        if principal is None:
            raise self._unknown()
        kernel_id = self.path_kwargs.get("kernel_id")  # type: ignore[attr-defined]
        left = channels.keeps(kernel_id, principal.username)  # last words for a bridge that was away
        if kernel_id is not None and self.whose(kernel_id) != principal.username and not left:
            raise web.HTTPError(404, "there is no kernel %s of yours: it has ended, or it never was", kernel_id)
        await super().prepare(*args, **kwargs)  # type: ignore[misc]

    def _unknown(self) -> web.HTTPError:
        """Return the refusal of a request without a token that is known."""
        throttle: Throttle = self.settings["throttle"]  # type: ignore[attr-defined]
        wait = throttle.failed(self.address)
        self.kernels.meters.refusals.labels("token").inc()
        if wait:  # not a line more in the log, which is what a flood would want
            return Refused(429, "token", "too many requests without a valid token: wait", math.ceil(wait))
        sent = "a wrong or ended token" if "Authorization" in self.request.headers else "no token"  # type: ignore[attr-defined]
        self.kernels.audit.write("token refused", address=self.address, reason=sent)
        self.set_header("WWW-Authenticate", "token")  # type: ignore[attr-defined]
        if self.identity_provider.sent(self):  # type: ignore[attr-defined]
            ended = "this token is unknown, expired or revoked: ask the gateway's operator for a fresh one"
            return web.HTTPError(401, ended)
        return web.HTTPError(401, "send the gateway's token in the Authorization header")

    def check_host(self) -> bool:
        """Refuse a request that was meant for another address. Called by jupyter_server."""
        if not super().check_host():  # type: ignore[misc]
            host = ascii(self.request.host[:60])  # type: ignore[attr-defined]
            remedy = "use 127.0.0.1, or start it with --behind-proxy"
            raise web.HTTPError(403, "the address %s is not one of this gateway's: %s", host, remedy)
        return True

    def body(self) -> dict[str, Any]:
        """Return the JSON object that was sent, or an empty one.

        Raises
        ------
        HTTPError
            400 if it is something else.
        """
        raw: bytes = self.request.body.strip()  # type: ignore[attr-defined]
        try:
            sent = json.loads(raw) if raw else {}
        except (ValueError, RecursionError):  # a thousand brackets are no object either
            raise web.HTTPError(400, "the body is not JSON: send an object") from None
        if not isinstance(sent, dict):
            raise web.HTTPError(400, "the body must be a JSON object")
        return sent

    def answer(self, content: Any, status: int = 200) -> None:
        """Send JSON."""
        self.set_status(status)  # type: ignore[attr-defined]
        self.set_header("Content-Type", "application/json")  # type: ignore[attr-defined]
        self.finish(json.dumps(content))  # type: ignore[attr-defined]

    def set_default_headers(self) -> None:
        """Do not tell the server's version."""
        super().set_default_headers()  # type: ignore[misc]
        self.set_header("Server", "genai4eu")  # type: ignore[attr-defined]

    def set_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Set no cookie, whoever asks for one (an error page's XSRF token would)."""

    def set_cors_headers(self) -> None:
        """Allow no other site's page to read answers: the gateway's clients are programs."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with JSON that names the error in one line, without a traceback."""
        exception = (kwargs.get("exc_info") or (None, None, None))[1]
        template = getattr(exception, "log_message", None) or responses.get(status_code, "error")
        arguments = getattr(exception, "args", ())
        message = template % arguments if arguments and isinstance(exception, web.HTTPError) else template
        if status_code == 405:
            message = f"there is no {self.request.method[:20]} for {self.request.path[:100]}"  # type: ignore[attr-defined]
        if getattr(exception, "retry", 0):
            self.set_header("Retry-After", str(exception.retry))  # type: ignore[attr-defined, union-attr]
        self.set_header("Content-Type", "application/json")  # type: ignore[attr-defined]
        self.finish(json.dumps({"reason": responses.get(status_code, ""), "message": message}))  # type: ignore[attr-defined]

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log what is our fault; a refusal has its line already, in which no token can stand."""
        if not isinstance(error, web.HTTPError) or error.status_code == 500:
            super().log_exception(kind, error, trace)  # type: ignore[misc]


class NotFound(Guard, APIHandler):  # type: ignore[misc]
    """Everything that the gateway does not have."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Say 404 to everybody, token or not."""
        raise web.HTTPError(404, "a kernel gateway has kernels, kernelspecs and sessions only")
