"""The notebook client of the engine: runs cells, reads our messages, asks the kernel's side. Called by the engine."""

from __future__ import annotations

import ast
import asyncio
import math
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_core.utils import run_sync
from papermill.clientwrap import PapermillNotebookClient
from traitlets import Type, default

from genai4eu.kernels.ready import ReadyClient

from ..errors import WorkbenchError
from . import kernel_side
from .context import METRIC_MIME, PROGRESS_MIME
from .journal import Journal
from .status import KERNEL_REFUSED, status_of

_MODULE = "_genai4eu_run"


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


def kernel_manager(kernel_name: str) -> RunKernelManager:
    """Return a manager for one kernel, with a connection file of its own."""
    folder = Path(jupyter_runtime_dir())
    folder.mkdir(parents=True, exist_ok=True)
    connection_file = str(folder / f"kernel-{uuid.uuid4()}.json")
    return RunKernelManager(kernel_name=kernel_name, connection_file=connection_file, transport_encryption="auto")


class RunClient(PapermillNotebookClient):  # type: ignore[misc]
    """A papermill client that marks each cell with what happened to it."""

    nb_man: Journal

    def papermill_execute_cells(self) -> None:
        """Execute the cells in order; stop at the first that does not complete, and say how it ended."""
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except BaseException as error:
                self.nb_man.cell_ended(self.nb.cells[index], status_of(error))
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)

    def process_message(self, message: dict[str, Any], cell: Any, index: int) -> Any:
        """Tell the listener about progress and metrics; keep progress out of the stored notebook."""
        if message["msg_type"] in ("display_data", "update_display_data"):
            data = message["content"]["data"]
            if PROGRESS_MIME in data:
                self.nb_man.tell("progress", data[PROGRESS_MIME])
                return None
            if METRIC_MIME in data:
                self.nb_man.tell("metric", data[METRIC_MIME])
        elif message["msg_type"] == "stream":
            self.nb_man.tell("stream", message["content"])
        return super().process_message(message, cell, index)

    def ask(self, function: str, *arguments: object, patience: float = math.inf) -> str:
        """Call a function of ``kernel_side`` in the kernel and return its answer, within ``patience`` seconds.

        Raises
        ------
        WorkbenchError
            If the function raised.
        DeadKernelError
            If the kernel is gone.
        TimeoutError
            If the kernel is busy for longer than ``patience``.
        """
        call = f"__import__({_MODULE!r}).{function}({', '.join(map(repr, arguments))})"
        return self._evaluate(call, patience)

    def prepare(self) -> None:
        """Send the module ``kernel_side`` to the kernel, out of the user's namespace."""
        source = Path(kernel_side.__file__).read_text(encoding="utf-8")
        create = (
            f"(lambda m: (__import__('sys').modules.__setitem__({_MODULE!r}, m), exec({source!r}, m.__dict__), '')[2])"
            f"(__import__('types').ModuleType({_MODULE!r}))"
        )
        self._evaluate(create, math.inf)

    def _evaluate(self, expression: str, patience: float) -> str:
        """Let the kernel evaluate an expression to a string, silently."""
        content: dict[str, Any] = {"status": "aborted"}
        while content["status"] == "aborted":  # a kernel drops what it finds queued after an interrupt
            request = self.kc.execute("", silent=True, store_history=False, user_expressions={"answer": expression})
            content = run_sync(self._reply)(request, patience)["content"]
        answer = content.get("user_expressions", {}).get("answer") or content
        if answer.get("ename") == KERNEL_REFUSED:
            raise WorkbenchError(str(answer.get("evalue")))
        if answer["status"] != "ok":
            raise WorkbenchError(f"the kernel cannot keep a run: {answer.get('ename')}: {answer.get('evalue')}")
        return str(ast.literal_eval(answer["data"]["text/plain"]))

    async def _reply(self, request: str, patience: float) -> dict[str, Any]:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                message: dict[str, Any] = await self.kc.shell_channel.get_msg(timeout=1)
            except Empty:
                await self._async_check_alive()
                continue
            if message["parent_header"].get("msg_id") == request:
                return message
        raise TimeoutError("the kernel is busy")

    def interrupt(self) -> None:
        """Interrupt the running cell, and forget what waits for it."""
        run_sync(_forget)()
        run_sync(self.km.interrupt_kernel)()

    def alive(self) -> bool:
        """Tell whether the kernel's process still runs."""
        return self.km is not None and bool(run_sync(self.km.is_alive)())


async def _forget() -> None:
    """Cancel what still waits on this thread's loop: left over, it would swallow replies and complain at the end."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
