"""Notebook servers of seats, forked from one process that has Jupyter imported. ``python -P -m …room.servers SOCKET``.

A server of its own takes seconds of a processor to import what all seats have in common; forked, it begins to serve.
Run by the room, as root where seats are users of their own.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from genai4eu.kernels.warm.seats import Seats

_MODULES = (
    "jupyterhub.singleuser", "jupyterhub.singleuser.extension", "jupyter_server.serverapp", "jupyterlab.labapp",
    "jupyter_server.services.kernels.handlers", "jupyter_server.services.contents.handlers",
    "jupyter_server.services.sessions.handlers", "jupyter_server.services.kernels.connection.channels",
    "jupyter_server.services.contents.largefilemanager", "genai4eu.kernels.warm.provisioner", "ipykernel",
)  # fmt: skip


def _serve(request: dict[str, Any]) -> int:
    from jupyterhub.singleuser import main

    sys.argv = ["jupyterhub-singleuser", *request["argv"]]
    gc.enable()
    main()
    return 0


def run() -> None:
    """Import Jupyter, and fork a server for each seat that the room names."""
    for name in _MODULES:
        importlib.import_module(name)
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
