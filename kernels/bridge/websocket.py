"""A WebSocket client (RFC 6455) on asyncio's streams. Used by ``link``.

Small, because every bridge pays for what it imports, and because it can tell a slow line from a dead one: it notes when
any byte came last, where a ping would wait behind a large message.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import struct
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from ..errors import KernelsError
from ..wire import MESSAGE_LIMIT

if TYPE_CHECKING:
    import ssl

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


class Refused(KernelsError):
    """The server answered, but not with a WebSocket; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Reader(asyncio.StreamReader):
    """Notes when something came."""

    heard = 0.0

    def feed_data(self, data: Any) -> None:
        self.heard = time.monotonic()
        super().feed_data(data)


class WebSocket:
    """An open connection. Made by ``connect``."""

    def __init__(self, reader: _Reader, writer: asyncio.StreamWriter, subprotocol: str | None) -> None:
        self._reader, self._writer = reader, writer
        self.subprotocol = subprotocol
        self.close_code = 1006

    @property
    def heard(self) -> float:
        """When any byte came last, by ``time.monotonic()``."""
        return self._reader.heard

    async def receive(self) -> str | bytes | None:
        """Return the next message; ``None`` at the end."""
        begun: list[bytes] = []
        kind = _BINARY
        try:
            while True:
                final, opcode, data = await self._frame(MESSAGE_LIMIT - sum(map(len, begun)))
                if opcode == _PING:
                    self._send(_PONG, data)
                elif opcode == _CLOSE:
                    self.close_code = struct.unpack_from("!H", data)[0] if len(data) >= 2 else 1005
                    return None
                elif opcode in (_CONTINUATION, _TEXT, _BINARY):
                    kind = opcode or kind
                    begun.append(data)
                    if final:
                        whole = begun[0] if len(begun) == 1 else b"".join(begun)
                        return whole.decode() if kind == _TEXT else whole
        except (OSError, EOFError, UnicodeDecodeError, KernelsError):  # cut, or no WebSocket any more: both are the end
            return None
        finally:
            if self._reader.at_eof():
                self.abort()

    async def _frame(self, limit: int) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        length = second & 127
        if length > 125:
            form, size = ("!H", 2) if length == 126 else ("!Q", 8)
            (length,) = struct.unpack(form, await self._reader.readexactly(size))
        if second & 128 or length > limit:
            raise KernelsError("a frame that no server sends")
        return bool(first & 128), first & 15, await self._reader.readexactly(length)

    def send(self, message: str | bytes) -> None:
        """Send; what cannot go at once waits in memory."""
        if isinstance(message, str):
            self._send(_TEXT, message.encode())
        else:
            self._send(_BINARY, message)

    async def drain(self) -> None:
        """Wait until what waits has become less."""
        with contextlib.suppress(OSError):  # cut: whoever receives will know
            await self._writer.drain()

    def ping(self) -> None:
        """Make the server say something."""
        self._send(_PING, b"")

    def _send(self, opcode: int, data: bytes) -> None:
        if self._writer.is_closing():
            return
        size = len(data)
        short = size if size < 126 else 126 if size < 1 << 16 else 127
        head = struct.pack("!BB", 128 | opcode, 128 | short)
        head += b"" if size < 126 else struct.pack("!H" if size < 1 << 16 else "!Q", size)
        mask = os.urandom(4)
        repeated = int.from_bytes(mask * (size // 4 + 1), "big") >> 8 * (4 - size % 4)
        masked = (int.from_bytes(data, "big") ^ repeated).to_bytes(size, "big")
        self._writer.write(b"".join((head, mask, masked)))

    async def close(self) -> None:
        """Say goodbye and hang up."""
        self._send(_CLOSE, struct.pack("!H", 1000))
        await self.drain()
        self._writer.close()

    def abort(self) -> None:
        """Hang up at once."""
        self._writer.transport.abort()


async def connect(
    url: str, headers: dict[str, str], subprotocols: list[str], context: ssl.SSLContext | None, timeout: float
) -> WebSocket:
    """Open a WebSocket to an ``http`` or ``https`` address.

    Raises
    ------
    Refused
        If the server says no.
    OSError
        If there is no connection; ``TimeoutError`` is one.
    """
    async with asyncio.timeout(timeout):
        parts = urllib.parse.urlsplit(url)
        loop = asyncio.get_running_loop()
        reader = _Reader(limit=1 << 22)
        protocol = asyncio.StreamReaderProtocol(reader)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        transport, _ = await loop.create_connection(lambda: protocol, parts.hostname or "", port, ssl=context)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            return await _upgrade(parts, headers, subprotocols, reader, writer)
        except BaseException:
            transport.abort()
            raise


async def _upgrade(
    parts: urllib.parse.SplitResult,
    headers: dict[str, str],
    subprotocols: list[str],
    reader: _Reader,
    writer: asyncio.StreamWriter,
) -> WebSocket:
    """Ask for the WebSocket and read the answer."""
    lines = {
        "Host": parts.netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": ", ".join(subprotocols),
        **headers,
    }
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    request = f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    writer.write(request.encode("ascii"))
    try:
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise ConnectionError("it hung up instead of answering") from None
    status = answer[0].split(" ")[1:2]
    told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in answer[1:])}
    if status == ["101"]:
        return WebSocket(reader, writer, told.get("sec-websocket-protocol"))
    length = told.get("content-length", "")
    body = await reader.read(min(int(length), 1 << 16)) if length.isdigit() and int(length) else b""
    raise Refused(int(status[0]) if status and status[0].isdigit() else 0, _message(body))


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, LookupError, TypeError):  # a stock server's answer, or a proxy's
        return ""
