"""What only a bridge speaks: signed ZMQ frames on this computer, and the oldest WebSocket messages to a gateway.

Follows the Jupyter messaging specification. The other WebSocket messages are in ``kernels.wire``.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from collections.abc import Sequence

from ..wire import V1, BadMessage, pack_v1, unpack_v1

__all__ = ["V1", "BadMessage", "Signer", "pack_legacy", "pack_v1", "unpack_legacy", "unpack_v1"]

DELIMITER = b"<IDS|MSG>"
_FIELDS = ("header", "parent_header", "metadata", "content")


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
