"""What the client has asked and not been told yet. Used by ``bridge``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Cells whose end the bridge itself has told and whose later output it still knows to be nobody's.
_REMEMBERED = 1000


@dataclass
class Request:
    """A request: its header and channel, and how much of its answer has come."""

    header: dict[str, Any]
    channel: str
    replied: bool = False
    idle: bool = False

    @property
    def is_cell(self) -> bool:
        """Whether it executes something."""
        return bool(self.header["msg_type"] == "execute_request")


class Requests:
    """The open requests, by message id, in the order of asking."""

    def __init__(self) -> None:
        self._open: dict[str, Request] = {}
        self._ended: dict[str, None] = {}
        self._last: dict[str, Any] = {}
        self.left: set[str] = set()  # cells that ended for the client and may still run in the kernel

    def ask(self, channel: str, header: dict[str, Any]) -> Request:
        """Note a message of the client."""
        request = Request(header, channel)
        if header["msg_type"].endswith("_request"):
            self._open[header["msg_id"]] = request
        if request.is_cell:
            self._last = header
        return request

    def hear(self, channel: str, parent: str, idle: bool) -> None:
        """Note a message of the kernel."""
        request = self._open.get(parent)
        if idle:
            self.left.discard(parent)
        if request is None:
            return
        if request.is_cell:
            self.left.clear()  # what runs now waited for it to end
        request.replied |= channel == request.channel
        request.idle |= idle
        if request.replied and (request.idle or not request.is_cell):
            del self._open[parent]

    @property
    def cells(self) -> list[Request]:
        """The cells that run or wait to."""
        return [request for request in self._open.values() if request.is_cell]

    @property
    def current(self) -> dict[str, Any]:
        """Header of the cell that runs, else of the last one; empty if there was none."""
        return self.cells[0].header if self.cells else self._last

    def end(self, spare: frozenset[str] = frozenset()) -> list[Request]:
        """Return the open requests but for those to spare: nothing that comes for them later is let through."""
        ended = [request for asked, request in self._open.items() if asked not in spare]
        for request in ended:
            self.close(request)
            self.left |= {request.header["msg_id"]} if request.is_cell else set()
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]
        return ended

    def close(self, request: Request) -> None:
        """End one request: nothing that comes for it later is let through."""
        self._open.pop(request.header["msg_id"], None)
        self._ended[request.header["msg_id"]] = None

    def forget(self, request: Request) -> None:
        """Note nothing of a request that the bridge answers itself."""
        self._open.pop(request.header["msg_id"], None)

    def is_over(self, parent: str) -> bool:
        """Whether the bridge itself has ended the request ``parent``."""
        return parent in self._ended
