"""``genai4eu dashboards list|withdraw|restore|order``: thin over ``genai4eu.dashboards.decisions``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from .centre import Slug, dashboards, named
from .show import Json, emit_rows, table


@dashboards.command("list")
def list_(as_json: Json = False) -> None:
    """List all dashboards in the gallery's order: version, who sees them, until when."""
    from ..dashboards.dashboard import dashboards_root
    from ..dashboards.serving.standing import standing

    rows = standing(dashboards_root())
    if as_json:
        emit_rows(rows)
        return
    if not rows:
        print(f"There is no dashboard in {dashboards_root()}: type 'genai4eu publish latest'")
        return
    headings = ["dashboard", "state", "version", "seen by", "last day", "first", "title"]
    table(headings, [_row(about) for about in rows])


def _row(about: dict[str, object]) -> list[str]:
    kept = about.get("versions") or 0
    version = f"{about['version']} of {kept}" if about["version"] and kept != 1 else about["version"]
    shown = {**about, "version": version, "expires": _day(about["expires"])}
    names = ("slug", "state", "version", "visibility", "expires", "order", "question")
    return ["" if shown[name] in (None, 0) else str(shown[name]) for name in names]


def _day(end: object) -> str:
    """Return the last day as a person wrote it: the end of one is the midnight after it."""
    try:
        when = datetime.fromisoformat(str(end)).astimezone()
    except ValueError:
        return str(end or "")
    if (when.hour, when.minute) == (0, 0):
        return f"{when - timedelta(days=1):%Y-%m-%d}"
    return f"{when:%Y-%m-%d %H:%M}"


@dashboards.command()
def withdraw(slug: Slug) -> None:
    """Take a dashboard out of sight, and keep it: nobody sees it until it is restored."""
    named(slug).decide(withdrawn=True)
    print(f"{named(slug).slug} is withdrawn: 'genai4eu dashboards restore {named(slug).slug}' shows it again")


@dashboards.command()
def restore(slug: Slug) -> None:
    """Show a withdrawn dashboard again, to whom it was shown before."""
    named(slug).decide(withdrawn=False)
    print(f"{named(slug).slug} is shown again")


@dashboards.command()
def order(
    slugs: Annotated[list[str] | None, typer.Argument(metavar="SLUG…", help="What comes first, in this order.")] = None,
) -> None:
    """Put dashboards first in the gallery, in this order; the others follow, the latest first. None undoes it."""
    from ..dashboards.dashboard import dashboards_root
    from ..dashboards.serving.standing import put_first

    first = put_first(dashboards_root(), [named(slug).slug for slug in slugs or []])
    print(f"First in the gallery: {', '.join(first)}" if first else "The latest published come first in the gallery")
