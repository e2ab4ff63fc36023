"""Whether a room can be reached at its address: asked before it is made or opened, and once it is open."""

from __future__ import annotations

import errno
import re
import socket

from ...errors import WorkbenchError

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")


def named(name: str) -> None:
    """Look at a name that participants are to type.

    Raises
    ------
    WorkbenchError
        If no browser takes it for a computer's name or address.
    """
    if not _NAME.fullmatch(name):
        raise WorkbenchError(f"--name {name!r} is no computer's name or address: give one, as course.example.org")


def free(host: str, port: int, remedy: str) -> None:
    """Listen at an address for a moment, so that a room that nobody would reach is not opened.

    Parameters
    ----------
    remedy : str
        What to do where something listens there already.

    Raises
    ------
    WorkbenchError
        If it is in use, or none of this computer's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        raise WorkbenchError(f"--host {host} is no address: give one of this computer's, or 0.0.0.0 for all") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)  # a bound socket of somebody who listens too is no hindrance to bind alone
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise WorkbenchError(f"port {port} of {host} is in use: {remedy}") from None
            if error.errno == errno.EADDRNOTAVAIL:
                what = f"--host {host} is no address of this computer: give one of its own, or 0.0.0.0 for all"
                raise WorkbenchError(what) from None
            raise WorkbenchError(f"port {port} of {host} cannot be listened on ({error.strerror}): {remedy}") from None


def near(host: str) -> str:
    """Return where this computer itself reaches what listens at an address."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
