"""``genai4eu course records``, ``collect``, ``report``, ``continue`` and ``bundle``: what goes home with people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .course import Folder, course

RoomFolder = Annotated[Path, typer.Argument(help="The room's folder.")]


@course.command()
def records(
    room: RoomFolder,
    out: Annotated[Path | None, typer.Option(help="Folder to write; else ROOM-records beside the room.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of all; else each participant's own.")] = None,
) -> None:
    """Write a completion record for each participant: data, a page, and pages of all to print."""
    from ..courses.board.deletion import day
    from ..courses.home.written import write
    from ..courses.room.folder import Room

    where = out or room.absolute().with_name(f"{room.absolute().name}-records")
    found = Room(room.absolute())
    made, empty = write(found, where, language, _told)
    if empty:
        typer.echo(f"without a sign of activity, so without a record: {', '.join(empty)}")
    if made:
        typer.echo(f"{where}: {len(made)} files; print all-*.html, and give each seat its own")
        typer.echo(
            f"participants were told that their data are deleted on {day(found)}: delete that folder by then, too"
        )


@course.command()
def report(
    room: RoomFolder,
    entries: Annotated[
        Path | None, typer.Option(help="CSV with sector, organisation and service of seats; made if it is not there.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; else ROOM-report beside the room.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the page; else the course's main one.")] = None,
) -> None:
    """Count participants by sector, organisation and service for a hub's report: no personal data."""
    from ..courses.home.entries import offer
    from ..courses.home.reporting import report as make
    from ..courses.room.folder import Room

    found = Room(room.absolute())
    if entries and not entries.exists():
        typer.echo(f"{offer(found, entries)}: fill in what you know, and give the same command again")
        return
    where = out or found.folder.with_name(f"{found.folder.name}-report")
    made = make(found, where, entries, language, _told)
    typer.echo(f"{where}: {made.participants} participants counted, as JSON, CSV and a page")


@course.command()
def bundle(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="Folder to write; else COURSE-bundle beside the course.")] = None,
) -> None:
    """Make one folder that holds the course and all it runs on, for a room without a network. Needs the network now."""
    from ..courses.course import Course
    from ..courses.home.offline.bundling import bundle as make
    from ..courses.shipped import beside

    found = Course(folder)
    where = out or beside(found, "bundle")
    size = make(found, where, _told)
    typer.echo(f"{where}: {size / 1e9:.2f} GB; in the room: sh start.sh --participants 20")


@course.command(name="continue")
def continue_(
    lessons: Annotated[Path, typer.Argument(help="Your folder with lessons, or the zip that holds it.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this computer; 0 takes a free one.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Go on with a course at home: JupyterLab with checks, hints and your progress; Ctrl-C ends it."""
    from ..courses.home.continuing import desk_of, missing, start

    desk = desk_of(lessons)
    extras = desk.about["course"].get("requires", [])
    if absent := missing(extras):
        typer.echo(f"the lessons compute with {', '.join(absent)}, not installed here: "
                   f"pip install 'genai4eu[{','.join(extras)}]'; what needs none of it works", err=True)  # fmt: skip
    start(desk, port, browser)


def _told(what: str) -> None:
    typer.echo(f"… {what}", err=True)
