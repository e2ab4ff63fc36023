"""Notebook servers of seats, forked from one process that has Jupyter imported. ``python -P -m …room.servers SOCKET``.

A server of its own takes seconds of a processor to import what all seats have in common; forked, it begins to serve.
Run by the room, as root where seats are users of their own.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from genai4eu.kernels.warm.seats import Seats
from genai4eu.kernels.warm.settings import UNTIL

from .ahead import work_out

_MODULES = (
    "jupyterhub.singleuser", "jupyterhub.singleuser.extension", "jupyter_server.serverapp", "jupyterlab.labapp",
    "jupyter_server.services.kernels.handlers", "jupyter_server.services.contents.handlers",
    "jupyter_server.services.sessions.handlers", "jupyter_server.services.kernels.connection.channels",
    "jupyter_server.services.contents.largefilemanager", "jupyter_server.nbconvert.handlers",
    "genai4eu.kernels.warm.provisioner", "ipykernel",
)  # fmt: skip


def _serve(request: dict[str, Any]) -> int:
    from jupyterhub.singleuser import main

    _end_with(request["env"][UNTIL])
    sys.argv = ["jupyterhub-singleuser", *request["argv"]]
    gc.enable()
    main()
    return 0


def _end_with(pid: str) -> None:
    """End this server, and so its kernels, when the room does, even if that was killed."""
    watched = os.pidfd_open(int(pid))

    def watch() -> None:
        select.select([watched], [], [])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        os._exit(1)

    threading.Thread(target=watch, name="Room", daemon=True).start()


def run() -> None:
    """Import Jupyter, and fork a server for each seat that the room names."""
    for name in _MODULES:
        importlib.import_module(name)
    work_out()
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        raise RuntimeError("an import started a thread: a fork of this process could not be trusted")
    gc.collect()
    gc.freeze()
    gc.disable()
    path = Path(sys.argv[1])
    try:
        Seats(path, _serve).run()
    finally:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    run()
