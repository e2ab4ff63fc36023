"""Where the agent listens: one port of the node, open to the holder of the relay's key. Used by ``agent``."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil
import zmq
import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from ..files import write_json
from .lane import boot_id, prepare


def open_door(
    context: zmq.asyncio.Context, door: zmq.asyncio.Socket, relay_key: bytes, folder: Path
) -> AsyncioAuthenticator:
    """Bind a port that the system chooses, let the one relay in, and write into ``folder`` how to reach us."""
    authenticator = AsyncioAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback("*", _OneKey(relay_key))
    prepare(door)
    door.router_handover = True
    public, secret = zmq.curve_keypair()
    door.curve_secretkey, door.curve_publickey, door.curve_server = secret, public, True
    port = door.bind_to_random_port("tcp://*")
    node = os.environ.get("SLURMD_NODENAME") or socket.gethostname()
    about = {"port": port, "addresses": addresses(), "key": public.decode(), "boot": boot_id(), "node": node}
    write_json(folder / "agent.json", about, 0o600)
    return authenticator


class _OneKey:
    """Lets in whoever has the relay's key. Asked by pyzmq for each connection."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def callback(self, domain: str, key: bytes) -> bool:
        """Return whether ``key`` may connect."""
        return key == self._key


def addresses() -> list[str]:
    """Return where this node may be reached: its name first, then its addresses."""
    names = [os.environ.get("SLURMD_NODENAME", ""), socket.gethostname()]
    found = [a.address for list_ in psutil.net_if_addrs().values() for a in list_ if a.family == socket.AF_INET]
    return [a for a in dict.fromkeys([*names, *found]) if a and not a.startswith("127.")]
