"""``genai4eu publish|republish|unpublish``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit, table

if TYPE_CHECKING:
    from ..dashboards.publishing.checks import Finding
    from ..dashboards.publishing.published import Published

_Title = Annotated[str | None, typer.Option(help="Title instead of the notebook's question.")]
_Summary = Annotated[str | None, typer.Option(help="Answer sentence for the gallery instead of the notebook's.")]
_Languages = Annotated[
    str | None,
    typer.Option("--lang", metavar="EN,NL,…", help="Languages of its text, the main one first, if not the notebook's."),
]
_Visibility = Annotated[
    str | None,
    typer.Option(help="Who may see it: public (the default of a new one), link (who has the link) or private."),
]
_Expires = Annotated[str | None, typer.Option(metavar="DATE", help="Last day on which it is shown.")]
_Slug = Annotated[str, typer.Argument(help="Dashboard: its slug, or the beginning or end of it.")]


@app.command()
def publish(
    run: Annotated[str, typer.Argument(help="Run: its id, the end of it, or 'latest'; for a file also a dashboard.")],
    title: _Title = None,
    summary: _Summary = None,
    languages: _Languages = None,
    visibility: _Visibility = None,
    expires: _Expires = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look whether it can be published; exit code 1 if not.")
    ] = False,
    bundle: Annotated[
        Path | None, typer.Option(metavar="X.ZIP", help="Also write one file that another centre can serve.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--html", metavar="PAGE.HTML", help="Also write one page for e-mail or a USB stick.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Freeze a run into a dashboard that anyone can open.

    Before anything is written, the run and its page are checked: whole and unchanged, a question, its language, words
    for every figure and control, nothing from other sites, no secret, nothing that only the study part has.
    """
    from ..dashboards.access.visibility import decisions
    from ..dashboards.publishing import publish as library

    spoken = _split(languages)
    if check:
        if bundle or page:
            raise WorkbenchError("--check writes nothing: leave --bundle and --html out, or --check")
        decisions(visibility, expires)
        _checked(library.check(run, title=title, summary=summary, languages=spoken), as_json)
        return
    decided = {"visibility": visibility, "expires": expires}
    standing = _standing(run) if bundle or page else None
    made = standing or library.publish(run, title=title, summary=summary, languages=spoken, **decided)
    _told(made, as_json, _files(made, bundle, page, spoken))


@app.command()
def republish(
    slug: _Slug,
    run: Annotated[str | None, typer.Argument(help="Run to show from now on; the same one if left out.")] = None,
    title: _Title = None,
    summary: _Summary = None,
    languages: _Languages = None,
    visibility: _Visibility = None,
    expires: _Expires = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="Show this earlier version again instead of making one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a new version at the address of a dashboard; the old ones are kept."""
    from ..dashboards.publishing.publish import republish as renew

    made = renew(
        slug, run, title=title, summary=summary, languages=_split(languages), visibility=visibility, expires=expires,
        version=version,
    )  # fmt: skip
    _told(made, as_json)


@app.command()
def unpublish(
    slug: _Slug,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Take a dashboard down, with all its versions; the runs stay."""
    from ..dashboards.dashboard import find
    from ..dashboards.publishing.publish import unpublish as remove

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


def _standing(name: str) -> Published | None:
    """Return the dashboard of exactly this slug: it can be put into a file without its run."""
    from ..dashboards.dashboard import all_dashboards, dashboards_root
    from ..dashboards.publishing.published import Published

    found = next((d for d in all_dashboards(dashboards_root()) if d.slug == name), None)
    return Published(found.slug, found.current.folder, new=False) if found else None


def _files(made: Published, bundle: Path | None, page: Path | None, languages: list[str] | None) -> dict[str, Path]:
    """Write the files that were asked for."""
    from ..dashboards.bundle import Bundle
    from ..dashboards.publishing import archive, single

    written = {}
    if bundle:
        written["bundle"] = archive.pack(Bundle(made.folder), bundle)
    if page:
        written["html"] = single.write(Bundle(made.folder), page, languages[0] if languages else None)
    return written


def _checked(found: list[Finding], as_json: bool) -> None:
    """Print what checks found, and end with 1 if anything of it speaks against publishing."""
    faults = sum(f.refused for f in found)
    if as_json:
        emit([f.about() for f in found])
    elif not found:
        print("nothing speaks against publishing")
    else:
        table(["what", "where", "", "remedy"], [[_kind(f), f.where, f.what, f.remedy] for f in found])
        print(f"{faults} of {len(found)} speak against publishing")
    if faults:
        raise typer.Exit(1)


def _kind(finding: Finding) -> str:
    return finding.kind if finding.refused else f"({finding.kind})"


def _told(published: Published, as_json: bool, files: Mapping[str, Path] = MappingProxyType({})) -> None:
    for warning in published.warnings:
        print(f"note: {warning.sentence}", file=sys.stderr)
    if as_json:
        emit({**published.about(), **{kind: str(path) for kind, path in files.items()}})
        return
    print(f"{published.sentence}: {published.slug} in {published.folder}")
    if (standing := published.dashboard.site["current"]) != published.version:
        print(
            f"Version {standing} is shown; 'genai4eu republish {published.slug} --version {published.version}'"
            " shows this one."
        )
    if published.link:
        print(f"Its link, on your gallery and shown this once: {published.link}")
    for path in files.values():
        print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    print("Type 'genai4eu serve' to open the gallery.")
