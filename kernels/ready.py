"""Wait for a kernel without polling: the stock client looks for heartbeats and sits out 0.2 s of silence."""

from __future__ import annotations

import time
from queue import Empty
from typing import Any

from jupyter_client import AsyncKernelClient, BlockingKernelClient
from jupyter_client.utils import ensure_async, run_sync

#: Seconds for the echo of a question on iopub, which is lost until that is connected; then it is asked again.
_ECHO = 0.05


async def wait_ready(client: Any, timeout: float = 60) -> dict[str, Any]:
    """Return the reply to ``kernel_info`` as soon as shell and iopub of a kernel both answer.

    Leaves nothing of its own questions on the channels. Called by whoever starts a kernel, in place of
    ``wait_for_ready``; for any client of jupyter_client whose channels are started.

    Raises
    ------
    RuntimeError
        If the kernel dies or does not answer in time; the words are jupyter_client's.
    """
    deadline = time.monotonic() + timeout
    while True:
        question = client.kernel_info()
        reply = await _reply(client, question, deadline, timeout)
        if await _echo(client, question):
            client._handle_kernel_info_reply(reply)
            return reply


async def _reply(client: Any, question: str, deadline: float, timeout: float) -> dict[str, Any]:
    """Return the reply on shell. There a question waits for the kernel, so that it is asked once."""
    while time.monotonic() < deadline:
        message = await _next(client.shell_channel, min(1.0, deadline - time.monotonic()))
        if message and message["parent_header"].get("msg_id") == question:
            return message
        if message is None and not await ensure_async(client.is_alive()):
            raise RuntimeError("Kernel died before replying to kernel_info")
    raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")


async def _echo(client: Any, question: str) -> bool:
    """Tell whether iopub said that the kernel is idle after the question; it says so last."""
    while message := await _next(client.iopub_channel, _ECHO):
        about = message["parent_header"].get("msg_id")
        if about == question and message["content"].get("execution_state") == "idle":
            return True
    return False


async def _next(channel: Any, timeout: float) -> dict[str, Any] | None:
    try:
        message: dict[str, Any] = await ensure_async(channel.get_msg(timeout=max(0.001, timeout)))
    except Empty:
        return None
    return message


class ReadyClient(AsyncKernelClient):  # type: ignore[misc]
    """An asynchronous client that is ready when its kernel is."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait as ``wait_ready`` does. Called by nbclient, servers and users."""
        await wait_ready(self, 60 if timeout is None else timeout)


class BlockingReadyClient(BlockingKernelClient):  # type: ignore[misc]
    """A blocking client that is ready when its kernel is."""

    def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait as ``wait_ready`` does."""
        run_sync(wait_ready)(self, 60 if timeout is None else timeout)
