"""``/api/kernels``: the list, start, interrupt, restart and end of one's own kernels; and the table of all handlers."""

from __future__ import annotations

import re
import uuid
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from .about import Health, Me, Metrics, Spec, SpecFile, Specs, Status, Version
from .channels import Channels
from .environment import allowed, ignored
from .files import RunFile, RunListing
from .guard import Guard, NotFound
from .kernel import Wish
from .sessions import Session, Sessions
from .users import digest

#: A client may be away for two minutes, or for as long as it says, at most a week.
LEASE, LONGEST_LEASE = 120.0, 7 * 86400.0


class Kernels(Guard, APIHandler):  # type: ignore[misc]
    """``/api/kernels``."""

    async def get(self) -> None:
        """List the user's kernels."""
        mine = [record.kernel_id for record in self.kernels.records.of(self.user.name)]
        self.answer([self.kernels.kernel_model(i) for i in mine if i in self.kernels])

    async def post(self) -> None:
        """Start a kernel: ``{"name", "kernel_id", "env", "lease", "batch"}``, all optional.

        The answer names in ``ignored_env`` what of ``env`` the kernel does not get.
        """
        sent = self.body()
        lease = _lease(sent.get("lease"))
        wish = Wish(
            kernelspec=str(sent.get("name") or self.kernels.default_kernel_name),
            kernel_id=_kernel_id(sent.get("kernel_id")),
            env=allowed(sent.get("env")),
            ignored=ignored(sent.get("env")),
            lease=lease,
            batch=bool(sent.get("batch", lease > LEASE)),
            address=self.address,
        )
        kernel_id = await self.kernels.start(self.user, wish)
        if kernel_id not in self.kernels:
            raise web.HTTPError(410, "the kernel ended as soon as it had started")
        self.set_header("Location", f"{self.base_url}api/kernels/{kernel_id}")
        about = {"ignored_env": wish.ignored} if wish.ignored else {}
        self.answer({**self.kernels.kernel_model(kernel_id), **about}, 201)


def _kernel_id(wanted: object) -> str | None:
    """Return the id that the client chose, so that it can end a kernel whose start it did not live to see."""
    try:
        return None if wanted is None else str(uuid.UUID(str(wanted)))
    except ValueError:
        raise web.HTTPError(400, "kernel_id must be a UUID") from None


def _lease(wanted: object) -> float:
    """Return the lease; 0 where the client says none, as stock clients do."""
    if wanted is None:
        return 0.0
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not 1 <= wanted <= LONGEST_LEASE:
        raise web.HTTPError(400, "lease must be a number of seconds, from 1 to 604800")
    return float(wanted)


class Kernel(Guard, APIHandler):  # type: ignore[misc]
    """``/api/kernels/ID``."""

    async def get(self, kernel_id: str) -> None:
        """Say what there is to say of a kernel."""
        self.answer(self.kernels.kernel_model(kernel_id))

    async def delete(self, kernel_id: str) -> None:
        """End a kernel."""
        await self.kernels.end(kernel_id, "deleted", self.user.name, self.address)
        self.set_status(204)


class Action(Guard, APIHandler):  # type: ignore[misc]
    """``/api/kernels/ID/interrupt|restart``."""

    async def post(self, kernel_id: str, action: str) -> None:
        """Interrupt or restart a kernel."""
        about = {"user": self.user.name, "address": self.address, "kernel": kernel_id}
        self.kernels.audit.write(f"kernel {action}", **about)
        if not self.kernels.get_kernel(kernel_id).ready.done():
            raise web.HTTPError(409, "the kernel is not there yet, or about to end: ask again")
        if action == "interrupt":
            await self.kernels.interrupt_kernel(kernel_id)
            self.set_status(204)
        else:
            await self.kernels.restart_kernel(kernel_id)
            self.answer(self.kernels.kernel_model(kernel_id))


class Socket(Guard, Channels):
    """``/api/kernels/ID/channels``."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Turn away what cannot be the name of a session: it becomes an address inside the gateway."""
        await super().prepare(*args, **kwargs)
        if not re.fullmatch(r"[\w.:-]{0,128}", self.get_query_argument("session_id", ""), re.ASCII):
            raise web.HTTPError(400, "session_id must be up to 128 letters, digits, ., :, _ and -")

    async def open(self, kernel_id: str) -> None:
        """Take note of a client."""
        token = self.identity_provider.sent(self) or ""  # not the user's digest: it may be a fresh one by now
        self.kernels.opened[self] = (self.user.name, digest(token))
        self.kernels.audit.write("connect", user=self.user.name, address=self.address, kernel=kernel_id)
        if kernel_id in self.kernels:
            self.kernels.get_kernel(kernel_id).genai4eu_met = True
        await super().open(kernel_id)

    def on_close(self) -> None:
        """Take note of its end."""
        self.kernels.opened.pop(self, None)
        super().on_close()


_KERNEL = r"/api/kernels/(?P<kernel_id>[0-9a-f-]{36})"
_OURS = _KERNEL.replace("/api/", "/api/genai4eu/")
_NAME = r"(?P<kernel_name>[\w.-]+)"


def table() -> list[tuple[Any, ...]]:
    """Return address patterns and their handlers, each behind the guard. Called by the app."""
    ours = {
        r"/api/kernels": Kernels, _KERNEL: Kernel, _KERNEL + "/channels": Socket,
        _KERNEL + r"/(?P<action>interrupt|restart)": Action,
        _OURS + r"/files/(?P<run>[^/]+)": RunListing, _OURS + r"/files/(?P<run>[^/]+)/(?P<path>.+)": RunFile,
        r"/api/sessions": Sessions, r"/api/sessions/(?P<session_id>[0-9a-f-]{36})": Session,
        r"/api/kernelspecs": Specs, rf"/api/kernelspecs/{_NAME}": Spec,
        rf"/kernelspecs/{_NAME}/(?P<path>[\w.-]+)": SpecFile,
        r"/api/?": Version, r"/api/me": Me, r"/api/status": Status,
        r"/health": Health, r"/metrics": Metrics, r"(.*)": NotFound,
    }  # fmt: skip
    return list(ours.items())
