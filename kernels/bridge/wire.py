"""The two wires a bridge joins: signed ZMQ frames on this computer, WebSocket messages to the gateway.

A message is its channel's name and its parts: header, parent header, metadata, content (each JSON as bytes), then the
binary buffers. Follows the Jupyter messaging specification (wire protocol, and ``v1.kernel.websocket.jupyter.org``).
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import struct
from collections.abc import Sequence

from ..errors import KernelsError

V1 = "v1.kernel.websocket.jupyter.org"
DELIMITER = b"<IDS|MSG>"
_FIELDS = ("header", "parent_header", "metadata", "content")


class BadMessage(KernelsError):
    """What came is no message of this wire."""


def pack_v1(channel: str, parts: Sequence[bytes]) -> bytes:
    """Return the WebSocket message: number of offsets, offsets (little-endian u64), channel, parts."""
    pieces = [channel.encode(), *parts]
    offsets = [8 * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return b"".join([struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets), *pieces])


def unpack_v1(data: str | bytes) -> tuple[str, list[bytes]]:
    """Return channel and parts of a WebSocket message."""
    if isinstance(data, str):
        raise BadMessage("a text message, where this wire has none")
    try:
        (count,) = struct.unpack_from("<Q", data)
        if not 6 <= count <= len(data) // 8:
            raise BadMessage("a message without its four parts")
        offsets = struct.unpack_from(f"<{count}Q", data, 8)
    except struct.error as error:
        raise BadMessage(str(error)) from None
    pieces = [data[start:end] for start, end in itertools.pairwise(offsets)]
    return pieces[0].decode(), pieces[1:]


def pack_legacy(channel: str, parts: Sequence[bytes]) -> str | bytes:
    """Return the message for a server without v1: JSON, behind big-endian u32 offsets if there are buffers."""
    message = {name: json.loads(part) for name, part in zip(_FIELDS, parts, strict=False)}
    text = json.dumps({**message, "channel": channel, "buffers": []})
    if len(parts) == 4:
        return text
    pieces = [text.encode(), *parts[4:]]
    offsets = [4 * (len(pieces) + 1)]
    for piece in pieces[:-1]:
        offsets.append(offsets[-1] + len(piece))
    return b"".join([struct.pack(f"!{len(pieces) + 1}I", len(pieces), *offsets), *pieces])


def unpack_legacy(data: str | bytes) -> tuple[str, list[bytes]]:
    """Return channel and parts of a message from a server without v1."""
    buffers: list[bytes] = []
    try:
        if isinstance(data, bytes):
            (count,) = struct.unpack_from("!I", data)
            offsets = struct.unpack_from(f"!{count}I", data, 4)
            pieces = [data[a:b] for a, b in zip(offsets, [*offsets[1:], len(data)], strict=True)]
            data, buffers = pieces[0].decode(), pieces[1:]
        message = json.loads(data)
        return message["channel"], [json.dumps(message[name]).encode() for name in _FIELDS] + buffers
    except (struct.error, ValueError, LookupError, TypeError) as error:
        raise BadMessage(str(error)) from None


class Signer:
    """Signs and verifies local messages with the key of the connection file."""

    def __init__(self, key: str, scheme: str) -> None:
        self._key = key.encode()
        self._hash = getattr(hashlib, scheme.removeprefix("hmac-"))

    def sign(self, parts: Sequence[bytes]) -> bytes:
        """Return the signature of header, parent header, metadata and content; empty where the key is."""
        if not self._key:
            return b""
        digest = hmac.new(self._key, digestmod=self._hash)
        for part in parts[:4]:
            digest.update(part)
        return digest.hexdigest().encode()

    def open(self, frames: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
        """Return routing identities and parts of what came over ZMQ.

        Raises
        ------
        BadMessage
            If it is no message or its signature is wrong.
        """
        if DELIMITER not in frames:
            raise BadMessage("a message without a delimiter")
        at = frames.index(DELIMITER)
        signature, parts = frames[at + 1 : at + 2], list(frames[at + 2 :])
        if len(parts) < 4 or not hmac.compare_digest(signature[0], self.sign(parts)):
            raise BadMessage("a message with a wrong signature")
        return list(frames[:at]), parts

    def close(self, identities: Sequence[bytes], parts: Sequence[bytes]) -> list[bytes]:
        """Return the frames to send over ZMQ."""
        return [*identities, DELIMITER, self.sign(parts), *parts]
