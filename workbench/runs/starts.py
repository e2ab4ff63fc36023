"""The start of a run's kernel, again where another process took one of its ports meanwhile. Called by the engine.

Ports are chosen before the kernel's process is there to take them, and among many starts at once, as of a sweep, two
choose the same. The kernel then ends before it is ready, or hangs and is ended, and warm ones choose anew by themselves
(both in ``warm.provisioner``).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from .client import RunClient
from .session import Session

#: Further starts.
TRIES = 3
#: The last words of a kernel that got none of its ports.
_TAKEN = b"Address already in use"


def started(make: Callable[[], RunClient], session: Session | None, options: dict[str, Any]) -> RunClient:
    """Return a client whose kernel is ready, and which ends it in ``setup_kernel``.

    Parameters
    ----------
    make : callable
        Returns a client with a new kernel manager, and so with other ports.
    session : Session or None
        Where the kernel's own prints go; without, nobody knows why a kernel has ended, and one start has to do.
    options : dict
        What the kernel's process starts with.

    Raises
    ------
    RuntimeError
        If the kernel dies before it is ready, for another reason or each time.
    """
    for left in range(TRIES, -1, -1):
        client, before = make(), _length(session)
        try:
            client.start_new_kernel(**options)
            client.start_new_kernel_client()
        except RuntimeError:
            if not left or _TAKEN not in _said(session, before):
                raise
            print("genai4eu: a port of the kernel was taken meanwhile; starting it with others", file=sys.stderr)
        else:
            return client
    raise AssertionError("the last try returns or raises")


def _length(session: Session | None) -> int:
    return os.fstat(session.kernel_log.fileno()).st_size if session and session.kernel_log else 0


def _said(session: Session | None, before: int) -> bytes:
    """Return what the kernel's process printed."""
    if session is None or session.kernel_log is None:
        return b""
    with open(session.kernel_log.name, "rb") as log:  # noqa: PTH123  # a name as it was opened
        log.seek(before)
        return log.read()
