"""``genai4eu dashboards access|link|links|revoke``: who sees a dashboard."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from ..errors import WorkbenchError
from .centre import Slug, dashboards, named
from .show import Json, emit, table

if TYPE_CHECKING:
    from ..dashboards.dashboard import Dashboard

Address = Annotated[str, typer.Option(help="Address of the gallery, as visitors reach it.")]
HERE = "http://127.0.0.1:8866/"


@dashboards.command("access")
def access(
    slug: Slug,
    visibility: Annotated[str, typer.Argument(help="public, link or private.", metavar="public|link|private")],
    users: Annotated[
        str | None, typer.Option(help="With private: who may see it, as a,b; without, whoever signs in.")
    ] = None,
    groups: Annotated[str | None, typer.Option(help="With private: groups whose members may see it, as a,b.")] = None,
) -> None:
    """Decide who sees a dashboard: everyone, who has a link, or who signs in."""
    from ..dashboards.access.admission import let_in
    from ..dashboards.access.settings import NOBODY, signing_in

    print(let_in(named(slug), visibility, users=_names(users), groups=_names(groups)))
    if visibility == "private" and not signing_in():
        print(NOBODY, file=sys.stderr)


def _names(given: str | None) -> list[str] | None:
    return None if given is None else [name for part in given.split(",") if (name := part.strip())]


@dashboards.command("link")
def link(
    slug: Slug,
    name: Annotated[str | None, typer.Option(help="Name to list and revoke it by, such as who gets it.")] = None,
    expires: Annotated[str | None, typer.Option(help="Last day of the link, such as 2026-12-24.")] = None,
    url: Address = HERE,
    as_json: Json = False,
) -> None:
    """Make an unguessable link to a dashboard; it is shown this once."""
    from ..dashboards.access.admission import add_link, links_of, until

    gallery = urlsplit(url)
    if gallery.scheme not in ("http", "https") or not gallery.hostname:
        raise WorkbenchError(f"--url {url!r} is no address of a gallery: write it like https://dashboards.example.org/")
    dashboard = named(slug)
    token = add_link(dashboard, name, until(expires) if expires else None)
    made = links_of(dashboard)[-1]
    address = f"{url.rstrip('/')}/l/{token}/"
    if as_json:
        emit({"slug": dashboard.slug, "name": made.name, "expires": made.expires, "url": address})
        return
    print(address)
    for line in _hints(dashboard, made.name):
        print(line, file=sys.stderr)
    if url == HERE:
        print("it opens on this computer alone; --url names your gallery as visitors reach it", file=sys.stderr)


def _hints(dashboard: Dashboard, name: str) -> list[str]:
    """Return what whoever made a link should know of it."""
    slug, seen = dashboard.slug, dashboard.site["visibility"]
    hints = {
        "private": [f"{slug} is private, where links open nothing: genai4eu dashboards access {slug} link"],
        "public": [f"{slug} stands in the gallery too: genai4eu dashboards access {slug} link leaves it to its links"],
    }
    return [*hints.get(seen, []), f"shown this once; take it back: genai4eu dashboards revoke {slug} {name!r}"]


@dashboards.command("links")
def links(slug: Slug, as_json: Json = False) -> None:
    """List the links of a dashboard; their addresses cannot be shown again."""
    from ..dashboards.access.admission import links_of

    dashboard = named(slug)
    found = links_of(dashboard)
    if as_json:
        emit([{"name": f.name, "made": f.made, "expires": f.expires, "ended": f.ended} for f in found])
    elif not found:
        print(f"{dashboard.slug} has no links; make one: genai4eu dashboards link {dashboard.slug}")
    else:
        rows = [[f.name, f.made, f.expires or "", "ended" if f.ended else ""] for f in found]
        table(["link", "made", "until", ""], rows)


@dashboards.command("revoke")
def revoke(
    slug: Slug, name: Annotated[str, typer.Argument(help="Name of the link, as 'dashboards links' shows it.")]
) -> None:
    """Take a link back; from now on it opens nothing."""
    from ..dashboards.access.admission import revoke_link

    dashboard = named(slug)
    revoke_link(dashboard, name)
    left = len(dashboard.site["links"])
    print(f"revoked: {name}; {dashboard.slug} has {left} link{'s' * (left != 1)} left")
