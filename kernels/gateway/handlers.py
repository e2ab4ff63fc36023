"""What the gateway answers to: kernels, kernelspecs and sessions. Everything else is 404. Used by the app.

The handlers are jupyter_server's, each behind one guard: no token, no answer; never a cookie; errors as plain JSON.
"""

from __future__ import annotations

import json
import uuid
from http.client import responses
from typing import Any

from jupyter_server.base.handlers import APIHandler, APIVersionHandler
from jupyter_server.services.kernels.handlers import MainKernelHandler
from tornado import web

from .channels import Channels


class Guard:
    """Stands before every handler."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Turn away whoever has no token; this comes before anything that jupyter_server does."""
        if self.identity_provider.get_user(self) is None:  # type: ignore[attr-defined]
            self.set_header("WWW-Authenticate", "token")  # type: ignore[attr-defined]
            raise web.HTTPError(401, "send the gateway's token in the Authorization header")
        await super().prepare(*args, **kwargs)  # type: ignore[misc]

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
        self.set_header("Content-Type", "application/json")  # type: ignore[attr-defined]
        self.finish(json.dumps({"reason": responses.get(status_code, ""), "message": message}))  # type: ignore[attr-defined]

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        """Log what is our fault; a refusal has its line already, in which no token can stand."""
        if not isinstance(error, web.HTTPError) or error.status_code >= 500:
            super().log_exception(kind, error, trace)  # type: ignore[misc]


class Kernels(MainKernelHandler):  # type: ignore[misc]
    """``/api/kernels``: the list, and the start of a kernel with variables of its own."""

    @web.authenticated
    async def post(self) -> None:
        """Start a kernel: ``{"name": kernelspec, "env": {…}, "kernel_id": uuid}``, all optional."""
        wish = self.get_json_body() or {}
        if not isinstance(wish, dict):
            raise web.HTTPError(400, "send an object with name, env and kernel_id")
        name = str(wish.get("name") or self.kernel_manager.default_kernel_name)
        if name not in self.kernel_spec_manager.find_kernel_specs():
            raise web.HTTPError(404, "this gateway has no kernelspec %r", name)
        kernel_id = await self.kernel_manager.start_kernel(
            kernel_name=name, kernel_id=self._new_id(wish.get("kernel_id")), env=wish.get("env")
        )
        self.set_header("Location", f"{self.base_url}api/kernels/{kernel_id}")
        self.set_status(201)
        self.finish(json.dumps(self.kernel_manager.kernel_model(kernel_id)))

    def _new_id(self, wanted: object) -> str:
        """Return the id that the client chose, so that it can end a kernel whose start it did not live to see."""
        if wanted is None:
            return str(uuid.uuid4())
        try:
            kernel_id = str(uuid.UUID(str(wanted)))
        except ValueError:
            raise web.HTTPError(400, "kernel_id must be a UUID") from None
        if kernel_id in self.kernel_manager:
            raise web.HTTPError(409, "there is a kernel with this id already")
        return kernel_id


class NotFound(Guard, APIHandler):  # type: ignore[misc]
    """Everything that the gateway does not have."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Say 404 to everybody, token or not."""
        raise web.HTTPError(404, "a kernel gateway has kernels, kernelspecs and sessions only")


OURS = {"MainKernelHandler": Kernels, "KernelWebsocketHandler": Channels}
#: Would tell which files there are on this computer.
LEFT_OUT = {"PathResolverHandler"}


def guarded(handlers: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return jupyter_server's handlers, or ours in their place, each behind the guard. Called by the app."""
    rules: list[tuple[Any, ...]] = []
    for pattern, handler, *options in [*handlers, (r"/api/?", APIVersionHandler)]:
        if handler.__name__ not in LEFT_OUT:
            kind = OURS.get(handler.__name__, handler)
            rules.append((pattern, type(kind.__name__, (Guard, kind), {}), *options))
    return [*rules, (r"(.*)", NotFound)]
