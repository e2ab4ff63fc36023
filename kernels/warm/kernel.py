"""An IPython kernel made in two halves: what needs no connection, and what does. Used by the template's children."""

from __future__ import annotations

import concurrent.futures
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq
from ipykernel import ipkernel as _ipkernel
from ipykernel.kernelapp import IPKernelApp
from IPython.core import shellapp as _shellapp
from IPython.core.application import BaseIPythonApplication
from IPython.core.history import HistoryManager

from .late import make_up
from .unread import loggers_unread, modules_unread

if TYPE_CHECKING:
    from .preload import Preloaded

#: Stands in the settings until the connection file is known: tools ask whether they name one.
_LATER = "later.json"
_App: Any = IPKernelApp  # half typed: in strict mode each call of it were an error
ipkernel: Any = _ipkernel
shellapp: Any = _shellapp


class WarmKernelApp(_App):  # type: ignore[misc]
    """IPython's kernel; its sockets are bound, and its user's code is run, in the second half."""

    known = False

    def make(self, options: list[str], code_files: list[str]) -> None:
        """Do all that needs neither connection nor the user's folder: sockets, threads, shell."""
        self.parent_handle = 1  # the child watches its client itself, not its parent: that is the template
        BaseIPythonApplication.initialize(self, ["-f", _LATER, *options])
        self.init_pdb()
        self.init_blackhole()
        self.transport = "ipc"  # until it is known, or it would warn of what may not come
        self.init_sockets()
        self.init_io()
        self.init_signal()
        with _no_session_yet(), modules_unread(ipkernel):
            self.init_kernel()
        self._tell_debugger(code_files)
        self.init_shell()
        make_up()
        self._rehearse()

    def connect(self, connection_file: str) -> None:
        """Bind the sockets to what the connection file says; from now on clients reach them."""
        self.config.IPKernelApp.connection_file = connection_file
        self.connection_file = connection_file
        self.transport = "tcp"
        self.init_connection_file()
        self.known = True
        if self.curve_secretkey is None and self.transport == "tcp":
            self.log.warning("Kernel is running over TCP without encryption: others on this computer may listen.")
        self._bind()
        self.init_heartbeat()
        self.write_connection_file()
        self.log_connection_info()
        self.kernel.record_ports({f"{name}_port": port for name, port in self._ports.items()})

    def settle(self, loaded: Preloaded) -> None:
        """Do what depends on the user's variables and folder, and run the user's startup code."""
        self.shell.init_environment()
        if session := os.environ.get("JPY_SESSION_NAME"):
            self.shell.user_ns["__session__"] = session
        self.shell.starting_dir = str(Path.cwd())
        self.shell.history_manager.dir_hist[:] = [Path.cwd()]
        self.shell.history_manager.new_session()
        self.init_gui_pylab()
        self.init_extensions()
        with modules_unread(shellapp):
            self.init_code()
        self.shell._sys_modules_keys = loaded.modules_now()
        sys.stdout.flush()
        sys.stderr.flush()

    def _configure_logging(self) -> None:
        with loggers_unread():
            super()._configure_logging()

    def _tell_debugger(self, code_files: list[str]) -> None:
        """Give the debugger the template's own list of the code that is not the user's."""
        self.kernel._kernel_modules = code_files
        if debugger := getattr(self.kernel, "debugger", None):
            debugger.kernel_modules = code_files

    def _rehearse(self) -> None:
        """Run through what the first request will: memory shared with the template is copied where it is touched."""
        self.shell.run_cell("pass", silent=True, store_history=False)
        self._everywhere(lambda name: None)
        self.init_path()

    def _bind(self) -> None:
        """Bind each socket in the thread that uses it."""
        self._everywhere(self._open)
        self._apply_curve_client_options(self.debug_shell_socket)
        self.debug_shell_socket.connect(self.shell_socket.getsockopt(zmq.LAST_ENDPOINT))

    def _everywhere(self, function: Callable[[str], None]) -> None:
        """Call a function for each socket by name, in its thread, and wait for all."""
        threads = {"shell": self.shell_channel_thread, "control": self.control_thread, "iopub": self.iopub_thread}
        calls = [_within(thread.io_loop, partial(function, name)) for name, thread in threads.items() if thread]
        for name in ("stdin", *(() if self.shell_channel_thread else ("shell",))):
            function(name)
        for call in calls:
            call.result(timeout=30)

    def _open(self, name: str) -> None:
        sock = self.iopub_thread.socket if name == "iopub" else getattr(self, f"{name}_socket")
        self._apply_curve_server_options(sock)
        setattr(self, f"{name}_port", self._bind_socket(sock, getattr(self, f"{name}_port")))

    def _bind_socket(self, sock: Any, port: int) -> Any:
        return super()._bind_socket(sock, port) if self.known else port


def _within(loop: Any, function: Callable[[], None]) -> concurrent.futures.Future[None]:
    """Call a function in the thread of a loop."""
    done: concurrent.futures.Future[None] = concurrent.futures.Future()

    def call() -> None:
        try:
            function()
            done.set_result(None)
        except BaseException as error:  # noqa: BLE001  # belongs to whoever waits
            done.set_exception(error)

    loop.add_callback(call)
    return done


@contextmanager
def _no_session_yet() -> Iterator[None]:
    """Begin no session in the user's history: nobody may ever ask for this kernel."""
    original = HistoryManager.new_session
    HistoryManager.new_session = lambda self, conn=None: None
    try:
        yield
    finally:
        HistoryManager.new_session = original
