"""What visitors ask for, without a browser. Called by tests of who is let in."""

from __future__ import annotations

import httpx

from genai4eu.dashboards.dashboard import Dashboard
from genai4eu.dashboards.serving.server import Server


def client(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.address)


def places(dashboard: Dashboard, place: str) -> list[str]:
    """Everything that can be asked for below a place."""
    media = sorted(p.name for p in (dashboard.current.folder / "media").iterdir())
    names = ["", "evidence", "notebook.ipynb", *(f"media/{name}" for name in media)]
    return [f"{place}/{name}" for name in names]
