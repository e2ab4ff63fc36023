"""Who may see a dashboard. Called by the handlers, by publishing and by ``genai4eu dashboards``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import WorkbenchError
from ..dashboard import SITE, Dashboard, all_dashboards
from .links import Link, add_link, links_of, past, revoke_link, until
from .visibility import decisions, sentence

if TYPE_CHECKING:
    from .register import Register
    from .visitor import Visitor

__all__ = [
    "Closed", "Link", "add_link", "admitted", "let_in", "links_of", "listed", "may_see", "private", "revoke_link",
    "until",
]  # fmt: skip


def let_in(
    dashboard: Dashboard, visibility: str, users: list[str] | None = None, groups: list[str] | None = None
) -> str:
    """Decide who sees a dashboard; return that in a sentence.

    Parameters and what is raised are those of :func:`~.visibility.decisions`; who was named before is named no more.
    """
    decided = decisions(visibility, users=users, groups=groups)
    dashboard.decide(**{"users": None, "groups": None, **decided})
    return sentence(dashboard.slug, dashboard.site)


class Closed(Exception):
    """A visitor is not let in.

    Parameters
    ----------
    why : {"missing", "withdrawn", "ended", "link ended"}
        What the visitor may know of it: of what is somebody else's, not even that it is there.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def admitted(register: Register, root: Path, place: str, visitor: Visitor | None = None) -> Dashboard:
    """Return the dashboard at an address.

    Parameters
    ----------
    place : str
        ``d/<slug>`` or ``l/<token>``.
    visitor : Visitor, optional
        Who asks, where that is known.

    Raises
    ------
    Closed
        If this visitor may not see it, or nobody may any more.
    WorkbenchError
        If it is damaged.
    """
    kind, _, name = place.partition("/")
    dashboard = _by_link(register, name) if kind == "l" else Dashboard(root / name)
    if not (dashboard.folder / SITE).is_file():
        raise Closed("missing")
    site = dashboard.site
    if not (kind == "l" or may_see(site, visitor)):
        raise Closed("missing")
    if site["withdrawn"]:
        raise Closed("withdrawn")
    if past(site["expires"]):
        raise Closed("ended")
    return dashboard


def _by_link(register: Register, token: str) -> Dashboard:
    found = register.find(token)
    if found is None or found[0].site["visibility"] not in ("link", "public"):
        raise Closed("missing")
    if past(found[1].get("expires")):
        raise Closed("link ended")
    return found[0]


def may_see(site: Mapping[str, Any], visitor: Visitor | None) -> bool:
    """Tell whether somebody without a link may see a dashboard of which this was decided."""
    if site["visibility"] == "public":
        return True
    if site["visibility"] != "private" or visitor is None:
        return False
    users, groups = site.get("users"), site.get("groups")
    if users is None and groups is None:
        return True
    return visitor.name in (users or []) or not visitor.groups.isdisjoint(groups or [])


def listed(root: Path, visitor: Visitor | None = None) -> list[Dashboard]:
    """Return the dashboards that the gallery names to a visitor: public ones, and private ones that they may see."""
    return [dashboard for dashboard in all_dashboards(root) if _listed(dashboard, visitor)]


def private(root: Path) -> list[str]:
    """Return the slugs of dashboards that only those see who sign in."""
    found = []
    for dashboard in all_dashboards(root):
        with contextlib.suppress(WorkbenchError):  # damaged: the gallery says so
            if dashboard.site["visibility"] == "private":
                found.append(dashboard.slug)
    return found


def _listed(dashboard: Dashboard, visitor: Visitor | None) -> bool:
    try:
        site = dashboard.site
    except WorkbenchError:  # what it was decided to be cannot be read: its name may be nobody's business
        return False
    return may_see(site, visitor) and not site["withdrawn"] and not past(site["expires"])
