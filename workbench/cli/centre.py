"""``genai4eu dashboards``: what a centre decides about its dashboards; ``access`` hangs its commands on this group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import app

if TYPE_CHECKING:
    from ..dashboards.dashboard import Dashboard

dashboards = typer.Typer(help="Decide about dashboards: who sees them, where they stand.", no_args_is_help=True)
app.add_typer(dashboards, name="dashboards")

Slug = Annotated[str, typer.Argument(help="Dashboard: its slug, or the beginning or end of it.")]


def named(slug: str) -> Dashboard:
    """Return the dashboard of that name; an unknown one is an error in one line."""
    from ..dashboards.dashboard import find

    return find(slug)
