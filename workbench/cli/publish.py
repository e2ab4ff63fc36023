"""``genai4eu publish|republish|unpublish``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit

if TYPE_CHECKING:
    from ..dashboards.published import Published

_Title = Annotated[str | None, typer.Option(help="Title instead of the notebook's question.")]
_Summary = Annotated[str | None, typer.Option(help="Answer sentence for the gallery instead of the notebook's.")]
_Languages = Annotated[
    str | None,
    typer.Option("--lang", metavar="EN,NL,…", help="Languages of its text, the main one first, if not the notebook's."),
]
_Slug = Annotated[str, typer.Argument(help="Dashboard: its slug, or the beginning or end of it.")]


@app.command()
def publish(
    run: Annotated[str, typer.Argument(help="Run to publish: its id, the end of it, or 'latest'.")],
    title: _Title = None,
    summary: _Summary = None,
    languages: _Languages = None,
    visibility: Annotated[
        str | None, typer.Option(help="Who may see it: public (the default), link (who has the link) or private.")
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="DATE", help="Last day on which it is shown.")] = None,
    as_json: Json = False,
) -> None:
    """Freeze a run into a dashboard that anyone can open."""
    from ..dashboards.publish import publish as freeze

    _told(
        freeze(
            run,
            title=title,
            summary=summary,
            languages=_split(languages),
            visibility=visibility,
            expires=expires,
        ),
        as_json,
    )


@app.command()
def republish(
    slug: _Slug,
    run: Annotated[str | None, typer.Argument(help="Run to show from now on; the same one if left out.")] = None,
    title: _Title = None,
    summary: _Summary = None,
    languages: _Languages = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Show this earlier version again instead of making one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a new version at the address of a dashboard; the old ones are kept."""
    from ..dashboards.publish import republish as renew

    _told(renew(slug, run, title=title, summary=summary, languages=_split(languages), version=version), as_json)


@app.command()
def unpublish(
    slug: _Slug,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take a dashboard down, with all its versions; the runs stay."""
    from ..dashboards.dashboard import find
    from ..dashboards.publish import unpublish as remove

    dashboard = find(slug)
    if not yes:
        if not sys.stdin.isatty():
            raise WorkbenchError("to take a dashboard down where nobody can be asked, say --yes")
        count = len(dashboard.bundles)
        typer.confirm(f"Take down {dashboard.slug} with its {count} version{'s' * (count != 1)}?", abort=True, err=True)
    gone = remove(dashboard.slug)
    if as_json:
        emit({"unpublished": gone})
    else:
        print(f"unpublished {gone}")


def _split(languages: str | None) -> list[str] | None:
    return None if languages is None else [name.strip() for name in languages.split(",") if name.strip()]


def _told(published: Published, as_json: bool) -> None:
    if as_json:
        emit(published.about())
        return
    print(f"{published.sentence}: {published.slug} in {published.folder}")
    if (standing := published.dashboard.site["current"]) != published.version:
        print(
            f"Version {standing} is shown; 'genai4eu republish {published.slug} --version {published.version}'"
            " shows this one."
        )
    print("Type 'genai4eu serve' to open the gallery.")
