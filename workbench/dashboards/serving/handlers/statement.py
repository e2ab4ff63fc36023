"""The accessibility statement, in the form of Directive (EU) 2016/2102 and of Decision (EU) 2018/1523."""

from __future__ import annotations

from .base import Base

#: The day on which the pages were last tested; who changes the pages and tests them anew changes it too.
TESTED = "2026-11-27"


class Statement(Base):
    """How accessible these pages are, and whom to tell of a barrier."""

    def initialize(self, contact: str = "") -> None:
        """Remember whom visitors may write to."""
        self.contact = contact

    def get(self) -> None:
        """Show the statement."""
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Language")
        self.finish(self.render_page("accessibility", contact=self.contact, tested=TESTED))

    head = get
