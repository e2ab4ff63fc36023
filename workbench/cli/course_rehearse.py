"""``genai4eu course rehearse``: whether a course can be held on this computer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .course import Folder, course


@course.command()
def rehearse(
    folder: Folder,
    participants: Annotated[int, typer.Option(help="How many come in the same second.", min=1, max=200)] = 20,
    lesson: Annotated[int, typer.Option(help="Number of the lesson that all work through at once.", min=1)] = 1,
    browsers: Annotated[int, typer.Option(help="How many of them use a real Chromium.", min=0)] = 0,
    stock: Annotated[bool, typer.Option(help="Measure a stock JupyterHub with ordinary kernels beside it.")] = False,
    room: Annotated[Path | None, typer.Option(help="Folder to make the room in; else beside the course.")] = None,
    host: Annotated[str, typer.Option(help="Address of this computer to listen on.")] = "127.0.0.1",
    name: Annotated[str, typer.Option(help="Name or address that participants type; else the host.")] = "",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8000,
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was measured as JSON.")] = False,
) -> None:
    """Open a room as on the day, let everybody come at once and work, and say whether it will do; 1 if not."""
    from ..courses.course import Course
    from ..courses.rehearsal.rehearse import Plan, rehearse
    from ..courses.shipped import beside

    found = Course(folder)
    place = room or beside(found, "room").parent
    plan = Plan(found, participants, place, lesson, host, name or host, port, browsers, stock)
    report = rehearse(plan, lambda what: typer.echo(f"… {what}", err=True))
    typer.echo(json.dumps(report.data(), indent=2, ensure_ascii=False) if as_json else "\n".join(report.lines()))
    if not report.go:
        raise typer.Exit(1)
