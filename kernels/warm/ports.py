"""Ports for kernels that the system gives to nobody else meanwhile. Called by the provisioner.

A kernel's ports are chosen a second before its process is there to take them. What Jupyter asks the system for, the
system gives to the next who asks, and to every connection that is opened: among many starts at once some kernel finds a
port taken, and an ordinary one then waits for minutes instead of ending.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

from jupyter_client.connect import LocalPortCache

#: The lowest port that is chosen, and where Linux says from which one on it gives out ports itself.
_LOWEST, _RANGE = 10_000, Path("/proc/sys/net/ipv4/ip_local_port_range")
#: How often one is drawn before the system is asked after all, and how many there must be to draw from.
_DRAWS, _ENOUGH = 200, 1000


def find(ip: str) -> int:
    """Return a port of an address of this computer that nothing listens on and that was not returned before."""
    cache, highest = LocalPortCache.instance(), _highest()
    for _ in range(_DRAWS if highest - _LOWEST >= _ENOUGH else 0):
        port = random.SystemRandom().randrange(_LOWEST, highest)
        if port not in cache.currently_used_ports and _free(ip, port):
            cache.currently_used_ports.add(port)
            return port
    return int(cache.find_available_port(ip))


def _highest() -> int:
    try:
        return int(_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError):  # another system, which does not say
        return 0


def _free(ip: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((ip, port))
        except OSError:
            return False
    return True
