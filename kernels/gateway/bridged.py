"""A bridge's hold on a kernel, which outlives its WebSocket: nothing is lost or doubled meanwhile. Used by channels.

The hold owns sockets to the kernel of its own and keeps what came through them until the bridge has acknowledged it:
64 MiB in memory, then 8 GiB on disk; what would not fit even there is left out, and the cell says so.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from jupyter_client.session import Session
from tornado.websocket import WebSocketClosedError

from .. import sequence
from ..sequence import Inbox, Outbox
from ..wire import GATEWAY, LARGE, BadMessage, pack_v1, unpack_v1

_TO_KERNEL = ("shell", "control", "stdin")
#: Seconds for which the last words of a kernel that ended are kept for a bridge that is away.
LAST_WORDS = 120.0
#: Seconds without a word from the bridge, which pings when it has nothing to say, after which its connection is over.
SILENCE = 60.0


class Socket(Protocol):
    """What is asked of the WebSocket handler."""

    heard: float

    def write_message(self, message: bytes | str, binary: bool = False) -> Any:
        """Send."""

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Hang up."""


class Hold:
    """One bridge's hold on one kernel.

    Parameters
    ----------
    manager : ServerKernelManager
        The kernel.
    user : str
        Whose it is.
    folder : Path
        Where output may wait that does not fit into memory.
    """

    def __init__(self, manager: Any, user: str, folder: Path) -> None:
        self.user = user
        self.epoch: str = getattr(manager, "genai4eu_epoch", "") or _PROCESS
        self.socket: Socket | None = None
        self.left: float = time.monotonic()  # when the last WebSocket was gone
        self.ended = False
        self.running: set[str] = set()  # cells, by message id
        self._manager = manager
        self._outbox, self._inbox = Outbox(folder), Inbox()
        self._lost = 0  # messages for which there was no room
        self._held: list[tuple[str, list[bytes]]] | None = []  # until the kernel's output is sure to reach us
        self._nudger = Session(key=manager.session.key, signature_scheme=manager.session.signature_scheme)
        self._nudge = self._nudger.session.encode()
        self._streams: dict[str, Any] = {}
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._connect()

    # The kernel's side

    def _connect(self) -> None:
        """Open sockets of our own to the kernel, under a name that no earlier gateway had."""
        identity = uuid.uuid4().hex.encode()
        for channel in ("iopub", *_TO_KERNEL):
            stream = getattr(self._manager, f"connect_{channel}")(identity=identity)
            self._streams[channel] = stream
            stream.on_recv(lambda frames, channel=channel: self._from_kernel(channel, frames), copy=False)
        self._ask()

    def _ask(self) -> None:
        """Make the kernel say something: what it says before our subscription has reached it would be lost."""
        if self._held is None or self.ended:
            return
        if (
            getattr(self._manager, "execution_state", "") == "busy"
        ):  # then only its end could answer; it hears us by now
            self._release()
            return
        self._nudger.send(self._streams["control"], "kernel_info_request")
        self._later(0.2, self._ask)

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for channel, parts in held:
            self._manager.session.send_raw(self._streams[channel], parts)

    def _from_kernel(self, channel: str, received: list[Any]) -> None:
        """Keep what the kernel says until the bridge has it."""
        frames = [part.buffer if len(part) > LARGE else part.bytes for part in received]  # a large one is copied once
        parts = frames[frames.index(b"<IDS|MSG>") + 2 :]
        if channel == "iopub":
            if self._held is not None:
                self._release()
            if b'"status"' in parts[0]:
                self._note_status(parts)
            elif b'"iopub_welcome"' in parts[0]:
                return  # meant for us alone
        if self._nudge not in parts[1]:
            self._say(channel, parts)

    def _note_status(self, parts: list[bytes]) -> None:
        parent = json.loads(parts[1])
        if parent.get("msg_type") == "execute_request":
            idle = json.loads(parts[3]).get("execution_state") == "idle"
            (self.running.discard if idle else self.running.add)(parent.get("msg_id", ""))

    def _say(self, channel: str, parts: list[bytes]) -> None:
        """Queue a message for the bridge."""
        if self._outbox.put(pack_v1(channel, parts)):
            if self._lost:
                lost, self._lost = self._lost, 0
                self.tell("say", text=f"{lost} messages of output are lost: the gateway had no room left to keep them")
        elif channel != "iopub" or b'"status"' in parts[0]:
            self.tell("say", text="the gateway has no room left to keep a reply")  # small, where a reply was large
        else:
            self._lost += 1
        self._flush()

    def tell(self, event: str, **about: str) -> None:
        """Say something to the bridge itself, in turn with what the kernel says."""
        self._outbox.put(pack_v1(GATEWAY, [json.dumps({"event": event, **about}).encode()]))
        self._flush()

    def end(self, reason: str) -> None:
        """The kernel is no more: take its last words, and say so."""
        if self.ended:
            return
        for stream in self._streams.values():
            stream.flush()
        self.ended = True
        self.tell("dead", reason=reason)
        self._close_streams()
        if self.socket is None:
            self.left = time.monotonic()

    # The bridge's side

    def open(self, socket: Socket, epoch: str, received: int) -> None:
        """Take over a WebSocket: tell what has arrived here, and go on behind what has arrived there."""
        old, self.socket = self.socket, socket
        if old is not None:
            old.close(1000, "connected again")
        self._outbox.rewind()
        if epoch:
            self._outbox.acknowledge(received)
        hello = {"epoch": self.epoch, "received": self._inbox.tell(), "resumed": bool(epoch)}
        self._write(json.dumps(hello))
        self._listen()
        self._flush()

    def can_resume(self, epoch: str, received: int) -> bool:
        """Whether a bridge that had ``received`` pieces in ``epoch`` can go on here."""
        reached = self._outbox.reached
        return epoch == self.epoch and self._outbox.acknowledged <= received <= reached and self._inbox.received >= 0

    def take(self, data: bytes | str) -> None:
        """Take a frame from the bridge."""
        for kind, number, acknowledged, piece in sequence.unpack(data):
            self._outbox.acknowledge(max(acknowledged, self._outbox.acknowledged))
            if kind == sequence.ACKNOWLEDGEMENT:
                continue
            message = self._inbox.take(kind, number, piece)
            if message is not None:
                self._to_kernel(*unpack_v1(message))
        if self._inbox.urgent:
            self._acknowledge()
        elif self._inbox.owes:
            self._later(sequence.SECONDS, self._acknowledge)
        self._flush()

    def _to_kernel(self, channel: str, parts: list[bytes]) -> None:
        if channel not in _TO_KERNEL:
            raise BadMessage(f"a message for {channel!r}, to which clients say nothing")
        if self.ended:
            return
        if self._held is not None:
            self._held.append((channel, parts))
        else:
            self._manager.session.send_raw(self._streams[channel], parts)

    def _flush(self) -> None:
        """Send what may go."""
        while self.socket is not None and (frames := self._outbox.next()):
            self._write(sequence.pack(frames, self._inbox.tell()))

    def _acknowledge(self) -> None:
        if self.socket is not None and self._inbox.owes:
            self._write(sequence.acknowledgement(self._inbox.tell()))

    def _write(self, data: bytes | str) -> None:
        assert self.socket is not None
        try:
            self.socket.write_message(data, binary=isinstance(data, bytes))
        except WebSocketClosedError:  # it will be told to us in a moment; the bridge comes back and asks again
            self.socket = None
            self.left = time.monotonic()

    def _listen(self) -> None:
        """Hang up when nothing has come for long: nobody tells a server that a laptop was shut."""
        if self.socket is None:
            return
        if time.monotonic() - self.socket.heard > SILENCE:
            self.socket.close(1001, "nothing was heard from the bridge")
        else:
            self._later(SILENCE / 4, self._listen)

    def lose(self, socket: Socket) -> None:
        """A WebSocket is gone."""
        if socket is self.socket:
            self.socket = None
            self.left = time.monotonic()

    @property
    def over(self) -> bool:
        """Whether there is nothing left to come back for."""
        return self.ended and (
            self._outbox.empty or (self.socket is None and time.monotonic() - self.left > LAST_WORDS)
        )

    def close(self) -> None:
        """Let go of the kernel."""
        self.ended = True
        for timer in self._timers.values():
            timer.cancel()
        self._close_streams()
        self._outbox.close()

    def _close_streams(self) -> None:
        for stream in self._streams.values():
            if not stream.closed():
                stream.on_recv(None)
                stream.close(linger=0)
        self.running.clear()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        """Call once after some seconds; what is waiting already is not put off."""
        waiting = self._timers.get(what)
        if waiting is None or waiting.cancelled():
            self._timers[what] = asyncio.get_running_loop().call_later(seconds, self._now, what)

    def _now(self, what: Callable[[], None]) -> None:
        self._timers.pop(what, None)
        what()


#: Where kernels have no epoch of their own, every start of this process is one.
_PROCESS = uuid.uuid4().hex
