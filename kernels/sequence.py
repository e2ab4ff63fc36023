"""Numbered frames: how a gateway and a bridge lose and double nothing when their connection breaks. Used by both.

Every message is cut into pieces, every piece is numbered, and its sender keeps it until the other side has said that it
has it. After a break each side says which piece it had last, and the other goes on behind it. A frame is its kind, its
size, its number, the number up to which the sender has got everything (an acknowledgement that costs nothing), and the
piece.
"""

from __future__ import annotations

import struct
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .wire import MESSAGE_LIMIT, BadMessage

_HEAD = struct.Struct("<B3xIQQ")
MORE, LAST, ACKNOWLEDGEMENT = range(3)
#: Bytes in a piece: a break costs at most the piece in which it happened, so that a slow line makes headway.
PIECE = 1 << 20
#: Bytes that may be under way without an acknowledgement; what waits in the operating system's buffers is below that.
WINDOW = 8 << 20
#: Bytes from which on a WebSocket message is not filled further.
BUNDLE = 1 << 16
#: Bytes kept in memory, on disk, and, where there is no disk, altogether.
MEMORY, DISK = 64 << 20, 8 << 30
#: Acknowledge at the latest after this many pieces, bytes, or seconds.
EVERY, BYTES, SECONDS = 64, 1 << 20, 0.05


Frame = tuple[int, int, bytes | memoryview]  # kind, number, piece


def pack(frames: Sequence[Frame], received: int) -> bytes:
    """Return one WebSocket message of several frames: to send costs more than to pack."""
    parts: list[bytes | memoryview] = []
    for kind, number, piece in frames:
        parts += (_HEAD.pack(kind, len(piece), number, received), piece)
    return b"".join(parts)


def acknowledgement(received: int) -> bytes:
    """Return a WebSocket message that says nothing but what has arrived."""
    return pack([(ACKNOWLEDGEMENT, 0, b"")], received)


def unpack(data: str | bytes) -> Iterator[tuple[int, int, int, memoryview]]:
    """Yield kind, number, acknowledged number and piece of every frame in a WebSocket message."""
    if isinstance(data, str) or not data:
        raise BadMessage("no numbered frame")
    view, at = memoryview(data), 0
    while at < len(view):
        if len(view) - at < _HEAD.size:
            raise BadMessage("half a frame")
        kind, size, number, received = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        if kind > ACKNOWLEDGEMENT or size > len(view) - at:
            raise BadMessage("no numbered frame")
        yield kind, number, received, view[at : at + size]
        at += size


@dataclass(frozen=True, slots=True)
class _Piece:
    kind: int
    size: int
    data: bytes | memoryview | None  # None: it is in the file
    offset: int = 0


class Outbox:
    """What has been said and not yet been acknowledged, in order.

    The first ``MEMORY`` bytes are kept in memory, what comes behind them in a file without a name, which nobody but
    this process can open and which is gone with it.

    Parameters
    ----------
    folder : Path, optional
        Where the file may be; without one, all stays in memory and ``full`` tells the caller to wait.
    disk : int
        Bytes the file may take.
    """

    def __init__(self, folder: Path | None = None, disk: int = DISK) -> None:
        self._folder, self._disk = folder, disk
        self._pieces: deque[_Piece] = deque()
        self._file: IO[bytes] | None = None
        self._end = 0  # of the file
        self._sent = 0  # how many of ``_pieces`` are under way
        self._flying = 0  # their bytes
        self.kept = 0  # bytes in memory
        self.acknowledged = 0  # number of the last piece that the other side has
        self.reached = 0  # highest number that was ever sent

    @property
    def full(self) -> bool:
        """Whether there is more in memory than there should be."""
        return self.kept > MEMORY

    @property
    def empty(self) -> bool:
        """Whether everything has been acknowledged."""
        return not self._pieces

    def put(self, message: bytes) -> bool:
        """Take a message; return whether there was room for it. A message without room is not taken."""
        view = memoryview(message)
        starts = range(0, len(message) or 1, PIECE)
        spill = self._folder is not None and (self._end > 0 or self.kept + len(message) > MEMORY)
        if spill and not self._write(message):
            return False
        for start in starts:
            piece = view[start : start + PIECE] if len(message) > PIECE else message
            kind = LAST if start == starts[-1] else MORE
            at = self._end - len(message) + start
            self._pieces.append(_Piece(kind, len(piece), None, at) if spill else _Piece(kind, len(piece), piece))
            self.kept += 0 if spill else len(piece)
        return True

    def _write(self, message: bytes) -> bool:
        if self._end + len(message) > self._disk:
            return False
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  # it lives as long as we
            self._file.seek(self._end)
            self._file.write(message)
        except OSError:  # the disk is full, or so slow a network disk that it failed: the caller says what was lost
            return False
        self._end += len(message)
        return True

    def next(self) -> list[Frame]:
        """Return the frames to send in one WebSocket message now; none if nothing waits or enough is under way."""
        frames: list[Frame] = []
        size = 0
        while self._sent < len(self._pieces) and self._flying <= WINDOW and size < BUNDLE:
            piece = self._pieces[self._sent]
            self._sent += 1
            self._flying += piece.size
            size += piece.size
            number = self.acknowledged + self._sent
            frames.append((piece.kind, number, self._read(piece) if piece.data is None else piece.data))
            self.reached = max(self.reached, number)
        return frames

    def _read(self, piece: _Piece) -> bytes:
        assert self._file is not None
        self._file.seek(piece.offset)
        return self._file.read(piece.size)

    def acknowledge(self, number: int) -> None:
        """Drop what the other side has."""
        if number > self.acknowledged + len(self._pieces):
            raise BadMessage("an acknowledgement of what was never sent")
        while self.acknowledged < number:
            piece = self._pieces.popleft()
            self.acknowledged += 1
            self.kept -= 0 if piece.data is None else piece.size
            if self._sent:
                self._sent -= 1
                self._flying -= piece.size
        if not self._pieces and self._file is not None:
            self._file.truncate(0)
            self._end = 0

    def rewind(self) -> None:
        """Send again, after a break, what has not been acknowledged."""
        self._sent = self._flying = 0

    def unsent(self) -> list[bytes]:
        """Return the whole messages of which nothing was ever sent."""
        messages, message = [], b""
        new = max(0, self.reached - self.acknowledged)
        begun = new > 0 and new <= len(self._pieces) and self._pieces[new - 1].kind == MORE
        for piece in list(self._pieces)[new:]:
            message += bytes(piece.data if piece.data is not None else self._read(piece))
            if piece.kind == LAST:
                messages += [] if begun else [message]
                message, begun = b"", False
        return messages

    def close(self) -> None:
        """Give the disk space back."""
        self._pieces.clear()
        if self._file is not None:
            self._file.close()


class Inbox:
    """What has been heard: every piece once, and in order."""

    def __init__(self) -> None:
        self.received = 0  # number of the last piece
        self._told = 0  # up to where the other side knows
        self._bytes = 0  # since it was told
        self._begun: list[memoryview] = []
        self._size = 0

    def take(self, kind: int, number: int, piece: memoryview) -> memoryview | None:
        """Take a piece; return the message that it completes, if it does.

        Raises
        ------
        BadMessage
            If a piece is missing before it or the message is too long: the connection cannot be used further.
        """
        if number <= self.received:
            return None  # it had arrived before the break
        if number != self.received + 1 or self._size + len(piece) > MESSAGE_LIMIT:
            raise BadMessage(f"frame {number} behind frame {self.received}, or a message that is too long")
        self.received = number
        self._bytes += len(piece)
        self._size += len(piece)
        self._begun.append(piece)
        if kind == MORE:
            return None
        message = self._begun[0] if len(self._begun) == 1 else memoryview(b"".join(self._begun))
        self._begun, self._size = [], 0
        return message

    @property
    def owes(self) -> bool:
        """Whether the other side does not know yet what has arrived."""
        return self.received > self._told

    @property
    def urgent(self) -> bool:
        """Whether to tell it at once."""
        return self.received - self._told >= EVERY or self._bytes >= BYTES

    def tell(self) -> int:
        """Return the number to acknowledge, as something that is now being told."""
        self._told, self._bytes = self.received, 0
        return self.received
