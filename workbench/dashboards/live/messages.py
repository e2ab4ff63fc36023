"""Which messages a visitor's page may send to its kernel: those of widgets. Called for each frame that a browser sends.

A message comes in the binary form ``v1.kernel.websocket.jupyter.org``: the number of offsets, the offsets, then
channel, header, parent header, metadata, content and buffers. What passes is written anew from what was understood, so
that no reader behind us can understand it otherwise.
"""

from __future__ import annotations

import itertools
import json
import struct
import time
from collections.abc import Sequence
from typing import Any

PROTOCOL = "v1.kernel.websocket.jupyter.org"
#: All that widgets need; none of them makes a kernel execute code.
ALLOWED = frozenset({"comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request"})
#: The one comm that a page opens: it asks for the state of all widgets. Those of widgets are opened by the kernel.
CONTROL = "jupyter.widget.control"
#: Bytes that one message may have: settings are small, a drawing or an uploaded picture is not.
LARGEST = 4 << 20
_MOST_BUFFERS = 64
_HEADER = ("msg_id", "msg_type", "session", "username", "version", "date")
_PARTS = ("header", "parent header", "metadata", "content")


class RefusedMessage(ValueError):
    """A message that a page of ours does not send; the text says why."""


def checked(frame: str | bytes) -> bytes:
    """Return a frame that says the same and no more.

    Raises
    ------
    RefusedMessage
        If it is damaged, too large, or of a kind that does not pass.
    """
    if not isinstance(frame, bytes):
        raise RefusedMessage("it is text")
    if len(frame) > LARGEST:
        raise RefusedMessage("it is too large")
    channel, *parts = _split(frame)
    if channel != b"shell":
        raise RefusedMessage("it is for another channel than the kernel's shell")
    said = [_object(part, name) for part, name in zip(parts, _PARTS, strict=False)]
    header, _, metadata, content = said
    _check(header, content)
    kept: list[Any] = [{name: header[name] for name in _HEADER if name in header}, {}, metadata, content]
    return joined([b"shell", *(json.dumps(part).encode() for part in kept), *parts[len(_PARTS) :]])


def _split(frame: bytes) -> list[bytes]:
    """Return channel, four JSON parts and buffers; every byte of the frame belongs to one of them."""
    count = int.from_bytes(frame[:8], "little")
    if len(frame) < 8 or not len(_PARTS) + 2 <= count <= len(_PARTS) + 2 + _MOST_BUFFERS:
        raise RefusedMessage("it has no parts, or too many")
    if len(frame) < 8 * (count + 1):
        raise RefusedMessage("it ends among its offsets")
    offsets = struct.unpack_from(f"<{count}Q", frame, 8)
    if offsets[0] != 8 * (count + 1) or offsets[-1] != len(frame) or list(offsets) != sorted(offsets):
        raise RefusedMessage("its parts do not lie one behind the other")
    return [frame[a:b] for a, b in itertools.pairwise(offsets)]


def _object(part: bytes, name: str) -> dict[str, Any]:
    try:
        said = json.loads(part)
    except (ValueError, RecursionError):
        raise RefusedMessage(f"its {name} is no JSON") from None
    if not isinstance(said, dict):
        raise RefusedMessage(f"its {name} is no object")
    return said


def _check(header: dict[str, Any], content: dict[str, Any]) -> None:
    kind = header.get("msg_type")
    if not isinstance(kind, str) or kind not in ALLOWED:
        raise RefusedMessage("messages of its kind do not pass")
    if not all(isinstance(header.get(name, ""), str) for name in _HEADER) or not header.get("msg_id"):
        raise RefusedMessage("its header is not as Jupyter writes it")
    if kind == "comm_open" and content.get("target_name") != CONTROL:
        raise RefusedMessage("a page opens no comm but the one that asks for the state of all widgets")


def joined(parts: Sequence[bytes]) -> bytes:
    """Return parts as one frame."""
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *parts])


class Allowance:
    """How much one page may send: so many messages and bytes a second, and a few seconds' worth at once.

    Parameters
    ----------
    messages, size : float
        Messages and bytes a second. A slider that is dragged sends up to 60 messages.
    seconds : float
        So many seconds' worth may come at once, as when a page says again what its visitor did.
    """

    def __init__(self, messages: float = 100, size: float = 2 << 20, seconds: float = 5) -> None:
        self._rates = (messages, size)
        self._most = (messages * seconds, size * seconds)
        self._left = list(self._most)
        self._then = time.monotonic()

    def take(self, size: int) -> bool:
        """Tell whether one more message of ``size`` bytes may come."""
        now = time.monotonic()
        passed, self._then = now - self._then, now
        for i, wanted in enumerate((1, size)):
            self._left[i] = min(self._most[i], self._left[i] + passed * self._rates[i]) - wanted
        return min(self._left) >= 0
