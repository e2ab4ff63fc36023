"""The gallery: the page that lists dashboards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...access import admission
from ...pages.choice import PAGE, Choice, options
from ...pages.entry import entries
from .base import FROZEN, Base


class Gallery(Base):
    """The list of dashboards, searched and filtered as its address says."""

    #: The search is a form that leads to this page.
    policy = FROZEN.replace("form-action 'none'", "form-action 'self'")

    def initialize(self, root: Path) -> None:
        """Remember where the dashboards are."""
        self.root = root

    def get(self) -> None:
        """Show the dashboards that this visitor may see; name those that are damaged."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        self.finish(self.render_page("gallery", **self._shown()))

    head = get

    def _shown(self) -> dict[str, Any]:
        standing, damaged = entries(admission.listed(self.root, self.visitor))
        choice = Choice.asked(lambda name: self.get_query_argument(name, ""))
        found = choice.among(standing)
        pages = max(1, -(-len(found) // PAGE))
        page = min(choice.page, pages)
        return {
            "choice": choice,
            "options": options(standing, choice),
            "standing": len(standing),
            "found": len(found),
            "shown": found[(page - 1) * PAGE : page * PAGE],
            "page": page,
            "pages": pages,
            "damaged": damaged,
        }
