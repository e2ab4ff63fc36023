"""The kernel of a run: how its process is started and reached. Called by the engine."""

from __future__ import annotations

import uuid
from pathlib import Path

import zmq
import zmq.asyncio
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from traitlets import Type, default

from genai4eu.kernels import local
from genai4eu.kernels.ready import ReadyClient


class RunKernelManager(AsyncKernelManager):  # type: ignore[misc]
    """Starts the kernel of a run. Nothing that it says is lost on its way here, and what can be is encrypted.

    Over ipc a kernel's publisher drops what a reader has not taken at once: 3,000 of 20,000 displays were lost so.
    """

    client_factory = Type(ReadyClient)

    @default("context")  # type: ignore[untyped-decorator]
    def _context_default(self) -> zmq.asyncio.Context:
        self._created_context = True  # so that the manager ends it
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.RCVHWM, 0)  # a kernel drops what has to wait behind a thousand messages
        return context

    async def _async_finish_shutdown(
        self, waittime: float | None = None, pollinterval: float = 0.01, restart: bool = False
    ) -> None:
        """Wait for the kernel's end, and look often: the stock manager sleeps a tenth of a second first, every run."""
        await super()._async_finish_shutdown(waittime, pollinterval, restart)

    finish_shutdown = _async_finish_shutdown


def kernel_manager(kernel_name: str) -> RunKernelManager:
    """Return a manager for one kernel, with a connection file of its own."""
    folder = Path(jupyter_runtime_dir())
    folder.mkdir(parents=True, exist_ok=True)
    connection_file = str(folder / f"kernel-{uuid.uuid4()}.json")
    return RunKernelManager(
        kernel_name=kernel_name,
        connection_file=connection_file,
        kernel_spec_manager=local.specs(),
        transport_encryption="auto",
    )
