"""A dashboard: one address, its versions, and what the centre decided about it. Called by publishing and the server.

::

    <slug>/site.json            what may change: which version stands, who may see it, its place in the gallery
    <slug>/versions/1, 2, …     immutable bundles, none of them ever changed
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from ..runs.files import write_json
from .bundle import Bundle

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")
SITE = "site.json"
#: What holds where ``site.json`` says nothing.
DEFAULTS: dict[str, Any] = {"current": 1, "visibility": "public", "withdrawn": False, "expires": None, "order": 0}


@dataclass(frozen=True)
class Dashboard:
    """What stands at one address."""

    folder: Path

    @property
    def slug(self) -> str:
        """Name in addresses: the folder's name."""
        return self.folder.name

    @property
    def site(self) -> dict[str, Any]:
        """What the centre decided: the content of ``site.json`` over the defaults.

        Raises
        ------
        WorkbenchError
            If the file is damaged: nobody is let in on a guess.
        """
        try:
            content = json.loads((self.folder / SITE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise WorkbenchError(f"dashboard {self.slug} is damaged: delete {self.folder} and publish its run again")
        return {**DEFAULTS, **content}

    def decide(self, **changes: Any) -> None:
        """Change what ``site.json`` says."""
        write_json(self.folder / SITE, {**self.site, **changes})

    @property
    def bundles(self) -> list[Bundle]:
        """All versions, the oldest first; half-made ones have names that are no numbers."""
        found = [p for p in (self.folder / "versions").glob("*") if p.name.isdecimal()]
        return [Bundle(p) for p in sorted(found, key=lambda p: int(p.name))]

    @property
    def current(self) -> Bundle:
        """The version that visitors see."""
        return Bundle(self.folder / "versions" / str(self.site["current"]))


def dashboards_root() -> Path:
    """Return the folder of the dashboards: ``GENAI4EU_DASHBOARDS``, or ``./dashboards``."""
    return Path(os.environ.get("GENAI4EU_DASHBOARDS") or "dashboards").absolute()


def all_dashboards(root: Path) -> list[Dashboard]:
    """Return the dashboards in a folder by slug; half-made ones have names that are no slugs."""
    if not root.is_dir():
        return []
    return [Dashboard(p) for p in sorted(root.iterdir()) if SLUG.fullmatch(p.name) and (p / SITE).is_file()]


def all_bundles(root: Path) -> list[Bundle]:
    """Return every version of every dashboard."""
    return [bundle for dashboard in all_dashboards(root) for bundle in dashboard.bundles]
