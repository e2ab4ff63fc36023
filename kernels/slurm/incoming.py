"""The kernel inside the job, as the agent holds it: start, restart, interrupt, end, and its messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from ..bridge.wire import BadMessage, Signer
from ..files import write_json

CHANNELS = ("shell", "control", "stdin", "iopub")
Receiver = Callable[[str, list[bytes]], Awaitable[None]]


def own_spec(folder: Path, warm: bool) -> KernelSpecManager:
    """Return a manager that knows the kernelspec ``genai4eu`` of this interpreter, kept in ``folder``.

    The user's own folder is no place for it: login node and container share that, with other interpreters.
    """
    spec: dict[str, Any] = {
        "argv": [sys.executable, "-P", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "GenAI4EU (Slurm)",
        "language": "python",
    }
    if warm:
        spec["metadata"] = {"kernel_provisioner": {"provisioner_name": "genai4eu-warm"}}
    (folder / "genai4eu").mkdir()
    write_json(folder / "genai4eu" / "kernel.json", spec)
    return KernelSpecManager(kernel_dirs=[str(folder)])


class JobKernel:
    """One kernel on this node, reached over sockets of files in ``folder``, which is this user's alone."""

    def __init__(self, name: str, folder: Path, env: dict[str, str], warm: bool) -> None:
        self._context = zmq.asyncio.Context()
        self._context.setsockopt(zmq.RCVHWM, 0)  # a kernel drops what has to wait
        self._context.setsockopt(zmq.SNDHWM, 0)
        self._context.setsockopt(zmq.RECONNECT_IVL, 20)
        self._context.setsockopt(zmq.LINGER, 500)
        self._env = env
        self._manager = AsyncKernelManager(
            kernel_name=name,
            context=self._context,
            transport="ipc",
            ip=str(folder / "k"),
            connection_file=str(folder / "connection.json"),
            transport_encryption="disabled",  # nothing leaves this node
        )
        if name == "genai4eu":
            self._manager.kernel_spec_manager = own_spec(folder, warm)
        self._manager.shutdown_wait_time = 3.0
        self._sockets: dict[str, zmq.asyncio.Socket] = {}
        self._signer = Signer("", "hmac-sha256")

    async def start(self) -> None:
        """Start the kernel and wait until it answers and its output is heard."""
        await self._manager.start_kernel(env=self._env)
        await self._connect()

    async def restart(self) -> None:
        """Replace the kernel with a fresh one."""
        self._disconnect()
        await self._manager.restart_kernel(now=True)
        await self._connect()

    async def _connect(self) -> None:
        self._signer = Signer(self._manager.session.key.decode(), self._manager.session.signature_scheme)
        identity = os.urandom(16)  # one for all: a kernel sends questions to whoever sent the cell
        for channel in CHANNELS:
            connect = getattr(self._manager, f"connect_{channel}")
            self._sockets[channel] = connect() if channel == "iopub" else connect(identity=identity)
        signs = [asyncio.ensure_future(sign) for sign in (self._first_answer(), self._first_output())]
        try:
            while not all(sign.done() for sign in signs):
                await self._ask_who()  # again: a kernel may answer before its output is heard
                await asyncio.wait(signs, timeout=0.5, return_when=asyncio.ALL_COMPLETED)
            for sign in signs:
                sign.result()
        finally:
            for sign in signs:
                sign.cancel()

    async def _ask_who(self) -> None:
        header = {"msg_id": os.urandom(16).hex(), "msg_type": "kernel_info_request", "session": "agent",
                  "username": "", "version": "5.3", "date": "2020-01-01T00:00:00Z"}  # fmt: skip
        await self.send("shell", [json.dumps(part).encode() for part in (header, {}, {}, {})])

    async def _first_answer(self) -> None:
        await self._sockets["shell"].recv_multipart()

    async def _first_output(self) -> None:
        """Return when the subscription stands; what a kernel says before that is lost. Any message will do."""
        await self._sockets["iopub"].recv_multipart()

    def _disconnect(self) -> None:
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._sockets.clear()

    async def send(self, channel: str, parts: list[bytes]) -> None:
        """Hand the kernel a message."""
        if channel in self._sockets:
            await self._sockets[channel].send_multipart(self._signer.close([], parts))

    async def listen(self, channel: str, receiver: Receiver) -> None:
        """Hand on what the kernel says, until the sockets are closed."""
        socket = self._sockets[channel]
        with contextlib.suppress(zmq.ZMQError, asyncio.CancelledError):
            async for parts in self._messages(socket):
                await receiver(channel, parts)

    async def _messages(self, socket: zmq.asyncio.Socket) -> AsyncIterator[list[bytes]]:
        while True:
            try:
                yield self._signer.open(await socket.recv_multipart())[1]
            except BadMessage as error:
                print(f"genai4eu: dropped {error}", file=sys.stderr)

    async def status(self) -> int | None:
        """Return the kernel's exit status, or ``None`` while it runs or is about to."""
        provisioner = self._manager.provisioner
        if provisioner is None or not provisioner.has_process:
            return None
        status: int | None = await provisioner.poll()
        return status

    async def interrupt(self) -> None:
        """Interrupt the kernel, in the way its kernelspec names."""
        await self._manager.interrupt_kernel()

    async def end(self) -> None:
        """End the kernel: asked first, then killed."""
        self._disconnect()
        if self._manager.has_kernel:
            await self._manager.shutdown_kernel(now=False)
        self._context.destroy(linger=0)
