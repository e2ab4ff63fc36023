"""Notes whether a kernel is busy and when it was last. Used by the managers, in the place of jupyter_server's recorder.

That one checks the signature and parses the dates of every message, which for outputs of a megabyte is half of the
gateway's work; a look at the two headers says the same.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any


def watch(kernels: Any, kernel: Any) -> None:
    """Keep ``last_activity`` and ``execution_state`` of a kernel up to date until its stream is closed."""
    kernel.reason = ""
    kernel.last_activity = datetime.now(UTC)
    kernel._activity_stream = kernel.connect_iopub()
    kernel._activity_stream.on_recv(lambda frames: _record(kernels, kernel, frames), copy=False)


def _record(kernels: Any, kernel: Any, frames: list[Any]) -> None:
    at = next((n for n, frame in enumerate(frames) if len(frame) == 9 and frame.bytes == b"<IDS|MSG>"), None)
    if at is None or len(frames) < at + 6:
        return
    kind = json.loads(frames[at + 2].bytes).get("msg_type", "")
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
