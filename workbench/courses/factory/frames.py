"""What a seat's kernel and the room's broker say to each other: JSON objects, each with bytes that travel along.

Lengths come first, so that nobody has to hold more than is allowed of what nobody has looked at yet.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

from .inside import MOST

#: Bytes of an object: what a seat asks is a cell's code; what a cell says may be a picture.
ASKED, SAID = 1 << 20, 16 << 20
_LENGTHS = struct.Struct("<II")


class BadFrameError(OSError):
    """The other side has gone, or says what it may not."""


def packed(said: dict[str, Any], data: bytes = b"") -> bytes:
    """Return an object and its bytes as they travel."""
    content = json.dumps(said).encode()
    return _LENGTHS.pack(len(content), len(data)) + content + data


async def read(reader: asyncio.StreamReader, most: int = 0) -> tuple[dict[str, Any], bytes]:
    """Return the next object of a seat and its bytes. Called by the broker.

    Parameters
    ----------
    most : int
        How many bytes may travel along now.

    Raises
    ------
    BadFrameError
        If the other side has gone, sends more than it may, or no JSON object.
    """
    try:
        lengths = _allowed(await reader.readexactly(_LENGTHS.size), ASKED, most)
        content = await reader.readexactly(lengths[0])
        return _parsed(content), await reader.readexactly(lengths[1])
    except (asyncio.IncompleteReadError, ConnectionError):
        raise BadFrameError("the other side has gone") from None


class Line:
    """A seat's end of the conversation.

    Parameters
    ----------
    path : Path
        The broker's socket.

    Raises
    ------
    OSError
        If nobody listens there.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._socket.connect(f"/proc/self/fd/{folder}/{path.name}")  # a path may be longer than an address
        finally:
            os.close(folder)
        self._bytes = bytearray()

    def send(self, said: dict[str, Any], data: bytes = b"") -> None:
        """Send an object whole."""
        self._socket.sendall(packed(said, data))

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Return the next object and its bytes. An interrupt loses nothing of what has arrived.

        Raises
        ------
        BadFrameError
            If the broker has gone.
        """
        lengths = _allowed(self._have(0, _LENGTHS.size), SAID, MOST)
        whole = self._have(_LENGTHS.size, sum(lengths))
        del self._bytes[: _LENGTHS.size + sum(lengths)]
        return _parsed(whole[: lengths[0]]), whole[lengths[0] :]

    def _have(self, begin: int, many: int) -> bytes:
        while len(self._bytes) < begin + many:
            try:
                data = self._socket.recv(1 << 20)
            except ConnectionError:
                data = b""
            if not data:
                raise BadFrameError("the other side has gone")
            self._bytes += data
        return bytes(self._bytes[begin : begin + many])

    def close(self) -> None:
        """Hang up; a cell that still runs ends."""
        self._socket.close()


def _allowed(lengths: bytes, most: int, most_data: int) -> tuple[int, int]:
    content, data = _LENGTHS.unpack(lengths)
    if content > most or data > most_data:
        raise BadFrameError("more than may be said at once")
    return content, data


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadFrameError("what is no JSON object")
    return found
