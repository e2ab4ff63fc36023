"""What the bridge itself says to the client, in the kernel's place. Used by ``bridge``."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from .local import LocalSide
from .requests import Request

_EMPTY: dict[str, dict[str, Any]] = {
    "comm_info_request": {"status": "ok", "comms": {}},
    "history_request": {"status": "ok", "history": []},
    "is_complete_request": {"status": "unknown"},
    "complete_request": {"status": "ok", "matches": [], "cursor_start": 0, "cursor_end": 0, "metadata": {}},
}


class Voice:
    """Makes messages and sends them to the local client.

    Parameters
    ----------
    local : LocalSide
        The client's sockets.
    language : str
        Language of the kernel for which the bridge speaks.
    """

    def __init__(self, local: LocalSide, language: str) -> None:
        self._local = local
        self._language = language
        self._session = os.urandom(16).hex()

    async def _send(
        self,
        channel: str,
        kind: str,
        parent: dict[str, Any],
        content: dict[str, Any],
        mark: dict[str, Any] | None = None,
    ) -> None:
        moment = time.time()
        date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d}Z"
        header = {
            "msg_id": os.urandom(16).hex(),
            "msg_type": kind,
            "session": self._session,
            "username": "genai4eu",
            "date": date,
            "version": "5.3",
        }
        parts = [json.dumps(part).encode() for part in (header, parent, mark or {}, content)]
        await self._local.send(channel, parts, f"kernel.genai4eu.{kind}")

    async def line(self, parent: dict[str, Any], text: str, mark: dict[str, Any] | None = None) -> None:
        """Show a line below the cell."""
        content = {"name": "stderr", "text": f"genai4eu: {text}\n"}
        await self._send("iopub", "stream", parent, content, mark)

    async def fail(self, request: Request, name: str, text: str, more: str = "") -> None:
        """End a request with an error: its reply, and for a cell what the notebook shows and waits for."""
        header, kind = request.header, request.header["msg_type"]
        lines = [f"{name}: {text}", *([more] if more else [])]
        content = {"ename": name, "evalue": text, "traceback": lines}
        is_cell = kind == "execute_request"
        if is_cell and not request.idle:
            await self._send("iopub", "error", header, content)
        if not request.replied:
            count = {"execution_count": 0, "user_expressions": {}, "payload": []} if is_cell else {}
            reply = {"status": "error", **content, **count}
            await self._send(request.channel, kind.replace("_request", "_reply"), header, reply)
        if is_cell and not request.idle:
            await self._send("iopub", "status", header, {"execution_state": "idle"})

    async def answer(self, request: Request, refusal: str) -> None:
        """Answer a request without a kernel: enough for a client to go on to the first cell, which says why."""
        kind = request.header["msg_type"]
        await self._send("iopub", "status", request.header, {"execution_state": "busy"})
        if kind == "kernel_info_request":
            await self._send(request.channel, "kernel_info_reply", request.header, self._info(refusal))
        elif kind in _EMPTY:
            await self._send(request.channel, kind.replace("_request", "_reply"), request.header, _EMPTY[kind])
        else:
            await self.fail(request, "KernelRefused", refusal)
        if kind != "execute_request":
            await self._send("iopub", "status", request.header, {"execution_state": "idle"})

    async def repeat(self, request: Request, info: dict[str, Any]) -> None:
        """Answer what the kernel is, from an earlier answer of its own."""
        await self._send("iopub", "status", request.header, {"execution_state": "busy"})
        await self._send(request.channel, "kernel_info_reply", request.header, info)
        await self._send("iopub", "status", request.header, {"execution_state": "idle"})

    def _info(self, refusal: str) -> dict[str, Any]:
        language = {"name": self._language, "version": "", "mimetype": "text/plain", "file_extension": ".txt"}
        if self._language == "python":
            language |= {"mimetype": "text/x-python", "file_extension": ".py"}
            language |= {"pygments_lexer": "ipython3", "codemirror_mode": {"name": "ipython", "version": 3}}  # type: ignore[dict-item]
        return {
            "status": "ok",
            "protocol_version": "5.3",
            "implementation": "genai4eu",
            "implementation_version": "",
            "language_info": language,
            "banner": f"genai4eu: {refusal}",
            "help_links": [],
        }
