"""The live tier's own process: a hardened, stand-alone Voila on a private Unix socket. Started by ``tier`` alone.

Reads one JSON line from its standard input; says ``ready``, whenever it changes ``kernels N``, and ``gone ID`` of a
kernel that ended by itself on its standard output; ends when its standard input closes: with its parent, however that
ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from ... import lean  # noqa: F401  # before all that imports jsonschema: a visitor waits for us

# isort: split
import nbformat
import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.web
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config
from voila import handler, notebook_renderer
from voila.app import Voila
from voila.execute import VoilaExecutor
from voila.voila_identity_provider import VoilaIdentityProvider

from ...errors import WorkbenchError
from ...kernels.errors import KernelsError
from ...kernels.warm import client as warm
from ...kernels.warm.settings import REHEARSE, UNTIL, wanted
from ...runs.context import BUNDLE_VARIABLE
from ..dashboard import all_bundles
from . import PREFIX, thrift

BASE = "/live/"
#: What the server before us asks for: no page's files, no tree, no contents, no login, no listing.
_KEPT = re.compile(r"/live/(api/kernels/\(\?P<kernel_id>.*channels|voila/(api/shutdown|render)/)")
#: Seconds that one cell may take.
_LONGEST_CELL = 100
#: Seconds until a kernel ends that nobody is connected to; a part has 120 to be executed, and is connected to then.
FORGOTTEN = 180
#: Seconds between looks at whether the kernels live.
_LOOK = 0.5
#: By how many thousandths of the computer's memory our processes count as larger where it runs out, of at most 1000.
_GIVES_WAY = 500
#: Characters that our folder's name may have to hold the kernels' sockets, whose names may have 104 in all.
_LONGEST = 38
_TOLD_ABOUT_REQUEST = ("HTTP_", "VOILA_", "SERVER_", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING")


#: Our parent's end of our standard output; kernels and libraries write elsewhere, so that they cannot disturb it.
_parent = os.dup(sys.stdout.fileno()) if __name__ == "__main__" else -1


def _say(line: str) -> None:
    os.write(_parent, f"{line}\n".encode())


class LiveKernels(AsyncMappingKernelManager):  # type: ignore[misc]
    """Kernels that see their bundle, and nothing of the request or of us."""

    kernel = "python3"
    work = Path()
    viewers = 1

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        #: Kernels that have a place but are not listed yet: starting one takes a while, and others ask meanwhile.
        self._starting: set[str] = set()
        #: Since when nobody is connected to a kernel: whoever asked for it may have gone before it was ready.
        self._alone: dict[str, float] = {}

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return len(self._starting.union(self.list_kernel_ids()))

    async def start_kernel(self, **options: Any) -> str:
        """Start a kernel for the notebook in ``path``, a bundle's folder.

        Raises
        ------
        tornado.web.HTTPError
            503 where no place is free.
        """
        if self.taken >= self.viewers:
            raise tornado.web.HTTPError(503)
        kernel_id = options.setdefault("kernel_id", str(uuid.uuid4()))
        self._starting.add(kernel_id)
        _tell(self)
        try:
            return await self._start(**options)
        finally:
            self._starting.discard(kernel_id)
            _tell(self)

    async def _start(self, **options: Any) -> str:
        bundle = Path(self.root_dir) / str(options.pop("path", ""))
        environment = {k: v for k, v in options.pop("env", os.environ).items() if not k.startswith(_TOLD_ABOUT_REQUEST)}
        environment[BUNDLE_VARIABLE] = str(bundle)
        folder = tempfile.mkdtemp(dir=self.work, prefix="viewer-")  # a bundle is never written to
        options |= {"kernel_name": self.kernel, "env": environment, "cwd": folder}
        started: str = await super().start_kernel(**options)
        return started

    async def look(self) -> None:
        """Say which kernels have ended by themselves: what they held is lost, so they are not started again."""
        for kernel_id in self.list_kernel_ids():
            manager = self._kernels.get(kernel_id)
            if manager is None or manager.shutting_down or kernel_id in self._starting:
                continue
            if await manager.is_alive() and not self._forgotten(kernel_id):
                continue
            _say(f"gone {kernel_id}")
            await self.shutdown_kernel(kernel_id, now=True)

    def _forgotten(self, kernel_id: str) -> bool:
        """Tell whether nobody has connected to a kernel for longer than any part may take to execute."""
        if self._kernel_connections.get(kernel_id):
            self._alone.pop(kernel_id, None)
            return False
        return time.monotonic() - self._alone.setdefault(kernel_id, time.monotonic()) > FORGOTTEN

    def remove_kernel(self, kernel_id: str) -> Any:
        """Say how many are left."""
        removed = super().remove_kernel(kernel_id)
        self._alone.pop(kernel_id, None)
        _tell(self)
        return removed


def _tell(kernels: LiveKernels) -> None:
    _say(f"kernels {kernels.taken}")


class LiveExecutor(VoilaExecutor):  # type: ignore[misc]
    """Says of a failed cell which software is missing, if that is why, and no more."""

    _begun = False

    async def execute_cell(self, cell: Any, *args: Any, **options: Any) -> Any:
        """Execute a cell; where the kernel dies or takes too long, the cell has failed as by an error of its own."""
        if not self._begun:
            self._begun = True
            self.kc.execute(thrift.CODE, silent=True, store_history=False, allow_stdin=False)
        try:
            return await super().execute_cell(cell, *args, **options)
        except CellExecutionError:
            raise
        except Exception as error:
            cell.outputs = [nbformat.v4.new_output("error", ename=type(error).__name__, evalue="", traceback=[])]
            raise CellExecutionError("", type(error).__name__, "") from error

    def strip_code_cell_errors(self, cell: nbformat.NotebookNode) -> nbformat.NotebookNode:
        """Replace an error by the name of the software that is missing, or by nothing; never a traceback."""
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                missing = re.search(r"No module named '([\w.]+)'", output["evalue"])
                lacking = output["ename"] in ("ModuleNotFoundError", "ImportError") and missing
                output.update(ename="", evalue=missing[1] if lacking and missing else "", traceback=[])
        return cell


class LiveVoila(Voila):  # type: ignore[misc]
    """Voila for all bundles of a folder, on a Unix socket."""

    socket_path = ""

    def init_handlers(self) -> list[Any]:
        """Keep only what a live page needs."""
        return [h for h in super().init_handlers() if _KEPT.match(h[0])]

    def listen(self) -> None:
        """Listen, say so, and serve until told to stop."""
        server = tornado.httpserver.HTTPServer(self.app)
        server.add_socket(tornado.netutil.bind_unix_socket(self.socket_path, mode=0o600))
        self.ioloop = tornado.ioloop.IOLoop.current()
        threading.Thread(target=self._watch, daemon=True).start()
        look = tornado.ioloop.PeriodicCallback(self.kernel_manager.look, _LOOK * 1000)
        look.start()
        _say("ready")
        try:
            self.ioloop.start()
        finally:
            server.stop()
            self.stop()

    def _watch(self) -> None:
        """Stop when the parent is gone: its end of our standard input closes."""
        sys.stdin.buffer.read()
        self.ioloop.add_callback(self.ioloop.stop)


def _config(told: dict[str, Any]) -> Config:
    config = Config()
    config.Voila.root_dir = told["root"]
    if len(str(LiveKernels.work)) <= _LONGEST:
        config.Voila.connection_dir_root = str(LiveKernels.work)  # goes with our folder, however we end
    config.Voila.base_url = BASE
    config.Voila.token = told["secret"]
    config.Voila.identity_provider_class = VoilaIdentityProvider
    config.Voila.open_browser = False
    config.Voila.config_file_paths = []  # no configuration of the computer may open what is closed here
    config.Voila.log_level = logging.WARNING
    own = config.VoilaConfiguration
    own.template, own.allow_template_override, own.allow_theme_override = "genai4eu", "NO", "NO"
    own.file_allowlist = []
    own.show_tracebacks = False
    own.multi_kernel_manager_class = LiveKernels
    config.KernelManager.transport = "ipc"  # no port that others on this computer could listen to
    config.KernelManager.autorestart = False  # a kernel started again would know nothing of its viewer
    config.ZMQChannelsWebsocketConnection.limit_rate = False  # a volume's data passes whole, or not at all
    config.VoilaExecutor.timeout = _LONGEST_CELL
    return config


def _warm(root: Path) -> None:
    """Start a template of our own, so that the first kernel is warm; it ends with us, and has seen no token."""
    if not wanted(os.environ):
        return
    os.environ[UNTIL] = str(os.getpid())
    os.environ[REHEARSE] = ",".join(_shown(root))
    try:
        warm.ensure(wait=True)
    except KernelsError as why:  # kernels start the ordinary way here: slower, but they start
        logging.getLogger(__name__).warning("%s", why)


def _shown(root: Path) -> list[str]:
    """Return the names of the use cases that have a dashboard: what these have in common is to be in memory once."""
    names = set()
    for bundle in all_bundles(root):
        with contextlib.suppress(WorkbenchError):  # damaged: whoever opens it is told
            names.add(bundle.info.get("usecase"))
    return sorted(name for name in names if isinstance(name, str))


def _first_to_go() -> None:
    """Let the system, where memory runs out, end the largest of us and our kernels before the server and others."""
    with contextlib.suppress(OSError):  # no such file where the system is another
        Path("/proc/self/oom_score_adj").write_text(str(_GIVES_WAY), encoding="ascii")


def main() -> None:
    """Run until the standard input closes."""
    _first_to_go()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    told = json.loads(sys.stdin.readline())
    notebook_renderer.VoilaExecutor = LiveExecutor  # Voila offers no setting for the class
    handler.get_page_config = lambda **_: {}  # looks for the extensions of a page that nobody will see
    LiveKernels.kernel, LiveKernels.work, LiveKernels.viewers = (
        told["kernel"],
        Path(told["socket"]).parent,
        told["viewers"],
    )
    LiveVoila.socket_path = told["socket"]
    warming = threading.Thread(target=_warm, args=(Path(told["root"]),))
    warming.start()
    asyncio.set_event_loop(asyncio.new_event_loop())
    app = LiveVoila.instance(config=_config(told))
    app.initialize([])
    warming.join()
    app.start()
    if LiveKernels.work.name.startswith(PREFIX):  # our parent does it too, unless it was killed
        shutil.rmtree(LiveKernels.work, ignore_errors=True)


if __name__ == "__main__":
    main()
