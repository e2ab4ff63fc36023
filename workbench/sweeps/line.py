"""Messages between a sweep and its workers: JSON, one a line, over a pair of sockets. Used by pool and worker."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any


class Line:
    """One end of the pair. The other end's death is the end of the messages."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self.sock.fileno()

    def send(self, **message: Any) -> bool:
        """Send a message, and tell whether anybody is there to read it."""
        try:
            self.sock.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            return False
        return True

    def read(self) -> list[dict[str, Any]] | None:
        """Wait for messages and return them; ``None`` after the last."""
        try:
            got = self.sock.recv(1 << 16)
        except ConnectionError:
            got = b""
        if not got:
            return None
        *lines, self._rest = (self._rest + got).split(b"\n")
        return [json.loads(line) for line in lines]

    def each(self) -> Iterator[dict[str, Any]]:
        """Yield messages until the other end is closed."""
        while (messages := self.read()) is not None:
            yield from messages

    def close(self) -> None:
        """Close this end."""
        self.sock.close()
