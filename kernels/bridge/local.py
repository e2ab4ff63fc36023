"""The local side of the bridge: the five sockets that a Jupyter client expects of a kernel. Used by ``bridge``."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio

from ..errors import KernelsError
from .wire import Signer

#: Jupyter chose the ports a moment ago; a connection to somewhere else may have taken one meanwhile, and lets it go.
_BIND_TRIES = 15
#: Messages that get no reply, so that nobody needs to remember who sent them.
_UNANSWERED = ("comm_open", "comm_msg", "comm_close", "input_reply")
#: Bytes from which on copying a message costs more than keeping track of it.
_LARGE = 1 << 16
#: How often to look for a listener; a client tries to connect every tenth of a second.
_PATIENCE = 80


class LocalSide:
    """Binds the sockets named in a connection file, and knows who asked what."""

    def __init__(self, connection_file: Path) -> None:
        try:
            info: dict[str, Any] = json.loads(connection_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise KernelsError(f"the connection file {connection_file} cannot be read ({error})") from None
        self.signer = Signer(info.get("key", ""), info.get("signature_scheme") or "hmac-sha256")
        self._context = zmq.Context()
        self._later = zmq.asyncio.Context.shadow(self._context.underlying)  # sockets of it can be awaited
        self._sockets: dict[str, Any] = {
            name: self._bind(name, info) for name in ("shell", "control", "stdin", "iopub", "hb")
        }
        self._askers: dict[str, list[bytes]] = {}
        self._heard = False  # whether somebody listens on iopub

    def _bind(self, channel: str, info: dict[str, Any]) -> Any:
        kind = {"iopub": zmq.XPUB, "hb": zmq.REP}.get(channel, zmq.ROUTER)
        # Without a limit sending on iopub never waits, so that it needs no task for each message.
        socket: Any = (self._context if channel == "iopub" else self._later).socket(kind)
        socket.linger = 1000
        socket.sndhwm = 0  # a slow client must not lose output
        if kind == zmq.ROUTER:
            socket.router_handover = True  # a client that comes back with its identity takes it over
        joint = "-" if info["transport"] == "ipc" else ":"
        address = f"{info['transport']}://{info['ip']}{joint}{info[channel + '_port']}"
        for trial in range(_BIND_TRIES):
            try:
                socket.bind(address)
                break
            except zmq.ZMQError as error:
                if trial + 1 == _BIND_TRIES:
                    raise KernelsError(f"{address} cannot be bound ({error}): start the kernel again") from None
                time.sleep(0.2)
        return socket

    async def heartbeat(self) -> None:
        """Answer the client's heartbeat for ever, whatever the gateway does."""
        while True:
            await self._sockets["hb"].send_multipart(await self._sockets["hb"].recv_multipart())

    async def receive(self, channel: str) -> tuple[dict[str, Any], list[bytes]]:
        """Return header and parts of the next message on ``channel``.

        Raises
        ------
        BadMessage
            If it is not signed with the key of the connection file.
        """
        identities, parts = self.signer.open(await self._sockets[channel].recv_multipart())
        header: dict[str, Any] = json.loads(parts[0])
        if header["msg_type"] not in _UNANSWERED:
            self._askers[header["msg_id"]] = identities
        return header, parts

    async def send(self, channel: str, parts: list[bytes], topic: str = "") -> None:
        """Send a message on: to everybody on iopub, else to whoever asked."""
        if channel == "iopub":
            self._sockets[channel].send_multipart(
                self.signer.close([topic.encode()], parts), copy=len(parts[3]) < _LARGE
            )
            return
        if not self._heard:
            await self._wait_for_ears()
        asker = json.loads(parts[1]).get("msg_id", "")
        forget = channel != "stdin"  # a question to the user comes before the reply
        identities = self._askers.pop(asker, None) if forget else self._askers.get(asker)
        if identities is not None:
            await self._sockets[channel].send_multipart(self.signer.close(identities, parts))

    async def _wait_for_ears(self) -> None:
        """Let no reply overtake the client's subscription to iopub: what its first cell says would be lost."""
        self._heard = True
        for _ in range(_PATIENCE):
            try:
                self._sockets["iopub"].recv(zmq.NOBLOCK)
            except zmq.Again:
                await asyncio.sleep(0.005)
            else:
                return

    async def reply(self, channel: str, header: dict[str, Any], content: dict[str, Any]) -> None:
        """Answer a request here instead of sending it on."""
        kind = header["msg_type"].replace("_request", "_reply")
        mine = {**header, "msg_type": kind, "msg_id": header["msg_id"] + "-reply"}
        await self.send(channel, [json.dumps(part).encode() for part in (mine, header, {}, content)])

    def close(self) -> None:
        """Close the sockets after what is on its way."""
        for socket in self._sockets.values():
            socket.close(linger=500)
        self._context.term()
