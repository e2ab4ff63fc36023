"""The gateway: jupyter_server with kernels, kernelspecs and sessions, and nothing else. Started by ``__main__``.

Compatible on the wire with Jupyter Kernel Gateway. No extension is loaded and no configuration file is read, so what is
open does not depend on what else is installed on a computer.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import resource
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from typing import Any

from jupyter_server.serverapp import ServerApp
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.log import gen_log
from tornado.netutil import bind_sockets

from .. import local
from ..errors import KernelsError
from ..tokens import strong_token
from . import certificate, keeper
from .attach import attach_all
from .caretaker import EVERY, Caretaker
from .channels import Connection
from .identity import HeaderIdentityProvider
from .managers import GatewayKernels
from .meters import Meters
from .settings import MESSAGE_LIMIT, Options, configuration, port_error
from .specs import LocalKernelSpecManager
from .state import State, default_state
from .users import User, Users, digest
from .web import WebApplication


class GatewayApp(ServerApp):  # type: ignore[misc]
    """A kernel gateway: ``GatewayApp.make(options)``, then ``run(ready)``.

    SIGINT ends it with all its kernels. SIGTERM lets running cells end, then leaves the kernels to the next gateway
    (not where it has a parent process: there it is as SIGINT).
    """

    name = "genai4eu-gateway"
    default_services = ()
    kernel_manager_class = GatewayKernels
    kernel_spec_manager_class = LocalKernelSpecManager
    kernel_websocket_connection_class = Connection
    identity_provider_class = HeaderIdentityProvider
    options: Options
    state: State
    tls: ssl.SSLContext | None
    caretaker: Caretaker
    leaving = False
    _keeper: subprocess.Popen[bytes] | None = None

    @classmethod
    def make(cls, options: Options) -> GatewayApp:
        """Return a gateway that is bound to its port but does not answer yet.

        Raises
        ------
        KernelsError
            In one line: no users, an open address, a taken port, a wrong certificate, another gateway in the folder.
        """
        address, tls = options.address(), options.tls()
        state = State(options.state)
        state.take_or_say()
        try:
            users = _users(options, state)
            work = options.work or state.folder / "work"
            work.mkdir(parents=True, exist_ok=True, mode=0o700)
            local.ensure()
            remote = options.behind_proxy or tls is not None
            settings = {"ip": address, "port": options.port, "runtime_dir": str(state.runtime)}
            app = cls(config=configuration(work, remote), **settings)
            app.options, app.state, app.tls = options, state, tls
            app.initialize(argv=[], find_extensions=False)
        except BaseException:
            state.unmake()
            state.withdraw()
            raise
        app.identity_provider.users = users
        app._equip(app.kernel_manager)
        app.caretaker = Caretaker(app.kernel_manager, users, options.cull_idle)
        return app

    def _equip(self, kernels: GatewayKernels) -> None:
        kernels.records, kernels.audit, kernels.meters = self.state.records, self.state.audit, Meters()
        kernels.run_files = self.state.records.run_files
        kernels.survive = self.options.survive
        kernels.meters.count(
            lambda: ((record.owner, record.kernelspec) for record in kernels.records.of()), lambda: len(kernels.opened)
        )
        if self.options.survive:
            kernels.when_one_is_there = self._have_keeper

    @property
    def url(self) -> str:
        """Address of the gateway."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{f'[{self.ip}]' if ':' in self.ip else self.ip}:{self.port}"

    @property
    def public(self) -> str:
        """Address to tell people: where it listens on every address of the computer, a guess by name."""
        if not self.options.everywhere:
            return self.url
        named = None
        if self.tls is not None and self.options.certfile is not None:
            named = certificate.first_name(self.tls, self.options.certfile)
        return f"{'https' if self.tls else 'http'}://{named or socket.getfqdn()}:{self.port}"

    def run(self, ready: Callable[[GatewayApp], None]) -> None:
        """Answer until a signal comes or the parent goes; ``ready`` is called as soon as the gateway answers."""
        self.io_loop.add_callback(self._begin, ready)
        try:
            self.start_ioloop()
        finally:
            self.state.withdraw()

    async def _begin(self, ready: Callable[[GatewayApp], None]) -> None:
        """Take over what an earlier gateway left, then answer."""
        kernels: GatewayKernels = self.kernel_manager
        try:
            if self.options.survive:
                await attach_all(kernels)
            self._http_server.add_sockets(self._sockets)
            private = self.tls is not None and certificate.is_private(self.tls)
            self.state.announce(self.url, public=self.public, guess=self.options.everywhere, private=private)
            self.state.audit.write("gateway start", address=self.url, kernels=len(kernels))
            PeriodicCallback(self.caretaker.look, EVERY * 1000).start()
            if self.options.parent_pid:
                PeriodicCallback(self._watch_parent, 500).start()
            ready(self)
        except BaseException:
            self.stop()
            raise

    def _have_keeper(self) -> None:
        """Make sure that somebody ends the kernels if no gateway comes back."""
        if self._keeper is None or self._keeper.poll() is not None:
            self._keeper = keeper.start(self.state.folder, self.options.patience)

    def _watch_parent(self) -> None:
        if os.getppid() != self.options.parent_pid and not self._stopping:
            self.stop()

    async def drain(self) -> None:
        """Take no new kernels, wait for running cells, then go and leave the kernels where they are."""
        kernels: GatewayKernels = self.kernel_manager
        kernels.draining = True
        self.state.audit.write("gateway drain")
        until = time.monotonic() + self.options.drain
        while time.monotonic() < until and any(self.caretaker.busy(i) for i in list(kernels._kernels)):
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)  # for what these cells said last to reach their clients
        self.leaving = True
        self.stop()

    async def cleanup_kernels(self) -> None:
        """End the kernels, or leave them. Called by ServerApp when it stops."""
        if self.leaving:
            self.kernel_manager.leave_all()
        else:
            await self.kernel_manager.end_all("the gateway ended")
        self.state.audit.write("gateway end", kernels=len(self.kernel_manager))

    async def _stop(self) -> None:
        """End, whatever goes wrong on the way. Called by ServerApp.stop."""
        try:
            await self._cleanup()
        finally:
            self.io_loop.stop()

    def init_logging(self) -> None:
        """Keep out a warning that takes jupyter_server's milliseconds for seconds. Called by ServerApp.initialize."""
        super().init_logging()
        gen_log.addFilter(lambda record: "websocket_ping_timeout" not in str(record.msg))

    def init_webapp(self) -> None:
        """Make the web application. Called by ServerApp.initialize."""
        self.web_app = WebApplication(
            self, self.default_services, self.kernel_manager, self.contents_manager, self.session_manager,
            self.kernel_spec_manager, self.config_manager, self.event_logger, [], self.log, "/", "/",
            {"websocket_max_message_size": MESSAGE_LIMIT, "xsrf_cookies": False}, {},
            authorizer=self.authorizer, identity_provider=self.identity_provider,
            kernel_websocket_connection_class=self.kernel_websocket_connection_class,
        )  # fmt: skip

    def init_httpserver(self) -> None:
        """Bind the port at once, so that a taken one is an error now. Called by ServerApp.initialize."""
        wanted: int = self.port  # type: ignore[has-type]
        try:
            self._sockets = bind_sockets(wanted, self.ip, backlog=512)
        except OSError as error:
            raise port_error(error, self.ip, wanted) from None
        self.port = self._sockets[0].getsockname()[1]
        # Whoever opens a connection and says nothing, or little at a time, is not waited for.
        limits = {
            "max_body_size": 1 << 20,
            "max_header_size": 1 << 15,
            "idle_connection_timeout": 60,
            "body_timeout": 30,
        }
        proxy = {"xheaders": self.options.behind_proxy}
        self._http_server = HTTPServer(self.web_app, ssl_options=self.tls, **limits, **proxy)

    def init_resources(self) -> None:
        """Ask for as many descriptors as there may be: a kernel and its client take about fifteen."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    def init_signal(self) -> None:
        """End on signals without a question. Called by ServerApp.initialize."""
        signal.signal(signal.SIGINT, lambda *_: self._end())
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._go() if self.options.survive else self._end())

    def _end(self) -> None:
        if not self._stopping:
            self.stop(from_signal=True)

    def _go(self) -> None:
        if not self._stopping and not self.kernel_manager.draining:
            self.io_loop.add_callback_from_signal(self.drain)

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Read no configuration file."""

    def migrate_config(self) -> None:
        """Copy no settings into the user's home."""

    def write_server_info_file(self) -> None:
        """Leave no copy of the token."""

    def remove_server_info_file(self) -> None:
        """There is none."""

    def remove_browser_open_files(self) -> None:
        """There are none."""


def _users(options: Options, state: State) -> Users:
    """Return who may use the gateway; nobody is no answer."""
    users = state.users()
    if options.token_file is not None:
        if users.all():
            raise KernelsError(
                f"a token file is for a gateway of one person, and {state.folder} has users: leave out --token-file, "
                "or name another folder with --state"
            )
        return Users([User(getpass.getuser(), digest(strong_token(options.token_file)), operator=True)])
    if not any(user.state() == "active" for user in users.all().values()):
        at = f" --state {state.folder}" if options.state != default_state() else ""
        raise KernelsError(
            f"nobody may use this gateway yet: type genai4eu gateway add-user NAME{at} first, or give --token-file "
            "for a gateway of your own"
        )
    return users
