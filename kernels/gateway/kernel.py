"""One kernel of a gateway, and what a client may ask for. Used by the managers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_server.services.kernels.kernelmanager import ServerKernelManager
from traitlets import default


class Assumed(str):
    """An execution state that nobody has told yet: other than the same word from the kernel, it can be corrected."""


class GatewayKernel(ServerKernelManager):  # type: ignore[misc]
    """One kernel: whose it is, what its client promised, and where its last words before an early end are kept."""

    provisioner: Any
    execution_state: Any
    genai4eu_owner = ""
    genai4eu_epoch = ""
    genai4eu_lease = 0.0
    genai4eu_heard = False  # whether anything came from it since this gateway listens
    genai4eu_met = False  # whether a client came since this gateway has it

    @default("last_activity")  # type: ignore[untyped-decorator]
    def _last_activity_default(self) -> datetime:
        """Count from the first look: a kernel is on the list a moment before anybody watches what it does."""
        return datetime.now(UTC)

    @property
    def log_file(self) -> Path:
        """What the process says before (and beside) what it sends to its clients."""
        return Path(self.connection_file).with_suffix(".log")

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        """Prepare a start; a process found by an earlier gateway is not how the next one is started."""
        if getattr(self.provisioner, "found", False):
            self.provisioner = None
        return await super()._async_pre_start_kernel(**options)

    async def _async_launch_kernel(self, command: list[str], **options: Any) -> None:
        """Start the process; it must not write where this gateway does, because it may outlive it."""
        with open(self.log_file, "ab", opener=_private) as log:  # Path.open knows no opener
            await super()._async_launch_kernel(command, **{**options, "stdout": log, "stderr": log})

    async def settle(self) -> None:
        """Ask the kernel something that it answers as soon as it is at rest; then it is idle, if it said no more."""
        channel = self.connect_shell()
        answers: asyncio.Queue[None] = asyncio.Queue()
        channel.on_recv(lambda _: answers.put_nowait(None))
        try:
            while await self.is_alive():
                self.session.send(channel, "kernel_info_request")
                while await self.is_alive() and not await _within(answers.get(), 1.0):
                    pass
                if self.genai4eu_heard:  # else its word that it is busy may have been missed: ask again
                    break
                await asyncio.sleep(0.1)
            if isinstance(self.execution_state, Assumed) or self.execution_state == "starting":
                self.execution_state = "idle"
        finally:
            channel.close()

    def cleanup_connection_file(self) -> None:
        """Remove the connection file and, with it, what the process said. Called when the kernel has ended."""
        if self._connection_file_written:
            self.log_file.unlink(missing_ok=True)
        super().cleanup_connection_file()

    def leave(self) -> None:
        """Touch nothing of the kernel any more: it goes on without this gateway."""
        self.stop_restarter()
        self._connection_file_written = False  # else it is removed with this object


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@dataclass
class Wish:
    """What a client asks for."""

    kernelspec: str
    kernel_id: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    lease: float = 0.0
    batch: bool = False
    address: str = ""
    ignored: list[str] = field(default_factory=list)  # names of variables that it may not set


async def _within(work: Coroutine[Any, Any, None], seconds: float) -> bool:
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return False
    return True
