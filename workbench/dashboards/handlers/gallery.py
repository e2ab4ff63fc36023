"""The gallery: the page that lists dashboards."""

from __future__ import annotations

from pathlib import Path

from ...errors import WorkbenchError
from .. import access, page
from .base import Base


class Gallery(Base):
    """The list of dashboards."""

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def get(self) -> None:
        """Show every dashboard that all may see; name those that are damaged."""
        found, damaged = [], []
        for dashboard in access.listed(self.root):
            try:
                found.append(dashboard.current.info)
            except WorkbenchError:
                damaged.append(dashboard.slug)
        self.set_header("Cache-Control", "no-cache")
        self.finish(self.render_page("gallery", groups=page.by_sector(found), damaged=damaged))

    head = get
