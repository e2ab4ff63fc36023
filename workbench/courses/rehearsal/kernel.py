"""A kernel's WebSocket as JupyterLab uses it: cells are sent, what they show comes back. Called by a participant."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from nbformat.v4 import output_from_msg

from genai4eu.kernels.wire import MESSAGE_LIMIT, V1, pack_v1, unpack_v1

_SHOWN = ("display_data", "execute_result", "stream", "error")
_EXECUTE = {"silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True, "stop_on_error": True}


class KernelGone(Exception):
    """The connection to the kernel ended, or the kernel does not answer."""


@dataclass
class Done:
    """An executed cell.

    Attributes
    ----------
    outputs : list
        As a notebook keeps them.
    status : str
        ``ok``, ``error`` or ``aborted``, as the kernel replied.
    seconds : float
        From sending it to both its reply and its last output.
    """

    status: str
    seconds: float
    count: int | None = None
    outputs: list[Any] = field(default_factory=list)


class Kernel:
    """A connected kernel.

    Parameters
    ----------
    socket : aiohttp.ClientWebSocketResponse
        Open.
    session : str
        The client's, as in the socket's address.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._socket, self._session = socket, session
        self.received = 0

    @staticmethod
    async def connect(client: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> Kernel:
        """Open the socket of a kernel, whose address ends in ``/channels``."""
        session = str(uuid.uuid4())
        socket = await client.ws_connect(
            f"{address}?session_id={session}", protocols=(V1,), max_msg_size=MESSAGE_LIMIT, headers=headers
        )
        return Kernel(socket, session)

    async def say(self, channel: str, kind: str, content: Any) -> str:
        """Send a message, and return its id."""
        header = {"msg_id": str(uuid.uuid4()), "msg_type": kind, "session": self._session, "username": "",
                  "version": "5.2", "date": ""}  # fmt: skip
        parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
        await self._socket.send_bytes(pack_v1(channel, parts))
        return header["msg_id"]

    async def ask(self, channel: str, kind: str, content: Any, patience: float) -> Any:
        """Send a request, and return its reply's content.

        Raises
        ------
        KernelGone
            If none comes.
        """
        question = await self.say(channel, kind, content)
        async with self._patience(patience, kind):
            while True:
                reply = await self._next()
                if reply["parent"] == question and reply["kind"].endswith("_reply"):
                    return reply["content"]

    async def execute(self, code: str, patience: float) -> Done:
        """Execute a cell.

        Raises
        ------
        KernelGone
            If it does not end in so many seconds, or the kernel ends.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        question = await self.say("shell", "execute_request", {**_EXECUTE, "code": code})
        done, idle = Done("", 0.0), False
        async with self._patience(patience, "a cell"):
            while not (idle and done.status):
                told = await self._next()
                if told["parent"] != question:
                    continue
                if told["kind"] == "execute_reply":
                    done.status, done.count = told["content"]["status"], told["content"].get("execution_count")
                elif told["kind"] in _SHOWN:
                    message = {"header": {"msg_type": told["kind"]}, **told}
                    done.outputs.append(output_from_msg(message))
                idle = idle or told["content"].get("execution_state") == "idle"
        done.seconds = loop.time() - began
        return done

    def _patience(self, seconds: float, what: str) -> Any:
        return _Patience(seconds, what)

    async def _next(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            raise KernelGone(f"the connection to the kernel ended ({message.data or message.type.name})")
        self.received += len(message.data)
        channel, parts = unpack_v1(message.data)
        header, parent, metadata, content = (json.loads(part) for part in parts[:4])
        kind = header["msg_type"]
        if kind == "status" and content["execution_state"] in ("dead", "restarting"):
            raise KernelGone(f"the kernel ended: it is {content['execution_state']}")
        return {"channel": channel, "kind": kind, "parent": parent.get("msg_id"), "metadata": metadata,
                "content": content}  # fmt: skip

    async def close(self) -> None:
        """Leave; the kernel stays."""
        await self._socket.close()


class _Patience:
    """Turns a time-out into words."""

    def __init__(self, seconds: float, what: str) -> None:
        self._seconds, self._what = seconds, what
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *why: Any) -> None:
        try:
            await self._timeout.__aexit__(*why)
        except TimeoutError:
            raise KernelGone(f"{self._what} did not end within {self._seconds:.0f} s") from None
