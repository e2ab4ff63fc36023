"""The live tier as the server sees it: a process, started when a visitor first asks for it. Called by the server.

The process ends with us even if we are killed, because it reads from a pipe whose other end only we hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import page

if TYPE_CHECKING:
    import tornado.simple_httpclient

#: Seconds until a tier that nobody asks for is stopped.
IDLE = 1800
#: What the names of the tier's own folders begin with.
PREFIX = "genai4eu-live-"
#: Variables that a kernel may see; everything else, such as tokens, stays here.
_PASSED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MPLCONFIGDIR", "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
_FAILED = "The live view could not be started on this computer. The recorded result is complete."
_STARTING = "The live view is starting."


class Tier:
    """Starts, watches and stops the process that runs Voila.

    Parameters
    ----------
    root : Path
        Folder with the bundles.
    viewers : int
        How many may use a live view at once.
    """

    def __init__(self, root: Path, viewers: int) -> None:
        self.root, self.viewers = root, viewers
        self.secret = ""
        self.socket = Path()
        self.http: tornado.simple_httpclient.SimpleAsyncHTTPClient | None = None
        self.error = ""
        self.kernels = 0
        #: How many open pages look at each kernel.
        self.watched: Counter[str] = Counter()
        self._background: set[asyncio.Task[None]] = set()
        self._folder: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._asked = 0.0

    @property
    def pid(self) -> int | None:
        """Process id of the tier while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def wake(self) -> dict[str, Any]:
        """Start the tier unless it runs; return its state and a sentence for the visitor."""
        self._asked = time.monotonic()
        if self.http is not None:
            if self.kernels >= self.viewers:
                from .proxy import FULL

                return {"state": "failed", "sentence": FULL}
            return {"state": "ready", "sentence": ""}
        if self._task is None or self._task.done():
            if self.error:  # tell once, then the next touch may try again
                sentence, self.error = self.error, ""
                return {"state": "failed", "sentence": sentence}
            self._task = asyncio.create_task(self._run())
        return {"state": "starting", "sentence": _STARTING}

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something later, unless the tier is stopped before."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def stop(self) -> None:
        """End the process and its kernels, and wait for that."""
        tasks = [*self._background, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        """Start the process, follow it to its end, clean up."""
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # mode 0700: nobody else reaches the socket
        try:
            process = self._process = await self._start(self._folder)
            assert process.stdout is not None
            line = await process.stdout.readline()
            if line.strip() == b"ready":
                from .proxy import client

                self.http = client(self.socket)
                await self._follow(process)
            else:
                self.error = _FAILED
        except OSError:
            self.error = _FAILED
        finally:
            self.http, self.kernels = None, 0
            await _end(self._process)
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self, folder: Path) -> asyncio.subprocess.Process:
        self.secret, self.socket = secrets.token_urlsafe(32), folder / "voila.sock"
        told = {
            "root": str(self.root),
            "socket": str(self.socket),
            "secret": self.secret,
            "viewers": self.viewers,
            "kernel": _kernel(),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "genai4eu.dashboards.voila_process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=None if os.environ.get("GENAI4EU_LIVE_LOG") else asyncio.subprocess.DEVNULL,
            cwd=folder, env=_environment(folder), start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(told).encode() + b"\n")  # by pipe: arguments and variables can be read by others
        return process

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        """Wait until the process ends, or nobody has asked for long and no kernel runs."""
        assert process.stdout is not None
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), timeout=60)
            except TimeoutError:
                if self.kernels == 0 and time.monotonic() - self._asked > IDLE:
                    return
                continue
            if not line:
                return
            self.kernels = int(line.split()[-1])


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
    }
