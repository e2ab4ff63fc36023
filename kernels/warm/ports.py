"""Ports for kernels that nobody else is given meanwhile. Called by the provisioner.

A kernel's ports are chosen a second before its process is there to take them. What Jupyter asks the system for, the
system gives to the next who asks, and to every connection that is opened: among many starts at once some kernel finds a
port taken, and an ordinary one then waits for minutes instead of ending. So a process that starts kernels chooses from
a block of ports below those that the system gives out; who has bound the first port of a block has the block.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.connect import LocalPortCache

#: The lowest port that is chosen, and where Linux says from which one on it gives out ports itself.
_LOWEST, _RANGE = 10_000, Path("/proc/sys/net/ipv4/ip_local_port_range")
#: Ports of a block.
_SIZE = 64
#: This process's blocks, by the sockets that have bound their first ports.
_blocks: dict[int, socket.socket] = {}
_choosing = threading.Lock()


def find(ip: str) -> int:
    """Return a port of an address of this computer that nothing listens on and that was not returned before."""
    cache = LocalPortCache.instance()
    with _choosing:
        for first in _starts():
            if first in _blocks or _take(first):
                for port in range(first + 1, first + _SIZE):
                    if port not in cache.currently_used_ports and _free(ip, port):
                        cache.currently_used_ports.add(port)
                        return port
    return int(cache.find_available_port(ip))


def missed(wanted: set[int], pid: int) -> set[int] | None:
    """Return which ports a process wants and others listen on; None while it has not taken all that it wants.

    Raises
    ------
    psutil.Error
        If the process has ended, or the system does not tell.
    """
    if wanted <= _listened(psutil.Process(pid).net_connections("tcp")):
        return set()
    return wanted & _listened(one for one in psutil.net_connections("tcp") if one.pid != pid) or None


def _listened(sockets: Iterable[Any]) -> set[int]:
    return {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}


def _starts() -> list[int]:
    """Return where blocks begin: our own, and then all others in any order."""
    try:
        highest = int(_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):  # another system, which does not say
        return []
    others = list(range(_LOWEST, highest - _SIZE, _SIZE))
    random.shuffle(others)
    return [*(first for first in _blocks if first + _SIZE <= highest), *others]


def _take(first: int) -> bool:
    guard = socket.socket()
    try:
        guard.bind(("127.0.0.1", first))
    except OSError:
        guard.close()
        return False
    _blocks[first] = guard
    return True


def _free(ip: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((ip, port))
        except OSError:
            return False
    return True


def _anew() -> None:
    """Begin without blocks: in a fork, those are its parent's, and a thread that chose one is not there."""
    global _choosing
    _choosing = threading.Lock()
    _blocks.clear()


os.register_at_fork(after_in_child=_anew)
