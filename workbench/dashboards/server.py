"""The server of the gallery: frozen pages with no kernel, and the way to the live tier. Called by ``genai4eu serve``.

Only the names below are served, whatever else lies in the folder of a dashboard.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tornado.httpserver
import tornado.netutil
import tornado.web

from ..errors import WorkbenchError
from ..screen import has_screen
from . import page
from .answers import is_loopback
from .handlers import base, frozen, gallery, live
from .tier import Tier

PORT = 8866


class Server:
    """A gallery on one address, started and stopped inside a running event loop.

    Parameters
    ----------
    folder : Path
        Folder with the bundles; may appear later.
    host : str
        A loopback address: without accounts, nobody else is let in.
    port : int
        Port; 0 takes a free one.
    viewers : int
        How many visitors may use a live view at once; the others keep the recorded page.

    Raises
    ------
    WorkbenchError
        If the address is not a loopback one, or taken.
    """

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = PORT, viewers: int = 8) -> None:
        self._folder = folder.absolute()
        self._sockets = _listen(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        self.tier = Tier(self._folder, viewers)
        self._http: tornado.httpserver.HTTPServer | None = None

    def start(self) -> None:
        """Begin to answer. Call from a coroutine."""
        self._http = tornado.httpserver.HTTPServer(self._application(), xheaders=False)
        self._http.add_sockets(self._sockets)

    async def stop(self) -> None:
        """Stop answering, and end the live tier with its kernels."""
        if self._http is not None:
            self._http.stop()
        for opened in self._sockets:
            opened.close()
        await self.tier.stop()

    def _application(self) -> tornado.web.Application:
        root, tier = {"root": self._folder}, {"root": self._folder, "tier": self.tier}
        place = r"(d/[a-z0-9][a-z0-9-]{0,80})"
        media = r"([0-9a-f]{16}\.(?:png|jpg|svg|gif|webp|json|js|bin))"
        return tornado.web.Application(
            [
                (r"/", gallery.Gallery, root),
                (r"/static/(aria\.js)", base.Asset, {"path": str(page.WIDGETS)}),
                (r"/static/([\w./-]+)", base.Asset, {"path": str(page.ASSETS / "static")}),
                (rf"/{place}/(evidence|)", frozen.Page, root),
                (rf"/{place}/(notebook\.ipynb|card\.(?:json|md))", frozen.Download, root),
                (rf"/{place}/media/{media}", frozen.Media, root),
                (rf"/{place}/live/status", live.LiveStatus, tier),
                (rf"/{place}/live/", live.LivePage, tier),
                (rf"/{place}", base.Slash),
                (r"/live/(api/kernels/[0-9a-f-]{36}/channels)", live.LiveSocket, tier),
                (r"/live/((?:voila/(?:static|templates|labextensions|api)|api/kernels)/.+)", live.LivePart, tier),
                (r"/.*", base.Missing),
            ],
            default_handler_class=base.Missing,
            log_function=lambda handler: None,
            websocket_max_message_size=64 * 2**20,
        )  # fmt: skip


def _listen(host: str, port: int) -> list[Any]:
    """Open the port, or say in one line why not."""
    name = "127.0.0.1" if host == "localhost" else host
    if not is_loopback(name):
        raise WorkbenchError(f"cannot serve on {host}: only this computer may connect for now, use --host 127.0.0.1")
    try:
        return tornado.netutil.bind_sockets(port, name)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise WorkbenchError(f"port {port} is in use: stop what uses it, or choose another with --port") from None
        raise WorkbenchError(f"cannot serve on {host}:{port}: {error.strerror}") from None
    except OverflowError:
        raise WorkbenchError(f"{port} is no port: choose one in 0..65535") from None


def serve(
    folder: Path, host: str = "127.0.0.1", port: int = PORT, *, open_browser: bool = True, viewers: int = 8
) -> None:
    """Serve until Ctrl-C or SIGTERM, then end everything that was started.

    Raises
    ------
    WorkbenchError
        If the address cannot be used.
    """
    asyncio.run(_serve(Server(folder, host, port, viewers), open_browser))


async def _serve(server: Server, open_browser: bool) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, done.set)
    server.start()
    print(f"Dashboards are at {server.address} (Ctrl-C stops)", flush=True)
    if open_browser and has_screen():
        threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
    try:
        await done.wait()
    finally:
        await server.stop()


@contextlib.contextmanager
def running(folder: Path, **options: Any) -> Iterator[Server]:
    """Serve from a thread of its own while the block runs; for tests and notebooks.

    Yields
    ------
    Server
        Its ``address`` answers already.
    """
    server = Server(folder, **{"port": 0, **options})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="dashboards", daemon=True)
    thread.start()
    loop.call_soon_threadsafe(server.start)
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
