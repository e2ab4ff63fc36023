"""``genai4eu course records``, ``collect``, ``report``, ``continue`` and ``bundle``: what goes home with people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .course import course

RoomFolder = Annotated[Path, typer.Argument(help="The room's folder.")]


@course.command()
def records(
    room: RoomFolder,
    out: Annotated[Path | None, typer.Option(help="Folder to write; else ROOM-records beside the room.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of all; else each participant's own.")] = None,
) -> None:
    """Write a completion record for each participant: data, a page, and pages of all to print."""
    from ..courses.home.written import write
    from ..courses.room.room import Room

    where = out or room.absolute().with_name(f"{room.absolute().name}-records")
    made, empty = write(Room(room.absolute()), where, language)
    if empty:
        typer.echo(f"without a sign of activity, so without a record: {', '.join(empty)}")
    typer.echo(f"{where}: {len(made)} files; print all-*.html, and give each seat its own")
