"""Ends the remote kernel when the bridge was killed. Used by ``__main__`` and ``remote``.

``shutdown_kernel(now=True)`` kills the bridge's whole process group, so that nobody in it can clean up. The watcher is
a fork of the bridge in a session of its own, made before the bridge has imported anything, so that it costs next to no
memory. It waits for the end of its pipe, which the operating system sees to. The last line that came through it
counts: ``maybe`` (the kernel was asked for), ``up``, ``none``, or ``handed FILE`` (to the next process with this
connection file).
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from ..rest import Gateway

#: Seconds between tries. After the last one it gives up: the gateway's lease sees to the kernel.
PAUSES = (0.5, 1, 2, 4, 8, 15, 30, 30, 30)
#: Seconds within which the next process must have adopted a kernel.
ADOPTION = 30.0


class Watched:
    """The bridge's end of the pipe to its watcher."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def watch(self, gateway: Gateway, kernel_id: str) -> None:
        """Say what there would be to clean up."""
        self.tell("\n".join((gateway.url, str(gateway.token_file), str(gateway.ca_file or ""), kernel_id)))

    def tell(self, line: str) -> None:
        """Say what the matter is now."""
        with contextlib.suppress(BrokenPipeError):  # somebody killed the watcher; the bridge can do without
            os.write(self._pipe, (line + "\n").encode())


def start() -> Watched:
    """Fork the watcher. Called before there is a thread, an open connection or a large import."""
    reader, writer = os.pipe()
    if os.fork():
        os.close(reader)
        return Watched(writer)
    try:
        _be_alone(reader, writer)
        _watch(reader)
    finally:
        os._exit(0)


def _be_alone(reader: int, writer: int) -> None:
    """Leave the bridge's process group and hold nothing of it but the pipe."""
    os.setsid()
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.close(writer)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nothing, standard)
    os.dup2(reader, 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)


def _watch(reader: int) -> NoReturn:
    """Wait for the end of the bridge, then clean up if it did not."""
    said = b""
    while data := os.read(3, 4096):
        said += data
    lines = said.decode().splitlines()
    if len(lines) >= 5:
        url, token_file, ca_file, kernel_id = lines[:4]
        _clean_up(url, token_file, ca_file, kernel_id, lines[-1])
    os._exit(0)


def _clean_up(url: str, token_file: str, ca_file: str, kernel_id: str, state: str) -> None:
    from pathlib import Path

    if state == "none":
        return
    if state.startswith("handed "):
        from .. import handover

        connection_file, until = Path(state.removeprefix("handed ")), time.monotonic() + ADOPTION
        while handover.path_of(connection_file).exists() and time.monotonic() < until:
            time.sleep(0.5)
        if handover.take(connection_file, 2 * ADOPTION) is None:
            return  # the next process has it, and a watcher of its own
    from ..rest import Gateway

    gateway = Gateway(url, Path(token_file), Path(ca_file) if ca_file else None)
    for trial, pause in enumerate(PAUSES):
        if _end(gateway, kernel_id, trial, starting=state == "maybe" and trial < 3):
            return
        time.sleep(pause)


def _end(gateway: Gateway, kernel_id: str, trial: int, starting: bool) -> bool:
    """Ask the gateway to end the kernel; return whether there is nothing left to do."""
    from ..errors import KernelsError
    from ..rest import GatewayDown, KernelGone, TokenRefused

    try:
        gateway.delete(kernel_id)
    except KernelGone:
        return not starting  # the bridge may have been killed while the kernel came up
    except TokenRefused:
        return True
    except GatewayDown as error:  # ended on this computer: if it comes back with its kernels, the lease sees to them
        return error.refused and gateway.is_here and trial > 3
    except KernelsError:
        return False
    return True
