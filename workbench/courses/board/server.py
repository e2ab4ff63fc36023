"""The board's server, behind JupyterHub's proxy at ``/services/board/``. Run by the module, and by tests."""

from __future__ import annotations

import asyncio
import signal
from http import HTTPStatus

import tornado.httpserver
import tornado.netutil
import tornado.web

from ...errors import WorkbenchError
from ..room.folder import Room
from . import handlers
from .actions import Actions
from .diary import Diary
from .door import Door
from .sheets import Sheets
from .watch import Watch

#: Where JupyterHub's proxy shows the board.
PLACE = "/services/board"


class Server:
    """A room's board on this computer's own address.

    Parameters
    ----------
    room : Room
        Which room.
    port : int, optional
        Where to listen; else where the room says.
    slow : float, optional
        Seconds that a wrong key waits.

    Raises
    ------
    WorkbenchError
        If the room has no board, or the port cannot be had.
    """

    def __init__(self, room: Room, port: int | None = None, slow: float = 1.0) -> None:
        about = room.about
        if "board_key" not in about or "board_port" not in about:
            raise WorkbenchError(f"{room.folder} has no board: 'genai4eu course start' makes rooms that have one")
        diary = Diary(room)
        self.watch = Watch(room, diary)
        door = Door(about["board_key"], slow)
        sheets = Sheets(room)
        actions = Actions(room, diary, self.watch, sheets)
        self.board = handlers.Board(room, diary, self.watch, actions, door, sheets)
        number = about["board_port"] if port is None else port
        try:
            self._sockets = tornado.netutil.bind_sockets(number, "127.0.0.1")
        except OSError as error:
            raise WorkbenchError(f"the board cannot listen on port {number}: {error.strerror}") from None
        self.port: int = self._sockets[0].getsockname()[1]
        self._server: tornado.httpserver.HTTPServer | None = None

    @property
    def address(self) -> str:
        """Where it is on this computer."""
        return f"http://127.0.0.1:{self.port}{PLACE}/"

    def start(self) -> None:
        """Begin to answer. Call from a coroutine."""
        self._server = tornado.httpserver.HTTPServer(
            _application(self.board), max_body_size=handlers.MOST, max_header_size=16 << 10,
            body_timeout=10, idle_connection_timeout=120,
        )  # fmt: skip
        self._server.add_sockets(self._sockets)

    async def stop(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.stop()
            await self._server.close_all_connections()
        await self.watch.close()


def _application(board: handlers.Board) -> tornado.web.Application:
    shared = {"board": board}
    return tornado.web.Application(
        [
            (PLACE, handlers.Slash, shared),
            (rf"{PLACE}/", handlers.Shell, shared),
            (rf"{PLACE}/static/([\w./-]+)", handlers.Asset, shared),
            (rf"{PLACE}/api/page", handlers.Page, shared),
            (rf"{PLACE}/api/state", handlers.State, shared),
            (rf"{PLACE}/api/act", handlers.Act, shared),
            (rf"{PLACE}/api/seat/([\w-]+)", handlers.OfSeat, shared),
            (rf"{PLACE}/api/look/([\w-]+)", handlers.Look, shared),
            (rf"{PLACE}/api/sheet/([\w-]+)", handlers.Sheet, shared),
            (r"/.*", handlers.Missing, shared),
        ],
        compress_response=True,
        log_function=_log,
    )


def _log(handler: tornado.web.RequestHandler) -> None:
    """Leave out addresses of requests: every few seconds the same; what failed tells of itself."""
    if handler.get_status() >= HTTPStatus.INTERNAL_SERVER_ERROR:
        print(f"{handler.get_status()} {handler.request.method} {handler.request.path}", flush=True)


async def serve(room: Room) -> None:
    """Serve until told to end."""
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    server = Server(room)
    server.start()
    try:
        await done.wait()
    finally:
        await server.stop()
