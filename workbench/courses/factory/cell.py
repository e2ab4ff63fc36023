"""One marked cell on a kernel of its own at the factory, from its start to its end. Run by the broker.

The kernel is any target's, started through jupyter_client: a gateway's bridge, with its quotas, or a local one.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.resources
import json
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import zmq

from ...errors import WorkbenchError
from ...runs.manager import kernel_manager
from .inside import MIME, MOST, PIECE

#: Seconds for a kernel to come (a factory may let it wait), for what it has to say after an interrupt, for values.
START, GRACE, VALUES = 300.0, 2.0, 60.0
#: Bytes that a cell may say, and of one message, above which the connection to a kernel is cut.
OUTPUT, _MESSAGE = 8 << 20, 64 << 20
#: Seconds for a cell's last output after its reply; what has not come then was too large.
_LAST = 5.0
#: Seconds between two looks at whether a silent kernel is alive.
_LOOK = 0.5
_INSIDE = "sys.modules['_genai4eu_inside']"
_WIDGET = "application/vnd.jupyter.widget-view+json"


class Refused(WorkbenchError):
    """The factory gives no kernel, or not one that can hold a cell."""


class Died(WorkbenchError):
    """The kernel is no more."""


@dataclass
class Cell:
    """A cell, and whether it is to stop.

    Attributes
    ----------
    target : str
        The kernelspec.
    local : bool
        Whether its kernels are processes of this computer.
    folder : Path
        Where local kernels begin.
    say : callable
        Is told what the cell says.
    """

    target: str
    local: bool
    folder: Path
    say: Callable[[dict[str, Any]], None]
    seconds: float = 0.0
    _said: int = 0
    _listens: bool = False
    _manager: Any = None
    _client: Any = None
    _stop: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def stop(self, why: str) -> None:
        """Stop, whatever it does: ``interrupted``, ``gone``, ``closing`` or ``output``. The first reason counts."""
        if not self._stop.done():
            self._stop.set_result(why)

    async def until(self, work: Coroutine[Any, Any, Any], seconds: float | None = None) -> str:
        """Wait for work; return why it has to stop before its end, or nothing."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait({task, self._stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
                return ""
            return self._stop.result() if self._stop.done() else "limit"
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def start(self, values: list[tuple[str, str, bytes]]) -> str:
        """Have a kernel with the values in place; return why that was stopped, or nothing.

        Raises
        ------
        Refused
            With the factory's own words.
        """
        if self._stop.done():
            return self._stop.result()
        self._manager = kernel_manager(self.target)
        self._manager.context.setsockopt(zmq.MAXMSGSIZE, _MESSAGE)
        why = await self.until(self._come_up(values), START)
        if why == "limit":
            raise Refused(f"no kernel came within {START:.0f} s")
        return why

    async def execute(self, code: str, give: list[str], seconds: float) -> tuple[str, list[tuple[str, str, bytes]]]:
        """Run the code and return how it ended, ``done``, ``failed`` or why it was stopped, with the values it gives.

        Raises
        ------
        Died
            If the kernel dies.
        """
        began = time.monotonic()
        work = asyncio.create_task(self._pump(self._ask(code)))
        try:
            why = await self.until(_shielded(work), seconds)
            if why in ("limit", "interrupted"):  # what it says to that is worth seeing
                await self._manager.interrupt_kernel()
                await asyncio.wait({work}, timeout=GRACE)
            self._listens = work.done()
            if why:
                return why, []
            if work.result()["status"] != "ok":
                return "failed", []
            return await self._give(give) if give else ("done", [])
        finally:
            self.seconds = time.monotonic() - began
            if not work.done():
                work.cancel()
            elif not work.cancelled():
                work.exception()  # looked at

    async def end(self) -> None:
        """End the kernel; its folder goes with it, if it still listens."""
        if self._manager is None:
            return
        try:
            if self._manager.has_kernel:
                with suppress(TimeoutError, Refused, Died):
                    await asyncio.wait_for(self._quiet(f"{_INSIDE}.leave()") if self._listens else _nothing(), GRACE)
                await self._manager.shutdown_kernel(now=self.local)
        finally:
            if self._client is not None:
                self._client.stop_channels()
            await self._manager._async_cleanup_resources()

    async def _come_up(self, values: list[tuple[str, str, bytes]]) -> None:
        try:
            await self._manager.start_kernel(cwd=str(self.folder))
            self._client = self._manager.client()
            self._client.start_channels()
            await self._client.wait_for_ready(timeout=START)
        except (RuntimeError, OSError) as error:
            raise Refused(str(error)) from None
        source = importlib.resources.files("genai4eu.courses.factory").joinpath("inside.py").read_text("utf-8")
        await self._quiet(
            "import sys, types; _m = types.ModuleType('_genai4eu_inside'); sys.modules[_m.__name__] = _m\n"
            f"exec(compile({source!r}, _m.__name__, 'exec'), _m.__dict__); _m.enter(); del _m, types"
        )
        for name, kind, data in values:
            for begin in range(0, max(1, len(data)), PIECE):
                piece, last = base64.b64encode(data[begin : begin + PIECE]).decode(), begin + PIECE >= len(data)
                await self._quiet(f"{_INSIDE}.take(globals(), {name!r}, {kind!r}, {piece!r}, {last})")

    async def _quiet(self, code: str) -> None:
        """Have the kernel do something of ours, of which nobody sees anything.

        Raises
        ------
        Refused
            If it cannot; a bridge says so in the factory's words.
        """
        reply = await self._reply(self._client.execute(f"import sys\n{code}", silent=True, store_history=False))
        if reply["status"] != "ok":
            name, words = reply.get("ename", ""), reply.get("evalue", "")
            raise Refused(words if name == "KernelRefused" else f"its kernel stopped with {name}: {words}")

    def _ask(self, code: str, history: bool = True) -> str:
        asked: str = self._client.execute(code, store_history=history, allow_stdin=False)
        return asked

    async def _give(self, names: list[str]) -> tuple[str, list[tuple[str, str, bytes]]]:
        """Fetch values, in pieces."""
        found: dict[str, tuple[str, bytearray]] = {}

        def hear(kind: str, content: dict[str, Any]) -> None:
            piece = content.get("data", {}).get(MIME) if kind == "display_data" else None
            if isinstance(piece, dict) and piece.get("name") in names:
                have = found.setdefault(piece["name"], (str(piece.get("kind")), bytearray()))[1]
                have += base64.b64decode(str(piece.get("piece")))
                if sum(len(data) for _, data in found.values()) > MOST:
                    self.stop("output")
            elif kind == "error":
                self._hear(kind, {**content, "traceback": [f"{content['ename']}: {content['evalue']}"]})

        code = f"__import__('sys').{_INSIDE[4:]}.give(globals(), {names!r}, __import__('IPython').display.display)"
        task = asyncio.create_task(self._pump(self._ask(code, history=False), hear))
        if why := await self.until(_shielded(task), VALUES):
            task.cancel()
            return why, []
        if task.result()["status"] != "ok":
            return "failed", []
        return "done", [(name, kind, bytes(data)) for name, (kind, data) in found.items()]

    async def _pump(self, asked: str, hear: Callable[[str, dict[str, Any]], None] | None = None) -> dict[str, Any]:
        """Hand on what a request says until the kernel is idle again, and return the reply's content."""
        reply = asyncio.create_task(self._reply(asked))
        silent = 0.0
        try:
            while silent < _LAST:
                message = await self._next(self._client.get_iopub_msg)
                if reply.done():
                    reply.result()  # raises where the kernel died
                    silent = silent + _LOOK if message is None else 0.0
                if message is None or message["parent_header"].get("msg_id") != asked:
                    continue
                kind, content = message["msg_type"], message["content"]
                if kind == "status" and content["execution_state"] == "idle":
                    return await reply
                (hear or self._hear)(kind, content)
            self.say({"say": "lost"})
            return reply.result()
        finally:
            reply.cancel()

    async def _reply(self, asked: str) -> dict[str, Any]:
        while True:
            message = await self._next(self._client.get_shell_msg)
            if message is None and not await self._manager.is_alive():
                raise Died("the kernel died")
            if message and message["parent_header"].get("msg_id") == asked:
                content: dict[str, Any] = message["content"]
                return content

    async def _next(self, get: Callable[..., Any]) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = await get(timeout=_LOOK)
        except Empty:
            return None
        return message

    def _hear(self, kind: str, content: dict[str, Any]) -> None:
        """Tell the seat what it can show; all else, as the messages of widgets, has no meaning there."""
        if kind == "stream":
            self._tell(say="stream", name=content["name"], text=content["text"])
        elif kind in ("display_data", "execute_result", "update_display_data"):
            data = {mime: shown for mime, shown in content["data"].items() if mime != _WIDGET}
            shown = content.get("transient", {}).get("display_id")
            update = kind == "update_display_data"
            self._tell(say="display", data=data, metadata=content["metadata"], display_id=shown, update=update)
        elif kind == "clear_output":
            self._tell(say="clear", wait=bool(content.get("wait")))
        elif kind == "error":
            lines = [str(line) for line in content["traceback"]]
            self._tell(say="error", ename=content["ename"], evalue=content["evalue"], traceback=lines)

    def _tell(self, **said: Any) -> None:
        """Say something, as long as it is not too much in all."""
        self._said += len(json.dumps(said)) + 100
        if self._said > OUTPUT:
            self.stop("output")
        else:
            self.say(said)


async def _shielded(task: asyncio.Task[Any]) -> Any:
    return await asyncio.shield(task)


async def _nothing() -> None:
    """Be what is awaited where there is nothing to do."""
