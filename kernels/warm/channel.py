"""Messages and open files between a client and the template, over a local socket. Used on both sides."""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

#: An environment may be large; nothing that speaks here sends more than this.
LARGEST = 8 << 20
_LENGTH = struct.Struct("<I")
_CREDENTIALS = struct.Struct("3i")


class ChannelError(OSError):
    """The other side said what it may not, or nothing."""


class Channel:
    """One end of a conversation: JSON objects, each with the open files that travel with it.

    Parameters
    ----------
    sock : socket.socket
        A connected stream socket of this computer; the channel closes it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._bytes = bytearray()
        self._fds: list[int] = []

    def fileno(self) -> int:
        """Return the number that ``select`` and ``poll`` wait for."""
        return self.sock.fileno()

    def send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        """Send one message whole; a socket with a timeout gives up after it."""
        content = json.dumps(message).encode()
        data = _LENGTH.pack(len(content)) + content
        sent = socket.send_fds(self.sock, [data], list(fds)) if fds else 0
        if sent < len(data):
            self.sock.sendall(data[sent:])

    def receive(self) -> tuple[dict[str, Any], list[int]]:
        """Return the next message and its open files, which are the caller's from then on.

        Raises
        ------
        ChannelError
            If the other side has gone or talks nonsense.
        TimeoutError
            If the socket's timeout passes first.
        """
        while (message := self.pop()) is None:
            self.feed()
        return message

    def feed(self) -> None:
        """Take what has arrived; called when the socket is readable."""
        data, fds, _, _ = socket.recv_fds(self.sock, 1 << 16, 8, socket.MSG_CMSG_CLOEXEC)
        self._fds += fds
        self._bytes += data
        if not data:
            raise ChannelError("the other side has gone")

    def pop(self) -> tuple[dict[str, Any], list[int]] | None:
        """Return a message that has arrived whole, with its open files, or None."""
        if len(self._bytes) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._bytes)
        if length > LARGEST:
            raise ChannelError("a message too long")
        end = _LENGTH.size + length
        if len(self._bytes) < end:
            return None
        message = _parsed(bytes(self._bytes[_LENGTH.size : end]))
        del self._bytes[:end]
        fds, self._fds = self._fds, []
        return message, fds

    def close(self) -> None:
        """Close the socket, and the open files that nobody took."""
        self.sock.close()
        for fd in self._fds:
            os.close(fd)
        self._fds = []


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        message = json.loads(data)
    except ValueError as error:
        raise ChannelError("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise ChannelError("a message that is no object")
    return message


def same_user(sock: socket.socket) -> bool:
    """Tell whether the process at the other end is this user's. Asked by both sides before they say anything."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return bool(uid == os.getuid())


def connect(path: Path, timeout: float) -> Channel:
    """Connect to the socket at ``path``, of whatever length, that one of this user's processes listens on."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    folder = None
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        sock.connect(f"/proc/self/fd/{folder}/{path.name}")  # an address may be 107 bytes long, a path longer
        if not same_user(sock):
            raise ChannelError(f"{path} belongs to another user")
    except BaseException:
        sock.close()
        raise
    finally:
        if folder is not None:
            os.close(folder)
    return Channel(sock)


def listen(path: Path) -> socket.socket:
    """Listen at ``path``, which appears only when connections are taken, and only for this user."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    before = os.umask(0o177)
    try:
        sock.bind(f"/proc/self/fd/{folder}/.{path.name}")
        sock.listen(128)
        path.with_name(f".{path.name}").replace(path)
    finally:
        os.umask(before)
        os.close(folder)
    return sock
