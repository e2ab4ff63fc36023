"""A network that a test can spoil: a TCP proxy before a gateway."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress


class Proxy:
    """Hands bytes to and fro, until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._flowing = threading.Event()
        self._flowing.set()
        self._swallowed: set[socket.socket] = set()
        self._left: float = float("inf")  # bytes to the client until the next cut
        self._listen(0)

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    self._reset(near)
                    continue
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pairs.append((near, far))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._hand_on, args=(source, sink, sink is near), daemon=True).start()

    def _hand_on(self, source: socket.socket, sink: socket.socket, home: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self._flowing.wait()
                if source in self._swallowed:
                    continue
                if home and len(data) >= self._left:
                    sink.sendall(data[: int(self._left)])  # in the middle of a frame, as often as not
                    self._left = float("inf")
                    self.cut()
                    return
                self._left -= len(data) if home else 0
                sink.sendall(data)
        self._reset(source, sink)

    @staticmethod
    def _reset(*sockets: socket.socket) -> None:
        """Close with a reset: what is on its way is lost."""
        for end in sockets:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut(self) -> None:
        """Break every connection; new ones are let through."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            self._reset(*pair)

    def cut_after(self, count: int) -> None:
        """Break every connection when so many bytes have come from the gateway."""
        self._left = count

    def stall(self, seconds: float) -> None:
        """Let nothing through for a while, then break every connection: what piled up is lost."""
        self._flowing.clear()
        time.sleep(seconds)
        self.cut()
        self._flowing.set()

    def swallow(self) -> None:
        """Leave every connection open and let nothing through it any more, without a word to either side."""
        self._swallowed |= {end for pair in self._pairs for end in pair}

    def down(self) -> None:
        """Break every connection and refuse new ones."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def up(self, port: int | None = None) -> None:
        """Take connections again, at the same port; the gateway behind it may have moved."""
        self._port = port or self._port
        self._listen(self.port)

    def close(self) -> None:
        """Let nothing through any more."""
        self.down()
