"""The live tier as the server sees it: a process, started when a visitor first asks for it. Called by the server.

The process ends with us even if we are killed, because it reads from a pipe whose other end only we hold.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..pages import page
from . import PREFIX
from .proxy import TierGoneError, client

if TYPE_CHECKING:
    import tornado.simple_httpclient

_log = logging.getLogger("genai4eu.dashboards")
#: Seconds until a tier that nobody asks for is stopped.
IDLE = 1800
_SOCKET = "voila.sock"
#: Bytes that are kept of what the process says.
_KEPT = 4096
#: Bytes that the name of a Unix socket may have; Linux takes 107.
_LONGEST_NAME = 104
#: Variables that a kernel may see; everything else, such as tokens, stays here.
_PASSED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MPLCONFIGDIR", "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


class Tier:
    """Starts, watches and stops the process that runs Voila.

    Parameters
    ----------
    root : Path
        Folder with the bundles.
    viewers : int
        How many kernels there may be at once.
    gone : callable
        Told the id of a kernel that ended by itself; an empty one if all did, with the tier.
    """

    def __init__(self, root: Path, viewers: int, gone: Callable[[str], None]) -> None:
        self.root, self.viewers, self._gone = root, viewers, gone
        self.secret = ""
        self.socket = Path()
        self.http: tornado.simple_httpclient.SimpleAsyncHTTPClient | None = None
        #: Set while there is no tier: who waits for an answer of one that ended waits for nothing.
        self.ended = asyncio.Event()
        self.kernels = 0
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._up: asyncio.Future[bool] | None = None
        self._asked = 0.0
        self._said = bytearray()
        self._listening: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the tier while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def ready(self) -> None:
        """Start the tier unless it runs, and return when it answers.

        Raises
        ------
        TierGoneError
            If it cannot be started. Who asks next tries again.
        """
        self._asked = time.monotonic()
        if self._task is None or self._task.done():
            self._up = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._run(self._up))
        assert self._up is not None
        await asyncio.wait([self._up])
        if not self._up.result():
            raise TierGoneError

    async def stop(self) -> None:
        """End the process and its kernels, and wait for that."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self, up: asyncio.Future[bool]) -> None:
        """Start the process, follow it to its end, clean up."""
        folder = _folder()
        try:
            process = self._process = await self._start(folder)
            assert process.stdout is not None
            line = await process.stdout.readline()
            if line.strip() == b"ready":
                self.http = client(self.socket)
                self.ended.clear()
                up.set_result(True)
                await self._follow(process)
            else:
                _log.error("the live tier did not start: %s", await self._last_words())
        except OSError as error:  # no process could be made: whoever waits is told below
            self._process = None
            _log.error("the live tier could not be started: %s", error)  # the reason says all
        finally:
            self.http, self.kernels = None, 0
            self.ended.set()
            if not up.done():
                up.set_result(False)
            await _end(self._process)
            shutil.rmtree(folder, ignore_errors=True)
            self._gone("")

    async def _last_words(self) -> str:
        """Return the last line that the process said before it ended."""
        if self._listening is not None:
            await asyncio.wait([self._listening], timeout=2)  # a child of its own may still hold the pipe
        lines = self._said.decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"

    async def _start(self, folder: Path) -> asyncio.subprocess.Process:
        self.secret, self.socket = secrets.token_urlsafe(32), folder / _SOCKET
        told = {
            "root": str(self.root),
            "socket": str(self.socket),
            "secret": self.secret,
            "viewers": self.viewers,
            "kernel": _kernel(),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "genai4eu.dashboards.live.voila_process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=None if os.environ.get("GENAI4EU_LIVE_LOG") else asyncio.subprocess.PIPE,
            cwd=folder, env=_environment(folder), start_new_session=True,
        )  # fmt: skip
        if process.stderr is not None:
            self._said.clear()
            self._listening = asyncio.create_task(_drain(process.stderr, self._said))
        assert process.stdin is not None
        process.stdin.write(json.dumps(told).encode() + b"\n")  # by pipe: arguments and variables can be read by others
        return process

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        """Wait until the process ends, or nobody has asked for long and no kernel runs."""
        assert process.stdout is not None
        while True:
            try:
                async with asyncio.timeout(60):  # wait_for loses who cancels it just as a line comes, up to Python 3.11
                    line = await process.stdout.readline()
            except TimeoutError:
                if self.kernels == 0 and time.monotonic() - self._asked > IDLE:
                    return
                continue
            if not line:
                return
            what, value = line.decode().split()
            if what == "gone":
                self._gone(value)
            else:
                self.kernels = int(value)


def _folder() -> Path:
    """Make a private folder, mode 0700: nobody else reaches the socket in it, whose name the system keeps short."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(os.fsencode(folder / _SOCKET)) <= _LONGEST_NAME:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))  # made with a name of its own, for us alone


async def _drain(said: asyncio.StreamReader, kept: bytearray) -> None:
    """Read what a process says, so that it never waits for us, and keep the end of it."""
    while piece := await said.read(1 << 12):
        kept += piece
        del kept[:-_KEPT]


async def _end(process: asyncio.subprocess.Process | None) -> None:
    """Close the pipe, which asks the process to end; insist if it does not."""
    if process is None or process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), timeout=10)
    except TimeoutError:
        process.kill()
        await process.wait()


def _kernel() -> str:
    """Return the local target's kernelspec."""
    from genai4eu.kernels import local

    return local.ensure()


def _environment(folder: Path) -> dict[str, str]:
    passed = {
        k: v
        for k, v in os.environ.items()
        if k in _PASSED or k.startswith(("LC_", "XDG_", "JUPYTER_PATH", "GENAI4EU_WARM"))
    }
    paths = [str(page.ASSETS), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    # Kernels must not import what happens to lie beside them; the template is found through the data path.
    return {
        **passed,
        "JUPYTER_PATH": os.pathsep.join(paths),
        "PYTHONSAFEPATH": "1",
        "IPYTHONDIR": str(folder / "ipython"),
        # A template of our own: those of the user's may have seen tokens, and compute with all processors.
        "GENAI4EU_WARM_OWNER": folder.name,
        "GENAI4EU_WARM_AHEAD": "2",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        "MALLOC_ARENA_MAX": "1",
    }
