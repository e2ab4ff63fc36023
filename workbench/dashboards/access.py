"""Who may see a dashboard. Called by the handlers, by publishing and by ``genai4eu dashboards``."""

from __future__ import annotations

from pathlib import Path

from ..errors import WorkbenchError
from .dashboard import Dashboard, all_dashboards
from .links import Link, add_link, links_of, revoke_link, until
from .visibility import decisions

__all__ = ["Link", "add_link", "admitted", "let_in", "links_of", "listed", "revoke_link", "until"]

_SENTENCES = {
    "public": "{0} is public: it stands in the gallery",
    "link": "{0} is seen with a link alone, {1} made so far: genai4eu dashboards link {0}",
    "private": "{0} is private: {2} may see it after signing in",
}


def let_in(
    dashboard: Dashboard, visibility: str, users: list[str] | None = None, groups: list[str] | None = None
) -> str:
    """Decide who sees a dashboard; return that in a sentence.

    Parameters
    ----------
    visibility : {"public", "link", "private"}
        Everyone, who has a link, or who signs in.
    users, groups : list of str, optional
        With ``private``: who of those that sign in; everyone of them where neither is given.

    Raises
    ------
    WorkbenchError
        If there is no such visibility, or people are named where nobody signs in.
    """
    decided = decisions(visibility, None)
    if visibility != "private" and (users is not None or groups is not None):
        raise WorkbenchError(f"users and groups are for private dashboards: {visibility} asks nobody for a name")
    if [] in (users, groups):
        raise WorkbenchError("no name was given: name at least one, or leave the option out")
    dashboard.decide(**decided, users=users, groups=groups)
    who = ", ".join([*(users or []), *(f"group {name}" for name in groups or [])]) or "everyone"
    return _SENTENCES[visibility].format(dashboard.slug, len(links_of(dashboard)), who)


def admitted(root: Path, place: str) -> Dashboard | None:
    """Return the dashboard at an address (``d/<slug>``), where the visitor may see it.

    Raises
    ------
    WorkbenchError
        If it is damaged.
    """
    dashboard = Dashboard(root / place.removeprefix("d/"))
    if not (dashboard.folder / "site.json").is_file():
        return None
    site = dashboard.site
    return None if site["withdrawn"] or site["visibility"] != "public" else dashboard


def listed(root: Path) -> list[Dashboard]:
    """Return the dashboards that the gallery names: those that all may see."""
    return [dashboard for dashboard in all_dashboards(root) if _in_the_open(dashboard)]


def _in_the_open(dashboard: Dashboard) -> bool:
    try:
        site = dashboard.site
    except WorkbenchError:  # what it was decided to be cannot be read: its name may be nobody's business
        return False
    return site["visibility"] == "public" and not site["withdrawn"]
