"""The gateway: jupyter_server with kernels, kernelspecs and sessions, and nothing else. Started by ``__main__``.

Compatible on the wire with Jupyter Kernel Gateway. No extension is loaded and no configuration file is read, so what is
open does not depend on what else is installed on a computer.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import JUPYTER_SERVICE_HANDLERS, ServerApp, ServerWebApplication, load_handlers
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.log import gen_log
from tornado.netutil import bind_sockets

from .. import local
from ..errors import KernelsError
from .channels import Connection
from .handlers import guarded
from .identity import HeaderIdentityProvider
from .managers import GatewayKernels, LocalKernelSpecManager
from .settings import MESSAGE_LIMIT, check_host, configuration, port_error

SERVICES = ("auth", "api", "kernels", "kernelspecs", "sessions")


class WebApplication(ServerWebApplication):  # type: ignore[misc]
    """The handlers of the named services behind our guard: no static files, no login page, no metrics."""

    def init_settings(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the settings without static files, for which tornado would add handlers without a guard."""
        settings: dict[str, Any] = super().init_settings(*args, **kwargs)
        return {name: value for name, value in settings.items() if name not in ("static_path", "static_url_prefix")}

    def init_handlers(self, default_services: tuple[str, ...], settings: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Return the handlers. Called by ServerWebApplication."""
        modules = [name for service in default_services for name in JUPYTER_SERVICE_HANDLERS[service] or ()]
        return guarded([rule for name in modules for rule in load_handlers(name)])


class GatewayApp(ServerApp):  # type: ignore[misc]
    """A kernel gateway on the loopback interface.

    ``GatewayApp.make(...)`` then ``run(ready)``; SIGTERM and SIGINT end it with all its kernels.
    """

    name = "genai4eu-gateway"
    default_services = SERVICES
    kernel_manager_class = GatewayKernels
    kernel_spec_manager_class = LocalKernelSpecManager
    kernel_websocket_connection_class = Connection
    identity_provider_class = HeaderIdentityProvider
    parent_pid: int | None = None

    @classmethod
    def make(cls, host: str, port: int, token: str, folder: Path, parent_pid: int | None = None) -> GatewayApp:
        """Return a gateway that is bound to its port but does not answer yet.

        Parameters
        ----------
        host, port : str, int
            Loopback address; port 0 takes a free one.
        token : str
            What clients must send.
        folder : Path
            Working folder of the kernels; made, for this user alone.
        parent_pid : int, optional
            The process that started the gateway: when it is gone, so is the gateway.
        """
        if not token:
            raise KernelsError("a gateway needs a token: name a token file with --token-file")
        host = check_host(host)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        local.ensure()
        private = tempfile.mkdtemp(prefix="genai4eu-gateway-")  # for the kernels' connection files
        app = cls(
            config=configuration(token, folder),
            ip=host,
            port=port,
            runtime_dir=private,
        )
        app.parent_pid = parent_pid
        try:
            app.initialize(argv=[], find_extensions=False)
        except BaseException:
            shutil.rmtree(app.runtime_dir, ignore_errors=True)
            raise
        return app

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return f"http://{f'[{self.ip}]' if ':' in self.ip else self.ip}:{self.port}"

    def run(self, ready: Callable[[GatewayApp], None]) -> None:
        """Answer until a signal comes or the parent goes; ``ready`` is called as soon as the gateway answers."""
        self.io_loop.add_callback(ready, self)
        if self.parent_pid:
            PeriodicCallback(self._watch_parent, 500).start()
        try:
            self.start_ioloop()
        finally:
            shutil.rmtree(self.runtime_dir, ignore_errors=True)

    def _watch_parent(self) -> None:
        if os.getppid() != self.parent_pid and not self._stopping:
            self.stop()

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
        self.ssl_options = None
        self.identity_provider.validate_security(self)

    def init_httpserver(self) -> None:
        """Bind the port at once, so that a taken one is an error now. Called by ServerApp.initialize."""
        wanted: int = self.port  # type: ignore[has-type]
        try:
            sockets = bind_sockets(wanted, self.ip)
        except OSError as error:
            raise port_error(error, self.ip, wanted) from None
        self.port = sockets[0].getsockname()[1]
        self._http_server = HTTPServer(self.web_app, max_body_size=1 << 20)
        self._http_server.add_sockets(sockets)

    def init_signal(self) -> None:
        """End on SIGTERM and SIGINT without a question. Called by ServerApp.initialize."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None if self._stopping else self.stop(from_signal=True))

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
