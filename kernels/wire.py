"""Messages on the WebSocket between a client and a gateway. Used by the bridge and by channels.

A message is its channel's name and its parts: header, parent header, metadata, content (each JSON as bytes), then the
binary buffers, laid out as ``v1.kernel.websocket.jupyter.org`` says. With ``V2``, our own subprotocol, such messages
travel in numbered frames (see ``sequence``).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from typing import Any

from .errors import KernelsError

V1 = "v1.kernel.websocket.jupyter.org"
V2 = "v2.genai4eu.kernel.websocket"
#: The channel on which the gateway itself speaks to a bridge: one JSON object with ``event``, in place of the parts.
GATEWAY = "gateway"
#: Bytes in one message, in either direction.
MESSAGE_LIMIT = 1 << 30


class BadMessage(KernelsError):
    """What came is no message of this wire."""


def pack_v1(channel: str, parts: Sequence[bytes]) -> bytes:
    """Return the WebSocket message: number of offsets, offsets (little-endian u64), channel, parts."""
    pieces = [channel.encode(), *parts]
    offsets = [8 * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *pieces])


#: Bytes from which on a part is better not copied.
LARGE = 1 << 16


def unpack_v1(data: str | bytes | memoryview, least: int = 4) -> tuple[str, list[bytes]]:
    """Return channel and parts of a WebSocket message, of which there must be ``least``.

    Of a memoryview, large parts are memoryviews too: they can be sent on and signed as they are.
    """
    if isinstance(data, str):
        raise BadMessage("a text message, where this wire has none")
    try:
        (count,) = struct.unpack_from("<Q", data)
        if not least + 2 <= count <= len(data) // 8:
            raise BadMessage("a message without its four parts")
        offsets = struct.unpack_from(f"<{count}Q", data, 8)
        pieces: list[Any] = [data[start:end] for start, end in itertools.pairwise(offsets)]
        if isinstance(data, memoryview):
            pieces = [piece if len(piece) >= LARGE else bytes(piece) for piece in pieces]
        return bytes(pieces[0]).decode(), pieces[1:]
    except (struct.error, UnicodeDecodeError) as error:
        raise BadMessage(str(error)) from None
