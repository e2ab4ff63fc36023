"""The half of the notebook client that asks the kernel's side, and knows why it does not answer. Used by ``client``."""

from __future__ import annotations

import ast
import asyncio
import math
import time
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient

from genai4eu.kernels.targets import Target
from genai4eu.kernels.warm.process import WarmProcess

from ..errors import WorkbenchError
from . import kernel_side
from .death import Watch
from .endings import KERNEL_DIED, KERNEL_REFUSED, KernelEnded
from .reach import Reach

_MODULE = "_genai4eu_run"
#: Messages that may wait here once the kernel waits for its reader; before, all must, because it would drop them.
_WAITING = 64
#: Who sends what a bridge itself says.
_STAND_IN = "genai4eu"


class AskingClient(PapermillNotebookClient):  # type: ignore[misc]
    """A papermill client whose kernel has the module ``kernel_side``."""

    _watch: Watch | None = None
    _reach: Reach | None = None
    _said = ""

    @property
    def remote(self) -> bool:
        """Whether the kernel's process here only stands for a kernel elsewhere."""
        about = self.km.kernel_spec.metadata.get("genai4eu", {}) if self.km is not None and self.km.kernel_spec else {}
        return bool(about.keys() & {"gateway", "slurm"})

    @property
    def warm(self) -> bool:
        """Whether the kernel was forked from a template."""
        return isinstance(getattr(self.km.provisioner, "process", None), WarmProcess)

    def watch(self) -> None:
        """Remember how things stood when the kernel began, to say later why it died."""
        pid = getattr(self.km.provisioner, "pid", None)
        self._watch = Watch(pid) if pid and not self.remote else None

    async def why_dead(self) -> str:
        """Say in one line why the kernel is gone: in the words of whoever stands for it here, else by its exit."""
        if self.remote or self._watch is None:
            return self._said or "the kernel died"
        return self._watch.why(await self.km.provisioner.poll())

    def leave(self, target: Target | None) -> None:
        """Wait no longer for a gateway that does not answer than the end of a run is worth: its cells are over."""
        if self._reach is None and target is not None and target.url:
            self._reach = Reach(target)

    def ask(self, function: str, *arguments: object, patience: float = math.inf) -> str:
        """Call a function of ``kernel_side`` in the kernel and return its answer, within ``patience`` seconds.

        Raises
        ------
        WorkbenchError
            If the function raised.
        DeadKernelError
            If the kernel is gone; ``Unreachable`` if its gateway is, after ``leave``.
        TimeoutError
            If the kernel is busy for longer than ``patience``.
        """
        return self._evaluate(_call(function, arguments), patience)

    def prepare(self, function: str, *arguments: object) -> str:
        """Send the module ``kernel_side`` to the kernel, out of the user's namespace, and call a function of it."""
        source = Path(kernel_side.__file__).read_text(encoding="utf-8")
        create = (
            f"(lambda m: (__import__('sys').modules.__setitem__({_MODULE!r}, m), exec({source!r}, m.__dict__), '')[2])"
            f"(__import__('types').ModuleType({_MODULE!r}))"
        )
        return self._evaluate(f"({create}, {_call(function, arguments)})[1]", math.inf)

    def pace(self) -> None:
        """Let few messages wait here: the kernel's side has seen to it that it waits instead of dropping them."""
        self.kc.iopub_channel.socket.setsockopt(zmq.RCVHWM, _WAITING)

    def _evaluate(self, expression: str, patience: float) -> str:
        """Let the kernel evaluate an expression to a string, silently."""
        if self._reach is not None:
            self._reach.known()
        content: dict[str, Any] = {"status": "aborted"}
        while content["status"] == "aborted":  # a kernel drops what it finds queued after an interrupt
            request = self.kc.execute("", silent=True, store_history=False, user_expressions={"answer": expression})
            content = run_sync(self._reply)(request, patience)["content"]
        answer = content.get("user_expressions", {}).get("answer") or content
        if answer.get("ename") == KERNEL_REFUSED:
            raise WorkbenchError(str(answer.get("evalue")))
        if answer.get("ename") == KERNEL_DIED:
            raise KernelEnded(str(answer.get("evalue")))
        if answer["status"] != "ok":
            raise WorkbenchError(f"the kernel cannot keep a run: {answer.get('ename')}: {answer.get('evalue')}")
        return str(ast.literal_eval(answer["data"]["text/plain"]))

    async def _reply(self, request: str, patience: float) -> dict[str, Any]:
        """Wait for an answer, and read what else the kernel says: it waits until somebody does."""
        listening = asyncio.ensure_future(self._listen())
        deadline = time.monotonic() + patience
        try:
            while time.monotonic() < deadline:
                message = await self._next(min(1.0, deadline - time.monotonic()))
                if message and message["parent_header"].get("msg_id") == request:
                    return message
        finally:
            listening.cancel()
        raise TimeoutError("the kernel is busy")

    async def _next(self, timeout: float) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = await self.kc.shell_channel.get_msg(timeout=max(0.001, timeout))
        except Empty:
            await self._still_there()
            return None
        return message

    async def _still_there(self) -> None:
        try:
            await self._async_check_alive()
        except DeadKernelError:
            raise KernelEnded(await self.why_dead()) from None
        if self._reach is not None:
            await self._reach.check()

    async def _listen(self) -> None:
        while True:
            message = await self.kc.iopub_channel.get_msg(timeout=None)
            if message["msg_type"] == "stream":
                self.hear(message)

    def hear(self, message: dict[str, Any]) -> None:
        """Remember what whoever stands for a remote kernel said last, and pass it on to who waits for the run."""
        content = message["content"]
        if content["name"] != "stderr" or not content["text"].startswith("genai4eu: "):
            return
        said = content["text"].removeprefix("genai4eu: ").strip()
        if self.remote and message["header"]["username"] == _STAND_IN and said != self._said:
            self.nb_man.tell("notice", {"text": said})
        self._said = said

    def interrupt(self) -> None:
        """Interrupt the running cell, and forget what waits for it."""
        run_sync(_forget)()
        run_sync(self.km.interrupt_kernel)()

    def alive(self) -> bool:
        """Tell whether the kernel's process still runs."""
        return self.km is not None and bool(run_sync(self.km.is_alive)())


def _call(function: str, arguments: tuple[object, ...]) -> str:
    return f"__import__({_MODULE!r}).{function}({', '.join(map(repr, arguments))})"


async def _forget() -> None:
    """Cancel what still waits on this thread's loop: left over, it would swallow replies and complain at the end."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
