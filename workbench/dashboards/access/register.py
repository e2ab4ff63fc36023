"""Which dashboard a link leads to: the digests of all links, looked up in memory. Called by ``access``."""

from __future__ import annotations

import hmac
import time
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ..dashboard import Dashboard, all_dashboards
from .links import digest

#: Seconds after which a link is looked for on disk again that was not found.
FRESH = 1.0


class Register:
    """The links of the dashboards in a folder.

    A token is looked up by its SHA-256, and never compared letter by letter: the time of an answer says nothing about
    how near a guess came. A link that was revoked is refused at once, a new one known within a second.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._slugs: dict[str, str] = {}
        self._read = float("-inf")

    def find(self, token: str) -> tuple[Dashboard, dict[str, Any]] | None:
        """Return the dashboard of a token and what is known of the link, or ``None`` where there is none."""
        wanted = digest(token)
        if wanted not in self._slugs and time.monotonic() - self._read > FRESH:
            self._slugs, self._read = _slugs(self._root), time.monotonic()
        if wanted not in self._slugs:
            return None
        dashboard = Dashboard(self._root / self._slugs[wanted])
        about = next((link for link in _links(dashboard) if hmac.compare_digest(str(link.get("sha256")), wanted)), None)
        if about is None:  # revoked, or taken down, since we looked
            del self._slugs[wanted]
            return None
        return dashboard, about


def _slugs(root: Path) -> dict[str, str]:
    return {str(link.get("sha256")): dashboard.slug for dashboard in all_dashboards(root) for link in _links(dashboard)}


def _links(dashboard: Dashboard) -> list[dict[str, Any]]:
    """Return what is known of the links; none where the file is damaged: nobody is let in on a guess."""
    try:
        links = dashboard.site.get("links")
    except WorkbenchError:
        return []
    return [about for about in links.values() if isinstance(about, dict)] if isinstance(links, dict) else []
