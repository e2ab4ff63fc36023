"""How a centre's dashboards stand: what each is, who sees it, in which order. Called by ``genai4eu dashboards``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ...errors import WorkbenchError
from ..dashboard import Dashboard, all_dashboards
from ..pages.entry import entries


def standing(root: Path) -> list[dict[str, Any]]:
    """Return what there is to know of each dashboard, in the gallery's order; damaged ones come last."""
    found, damaged = entries(all_dashboards(root))
    rows = [
        {
            "slug": e.slug,
            "state": _state(e.site),
            "version": e.site["current"],
            "versions": len(Dashboard(root / e.slug).bundles),
            **{name: e.site[name] for name in ("visibility", "expires", "order")},
            **{name: e.about[name] for name in ("question", "run", "published", "sector")},
            "languages": list(e.languages),
        }
        for e in found
    ]
    names = (*(rows[0] if rows else ()), "version", "visibility", "expires", "order", "question")
    return rows + [{**dict.fromkeys(names), "slug": slug, "state": "damaged"} for slug in damaged]


def _state(site: dict[str, Any] | Any) -> str:
    """Say whether a dashboard is shown to those who may see it."""
    if site["withdrawn"]:
        return "withdrawn"
    with contextlib.suppress(ValueError, TypeError):
        if site["expires"] and datetime.fromisoformat(site["expires"]) <= datetime.now(UTC):
            return "expired"
    return "shown"


def put_first(root: Path, slugs: Sequence[str]) -> list[str]:
    """Let these come first in the gallery in this order, and no others.

    Raises
    ------
    WorkbenchError
        If one is named twice, or a dashboard may not be changed; nothing is changed where one is named twice.
    """
    if twice := next((slug for slug in slugs if slugs.count(slug) > 1), None):
        raise WorkbenchError(f"{twice} is named twice: name each dashboard once")
    places = {slug: number for number, slug in enumerate(slugs, start=1)}
    for dashboard in all_dashboards(root):
        place = places.get(dashboard.slug, 0)
        try:
            changes = dashboard.site["order"] != place
        except WorkbenchError:
            continue  # a damaged one is not in the gallery
        if changes:
            dashboard.decide(order=place)
    return list(slugs)
