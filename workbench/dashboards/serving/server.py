"""The server of the gallery: frozen pages with no kernel, and the way to the live tier. Called by ``genai4eu serve``.

Only the names below are served, whatever else lies in the folder of a dashboard.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tornado.netutil
import tornado.web

from ...errors import WorkbenchError
from ...screen import has_screen
from ..access import admission
from ..access.door import Door
from ..access.settings import NOBODY
from ..bundle import Bundle
from ..dashboard import Dashboard, all_dashboards
from ..live import capacity
from ..live.reception import Reception
from ..live.tier import Tier
from ..pages import page
from ..pages.entry import entries
from .connections import MESSAGE, Connections
from .handlers import base, downloads, frozen, gallery, kiosk, live, sign_in, statement
from .options import Options


class Server:
    """A gallery on one address, started and stopped inside a running event loop.

    Parameters
    ----------
    folder : Path
        Folder with the bundles; may appear later.
    options : Options, optional
        Where and how to serve; or one by one, as ``port=0``.

    Raises
    ------
    WorkbenchError, genai4eu.kernels.errors.KernelsError
        If the address cannot be had, or others could read along.
    """

    def __init__(self, folder: Path, options: Options | None = None, **one_by_one: Any) -> None:
        self.options = options or Options(**one_by_one)
        self.options.check()
        self.folder = folder.absolute()
        self._tls = self.options.tls()
        identity = self.options.identity()
        self._sockets = _listen(self.options.address, self.options.port)
        self.port: int = self._sockets[0].getsockname()[1]
        secure = self.options.secure
        self.door = Door(
            self.folder, names=self.options.known_names(self._tls), anywhere=self.options.anywhere,
            proxied=self.options.behind_proxy, outside=self._outside(), secure=secure,
            embedders=self.options.embed_origins, identity=identity,
            cookie="__Host-genai4eu" if secure else f"genai4eu-{self.port}",
        )  # fmt: skip
        viewers = self.options.viewers or capacity.viewers()
        first = self._first(self.options.standby)
        self.reception = Reception(self.folder, viewers, self.options.idle, first)
        self.connections: Connections | None = None

    @property
    def tier(self) -> Tier:
        """The process of the live views."""
        return self.reception.tier

    @property
    def address(self) -> str:
        """Where to open the gallery."""
        name = next(iter(self.options.names), None)
        if self.options.behind_proxy:
            return f"https://{self._outside()}/"
        host = name or self.options.host
        host = socket.gethostname() if host in ("0.0.0.0", "::") else host  # that is no address to open
        return f"http{'s' if self._tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    def _outside(self) -> str:
        """Return name and path under which a proxy shows the gallery; empty without one."""
        return f"{self.options.names[0]}{self.options.prefix}" if self.options.behind_proxy else ""

    def start(self) -> None:
        """Begin to answer. Call from a coroutine."""
        self.reception.open()
        self.connections = Connections(self._application(), ssl_options=self._tls)
        self.connections.add_sockets(self._sockets)

    async def stop(self) -> None:
        """Stop answering, and end the live tier with its kernels."""
        if self.connections is not None:
            self.connections.stop()
        for opened in self._sockets:
            opened.close()
        await self.reception.close()

    def _first(self, many: int) -> Callable[[], list[Bundle]]:
        """Return what names the first dashboards of the gallery that can be live."""

        def bundles() -> list[Bundle]:
            standing = entries(admission.listed(self.folder))[0] if many else []
            found = []
            for entry in standing:
                with contextlib.suppress(WorkbenchError):  # damaged since it was listed: the gallery says so
                    found.append(Dashboard(self.folder / entry.slug).current)
            return [bundle for bundle in found if (bundle.folder / "live.ipynb").is_file()][:many]

        return bundles

    def _application(self) -> tornado.web.Application:
        root, live_views = {"root": self.folder}, {"root": self.folder, "reception": self.reception}
        place = r"(d/[a-z0-9][a-z0-9-]{0,80}|l/[A-Za-z0-9_-]{43})"
        version = r"(?:/v/([1-9][0-9]{0,5}))?"
        media = r"([0-9a-f]{16}\.(?:png|jpg|svg|gif|webp|json|js|bin))"
        return tornado.web.Application(
            [
                (r"/", gallery.Gallery, root),
                (r"/accessibility", statement.Statement, {"contact": self.options.contact}),
                (r"/sign-in", sign_in.SignIn),
                (r"/sign-out", sign_in.SignOut),
                (r"/kiosk", kiosk.Kiosk, root),
                (r"/(kiosk-worker\.js)", kiosk.Worker, {"path": str(page.ASSETS / "static")}),
                (r"/static/(aria\.js)", base.Asset, {"path": str(page.WIDGETS)}),
                (r"/static/([\w./-]+)", base.Asset, {"path": str(page.ASSETS / "static")}),
                (rf"/{place}{version}/(evidence|)", frozen.Page, root),
                (rf"/{place}{version}/(notebook\.ipynb|card\.(?:json|md)|parameters\.json)", downloads.Download, root),
                (rf"/{place}{version}/record\.zip", downloads.Crate, root),
                (rf"/{place}{version}/citation\.cff", downloads.Cite, root),
                (rf"/{place}{version}/qr\.svg", downloads.Code, root),
                (rf"/{place}{version}/media/{media}", frozen.Media, root),
                (rf"/{place}/live/", live.Attach, live_views),
                (rf"/{place}/live/([\w-]{{20,80}})", live.LiveSocket, live_views),
                (rf"/{place}/live/([\w-]{{20,80}})/leave", live.Leave, live_views),
                (rf"/((?:{place[1:-1]})(?:/v/[1-9][0-9]{{0,5}})?)", base.Slash),
                (r"/.*", base.Missing),
            ],
            default_handler_class=base.Missing,
            log_function=lambda handler: None,
            compress_response=True,
            door=self.door,
            websocket_max_message_size=MESSAGE,
            websocket_ping_interval=20,
            xsrf_cookie_name=f"{self.door.cookie}-form",
            xsrf_cookie_kwargs={"httponly": True, "samesite": "Strict", "secure": self.door.secure, "path": "/"},
        )  # fmt: skip


def _listen(address: str, port: int) -> list[Any]:
    """Open the port, or say in one line why not."""
    try:
        return tornado.netutil.bind_sockets(port, address, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise WorkbenchError(f"port {port} is in use: stop what uses it, or choose another with --port") from None
        raise WorkbenchError(f"cannot serve on {address}:{port}: {error.strerror}") from None
    except OverflowError:
        raise WorkbenchError(f"{port} is no port: choose one in 0..65535") from None


def serve(folder: Path, options: Options, *, open_browser: bool = True) -> None:
    """Serve until Ctrl-C or SIGTERM, then end everything that was started.

    Raises
    ------
    WorkbenchError, genai4eu.kernels.errors.KernelsError
        If the address cannot be used.
    """
    asyncio.run(_serve(Server(folder, options), open_browser))


async def _serve(server: Server, open_browser: bool) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, done.set)
    server.start()
    print(f"Dashboards are at {server.address} (Ctrl-C stops)", flush=True)
    if not all_dashboards(server.folder):
        print(f"genai4eu: no dashboard in {server.folder} yet: genai4eu publish RUN", file=sys.stderr, flush=True)
    if server.door.identity is None and (hidden := admission.private(server.folder)):
        what = f"{', '.join(hidden[:3])}{', …' if len(hidden) > 3 else ''}: private"
        print(f"genai4eu: {what}, and {NOBODY}", file=sys.stderr, flush=True)
    if open_browser and has_screen() and not server.options.behind_proxy:
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
    server = Server(folder, Options(**{"port": 0, **options}))
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
