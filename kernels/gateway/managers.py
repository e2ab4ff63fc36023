"""Which kernels the gateway starts, where, and with which variables. Used by the app."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado import web
from traitlets import default

from .channels import say_dead

#: The variables that a client may set, by exact name. The notebook's path tells a kernel whose scratch folder is whose.
ALLOWED_ENV = frozenset({"JPY_SESSION_NAME"})


class LocalKernelSpecManager(KernelSpecManager):  # type: ignore[misc]
    """Offers the kernelspecs of this computer, but no bridge to a gateway: it could lead back here."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the folders of the kernelspecs by name."""
        found = super().find_kernel_specs()
        return {name: folder for name, folder in found.items() if not self._is_bridge(name)}

    def _is_bridge(self, name: str) -> bool:
        try:
            ours = super().get_kernel_spec(name).metadata.get("genai4eu")
        except (LookupError, ValueError, OSError):  # a broken kernelspec is no kernelspec
            return True
        return isinstance(ours, dict) and "gateway" in ours


class GatewayKernels(AsyncMappingKernelManager):  # type: ignore[misc]
    """Starts kernels in the gateway's own folder; what a client asks for beyond a kernelspec is checked here."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._turns: dict[str, asyncio.Lock] = {}

    @default("context")  # type: ignore[untyped-decorator]
    def _context_default(self) -> zmq.asyncio.Context:
        """Take output as fast as it comes: a kernel drops what has to wait behind a thousand messages."""
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.RCVHWM, 0)
        return context

    async def start_kernel(self, **wish: Any) -> str:
        """Start a kernel. Called for ``/api/kernels`` and ``/api/sessions``."""
        environment = {**os.environ, **self._allowed(wish.get("env"))}
        started: str = await super().start_kernel(
            kernel_name=wish.get("kernel_name"), kernel_id=wish.get("kernel_id"), path="", env=environment
        )
        return started

    @staticmethod
    def _allowed(env: object) -> dict[str, str]:
        """Return what the client may set. It goes to this one kernel, never into the gateway's own environment."""
        if env is None:
            return {}
        if not isinstance(env, dict):
            raise web.HTTPError(400, "env must be an object of names and values")
        asked = {name: value for name, value in env.items() if name in ALLOWED_ENV}
        if not all(isinstance(value, str) and len(value) < 4096 and "\0" not in value for value in asked.values()):
            raise web.HTTPError(400, "the values of env must be short strings")
        return asked

    def _turn(self, kernel_id: str) -> asyncio.Lock:
        """Return the lock of a kernel: a bridge and its watcher may ask for its end at once, or while it restarts."""
        lock: asyncio.Lock = self._turns.setdefault(kernel_id, asyncio.Lock())
        return lock

    async def _async_shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        """End a kernel and tell its clients. Called on DELETE, and for every kernel when the gateway ends."""
        async with self._turn(kernel_id):
            if kernel_id not in self:
                raise web.HTTPError(404, f"there is no kernel {kernel_id}: it has ended")
            await super()._async_shutdown_kernel(kernel_id, now=now, restart=restart)
        if not restart:
            self._turns.pop(kernel_id, None)
            say_dead(kernel_id)

    shutdown_kernel = _async_shutdown_kernel

    async def _async_restart_kernel(self, kernel_id: str, now: bool = False) -> None:
        """Restart a kernel. Called for ``/api/kernels/ID/restart``."""
        async with self._turn(kernel_id):
            await super()._async_restart_kernel(kernel_id, now=now)

    restart_kernel = _async_restart_kernel
