"""Notes whether a kernel is busy and when it was last. Used by the managers, in the place of jupyter_server's recorder.

That one checks the signature and parses the dates of every message, which for outputs of a megabyte is half of the
gateway's work; a look at the two headers says the same.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import zmq


def watch(kernels: Any, kernel: Any) -> None:
    """Keep ``last_activity`` and ``execution_state`` of a kernel up to date until its stream is closed."""
    kernel.reason = ""
    kernel.last_activity = datetime.now(UTC)
    kernel._activity_stream = kernel.connect_iopub()
    narrow = _Narrow(kernel._activity_stream.socket)
    kernel._activity_stream.on_recv(lambda frames: _record(kernels, kernel, frames, narrow), copy=False)


class _Narrow:
    """Has ipykernel send us its status alone, and not every output a second time."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._welcome = False

    def look(self, topic: bytes, kind: str) -> None:
        """Learn from the first topics that it is ipykernel, which greets a subscriber, and what it is called."""
        if self._welcome and re.fullmatch(rb"kernel\.[0-9a-f-]{36}\.status", topic):
            self._socket.setsockopt(zmq.SUBSCRIBE, topic)
            self._socket.setsockopt(zmq.UNSUBSCRIBE, b"")
            self._welcome = False
        self._welcome |= kind == "iopub_welcome"


def _record(kernels: Any, kernel: Any, frames: list[Any], narrow: _Narrow) -> None:
    at = next((n for n, frame in enumerate(frames) if len(frame) == 9 and frame.bytes == b"<IDS|MSG>"), None)
    if at is None or len(frames) < at + 6:
        return
    kernel.genai4eu_heard = True
    kind = json.loads(frames[at + 2].bytes).get("msg_type", "")
    narrow.look(frames[0].bytes, kind)
    asked = json.loads(frames[at + 3].bytes).get("msg_type", "")
    tracked = bool(asked) and kernels.track_message_type(asked)
    if tracked or kernels.track_message_type(kind) or kernel.execution_state == "busy":
        kernels.last_kernel_activity = kernel.last_activity = datetime.now(UTC)
    if kind == "status":
        state = json.loads(frames[at + 5].bytes)["execution_state"]
        if tracked:
            kernel.execution_state = state
        elif kernel.execution_state == "starting" and state != "starting":
            kernel.execution_state = "idle"
