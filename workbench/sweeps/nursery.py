"""The nursery of a sweep: imports what runs need once, and forks the workers. Started by ``pool``, as a process.

Forked from here and not from the sweep's own process: that may be a kernel or a terminal with threads, which no fork
survives. Ends when the sweep's process does, however that ended; so do the workers, each by its own line.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from .. import lean  # noqa: F401  # before all that imports jsonschema
from ..runs.plan import Plan
from .folder import Sweep
from .line import Line
from .worker import prepare, work


def serve(control: socket.socket, sweep: Sweep) -> None:
    """Fork a worker for each socket that comes, until no more can come."""
    plan = sweep.plan()
    prepare()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's to handle, which tells the workers
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers: their lines tell of their end
    while True:
        _, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not fds:
            return
        if os.fork() == 0:
            control.close()
            _be_worker(Line(socket.socket(fileno=fds[0])), sweep, plan)
        os.close(fds[0])


def _be_worker(line: Line, sweep: Sweep, plan: Plan) -> NoReturn:
    """Work, then end without what the nursery has still to do at its own end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        status = work(line, sweep, plan)
    except BaseException:  # noqa: BLE001  # a forked process: nobody above may see it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), Sweep(Path(sys.argv[2])))
