"""Takes over the living kernels of an earlier gateway. Called by the app before it answers anybody."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from jupyter_client.provisioning import LocalProvisioner

from .kernel import Assumed, GatewayKernel
from .managers import GatewayKernels
from .processes import Found
from .records import Record


class FoundProcess(LocalProvisioner):  # type: ignore[misc]
    """A kernel's process that an earlier gateway started, by whatever means; never starts one itself."""

    found = True
    held: Found

    @property
    def has_process(self) -> bool:
        """Whether there is one still."""
        return self.process is not None

    async def poll(self) -> int | None:
        """Return ``None`` while it lives. How it ended, only its parent was told."""
        return None if self.held.alive() else 1

    async def wait(self) -> int | None:
        """Wait for its end."""
        while self.held.alive():
            await asyncio.sleep(0.05)
        self.process = None
        self.held.close()
        return 1

    async def send_signal(self, signum: int) -> None:
        """Send a signal to it and its group."""
        self.held.signal(signum, group=True)

    async def kill(self, restart: bool = False) -> None:
        """Kill it."""
        self.held.signal(signal.SIGKILL, group=True)

    async def terminate(self, restart: bool = False) -> None:
        """Ask it to end."""
        self.held.signal(signal.SIGTERM, group=True)

    async def cleanup(self, restart: bool = False) -> None:
        """Give back nothing: the ports were another gateway's."""


async def attach_all(kernels: GatewayKernels) -> None:
    """Take over every kernel that lives, and write down which do not.

    Waits a little for those at rest to say so; one in the middle of a cell is busy until it answers.
    """
    answers = [await _attach(kernels, record) for record in kernels.records.stored()]
    waiting = [answer for answer in answers if answer]
    if waiting:
        await asyncio.wait(waiting, timeout=2.0)


async def _attach(kernels: GatewayKernels, record: Record) -> asyncio.Task[None] | None:
    about = {"kernel": record.kernel_id, "kernelspec": record.kernelspec, "owner": record.owner}
    held = Found.find(record.pid, record.born)
    try:
        kernel = _kernel(kernels, record, held) if held else None
    except (OSError, ValueError, LookupError) as error:  # its connection file or kernelspec is gone: of no use any more
        kernel = None
        about["why"] = type(error).__name__
    if kernel is None or held is None:
        if held:
            await asyncio.to_thread(held.end)
        kernels.records.drop(record.kernel_id)
        for suffix in ("json", "log"):
            (kernels.connection_folder / f"kernel-{record.kernel_id}.{suffix}").unlink(missing_ok=True)
        kernels.audit.write("kernel end", reason="lost while no gateway ran", **about)
        return None
    await kernels.adopt(record, kernel)
    kernels.audit.write("kernel attach", **about)
    kernel.execution_state = Assumed("busy")
    return asyncio.create_task(kernel.settle())


def _kernel(kernels: GatewayKernels, record: Record, held: Found) -> GatewayKernel:
    """Return the object of a kernel that somebody else started."""
    if record.kernelspec not in kernels.kernel_spec_manager.find_kernel_specs():
        raise LookupError(record.kernelspec)
    path = str(kernels.connection_folder / os.path.basename(record.connection_file))  # noqa: PTH119  # only a name
    options: dict[str, Any] = {"kernel_spec_manager": kernels.kernel_spec_manager, "connection_file": path}
    kernel: GatewayKernel = kernels.kernel_manager_factory(
        parent=kernels, log=kernels.log, kernel_name=record.kernelspec, cache_ports=False, **options
    )
    kernel.load_connection_file()
    kernel.provisioner = FoundProcess(kernel_id=record.kernel_id, kernel_spec=kernel.kernel_spec, parent=kernel)
    kernel.provisioner.held, kernel.provisioner.process, kernel.provisioner.pid = held, held, record.pid
    kernel.kernel_id = record.kernel_id
    kernel._attempted_start = kernel._connection_file_written = True
    kernel._launch_args = {**kernels.launch_options(record), "kernel_id": record.kernel_id}
    kernel.ready.set_result(None)
    return kernel
