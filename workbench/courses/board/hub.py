"""Which seats' servers run, and which wait for their turn, as JupyterHub tells. Asked by the board's watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from ..room.folder import Room

#: Seconds that JupyterHub gets for an answer.
_PATIENCE = 5


@dataclass(frozen=True)
class Server:
    """A seat's server.

    Attributes
    ----------
    state : str
        ``off``, ``waiting`` or ``on``.
    since : float
        Since when it waits or was last used.
    """

    state: str
    since: float = 0.0


async def servers(room: Room, client: httpx.AsyncClient) -> dict[str, Server] | None:
    """Return each seat's server; None while JupyterHub does not answer: it is being started again.

    Only JupyterHub is asked, and only it sees the room's token: a seat's own server could keep it.
    """
    about = room.about
    address = f"http://127.0.0.1:{about['hub_port']}/hub/api/users?limit=500"
    try:
        answer = await client.get(address, headers={"Authorization": f"token {about['token']}"}, timeout=_PATIENCE)
        answer.raise_for_status()
        told = answer.json()
    except (httpx.HTTPError, ValueError):
        return None
    return {user["name"]: _server(user) for user in told if user.get("name") in room.seats}


def _server(user: dict[str, Any]) -> Server:
    found = (user.get("servers") or {}).get("")
    if not found:
        return Server("off")
    if found.get("pending") == "spawn":
        return Server("waiting", _at(found.get("started")))
    return Server("on" if found.get("ready") else "off", _at(found.get("last_activity")))


def _at(stamp: str | None) -> float:
    try:
        return datetime.fromisoformat(stamp or "").timestamp()
    except ValueError:
        return 0.0


def queue(found: dict[str, Server]) -> list[str]:
    """Return the seats that wait for their server, the first first."""
    return sorted((name for name, one in found.items() if one.state == "waiting"), key=lambda name: found[name].since)
