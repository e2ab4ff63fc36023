"""Who may see a dashboard. Called by the handlers."""

from __future__ import annotations

from pathlib import Path

from .dashboard import Dashboard, all_dashboards


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
    """Return the dashboards that the gallery names: public ones; a damaged one too, so that it can be mended."""
    return all_dashboards(root)
