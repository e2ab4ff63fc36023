"""The notebook client of the engine: runs cells, reads what the kernel says, in bounds. Called by the engine."""

from __future__ import annotations

import asyncio
import contextlib
from queue import Empty
from typing import Any

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from .asking import AskingClient
from .clock import Clock
from .context import METRIC_MIME, PROGRESS_MIME
from .endings import KernelEnded, TimeUp, status_of
from .files import cannot_write
from .journal import Journal
from .large import KEY, forget

_DISPLAYS = ("display_data", "update_display_data", "execute_result")


class RunClient(AskingClient):
    """A papermill client that marks each cell with what happened to it, and keeps what it shows within bounds.

    Parameters
    ----------
    clock : Clock
        Says how long the next cell may take.
    """

    nb_man: Journal

    def __init__(self, nb_man: Journal, clock: Clock, **options: Any) -> None:
        self.clock = clock
        self._trouble: OSError | None = None
        super().__init__(nb_man, timeout_func=clock.allow, **options)

    def papermill_execute_cells(self) -> None:
        """Execute the cells in order; stop at the first that does not complete, and say how it ended."""
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.clock.check()
                self.execute_cell(cell, index)
            except BaseException as error:
                self.nb_man.cell_ended(self.nb.cells[index], status_of(error))
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)

    async def async_execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        """Execute a cell while the disk is kept current; what ends it is said in better words than nbclient's."""
        keeper = asyncio.ensure_future(self.nb_man.keep_current(self._give_up))
        try:
            return await super().async_execute_cell(cell, cell_index, **options)
        except DeadKernelError:
            if self._trouble is not None:
                raise cannot_write(self._trouble) from None
            await self._hear_out(cell, cell_index)
            raise KernelEnded(await self.why_dead()) from None
        except CellTimeoutError as error:
            if "IOPub" in str(error):  # it ended, but not all that it said has come
                raise
            raise TimeUp(self.clock.said(cell_index)) from None
        finally:
            keeper.cancel()

    execute_cell = run_sync(async_execute_cell)

    async def _hear_out(self, cell: Any, index: int) -> None:
        """Take what the kernel said before it died and has arrived, but was not read yet."""
        with contextlib.suppress(Empty):
            while True:
                message = await self.kc.iopub_channel.get_msg(timeout=0.1)
                if message["msg_type"] in (*_DISPLAYS, "stream", "error"):
                    self.process_message(message, cell, index)

    def _give_up(self, error: OSError) -> None:
        """End the running cell: what it says can be kept no more."""
        self._trouble = error
        if self.task_poll_for_reply is not None:
            self.task_poll_for_reply.cancel()

    def process_message(self, message: dict[str, Any], cell: Any, index: int) -> Any:
        """Take one message of the kernel. Called by nbclient."""
        try:
            return self._process(message, cell, index)
        except OSError as error:
            self._give_up(error)
            return None

    def _process(self, message: dict[str, Any], cell: Any, index: int) -> Any:
        """Tell the listener what happens; keep progress out of the stored notebook, and what is large beside it."""
        kind, content = message["msg_type"], message["content"]
        if kind in _DISPLAYS and PROGRESS_MIME in content["data"]:
            self.nb_man.progressed(index, content["data"][PROGRESS_MIME])
            return None
        if kind in _DISPLAYS and METRIC_MIME in content["data"]:
            self.nb_man.tell("metric", content["data"][METRIC_MIME])
        if kind == "stream":
            self.hear(message)
            self.nb_man.tell("stream", content)
        elif kind in (*_DISPLAYS, "error"):
            self._show(kind, content, message)
        if kind not in ("status", "execute_input"):
            self.nb_man.touched(index)
        return super().process_message(message, cell, index)

    def _show(self, kind: str, content: dict[str, Any], message: dict[str, Any]) -> None:
        """Tell the listener the text of an output, and take what is large out of it; a widget keeps what it caught."""
        text = "\n".join(content["traceback"]) if kind == "error" else content["data"].get("text/plain", "")
        self.nb_man.tell("output", {"kind": kind, "text": "".join(text)})
        if kind != "error" and self.nb_man.large and not self._caught(message):
            self.nb_man.large.shrink(content)

    def _caught(self, message: dict[str, Any]) -> bool:
        """Tell whether a widget catches the outputs of the cell."""
        return bool(self.output_hook_stack[message["parent_header"].get("msg_id")])

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """Add an output to its cell: printed text and errors in bounds, all else as nbclient does."""
        kind, streams, large = msg["msg_type"], self.nb_man.streams, self.nb_man.large
        if streams is None or large is None or self._caught(msg):
            return super().output(outs, msg, display_id, cell_index)
        if self.clear_before_next_output:
            self._clear(outs, cell_index)
        if kind == "stream":
            streams.add(outs, cell_index, msg["content"])
            return NotebookNode(output_type="stream", **msg["content"])
        if kind == "error" and (about := large.cut(msg["content"])):
            marks = self.nb.cells[cell_index].metadata.setdefault(KEY, {}).setdefault("large", [])
            marks.append({**about, "output": len(outs)})
        return super().output(outs, msg, display_id, cell_index)

    def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
        """Clear the cell's outputs, or note that the next one does."""
        super().clear_output(outs, msg, cell_index)
        if not outs:
            self._clear(outs, cell_index)

    def _clear(self, outs: list[Any], index: int) -> None:
        outs[:] = []
        self.clear_display_id_mapping(index)
        self.clear_before_next_output = False
        forget(self.nb.cells[index])
        if self.nb_man.streams:
            self.nb_man.streams.cleared(index)
