"""``genai4eu course``: make, build and check courses."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import app

course = typer.Typer(help="Teach: make courses, check them, hold them.", no_args_is_help=True)
app.add_typer(course, name="course")


@course.callback()
def _begin() -> None:
    """Teach: make courses, check them, hold them."""
    from ..courses.room.registry import sweep

    meant = [Path(word).absolute() for word in sys.argv[1:] if not word.startswith("-")]
    sweep(lambda what: typer.echo(f"… {what}", err=True), meant)


def _named(given: Path) -> Path:
    from ..courses.shipped import named

    return named(given)


Folder = Annotated[
    Path, typer.Argument(help="The course's folder, or the name of one that ships ('course list').", callback=_named)
]


@course.command("list")
def list_() -> None:
    """List the courses that ship with the workbench."""
    from ..courses.course import Course
    from ..courses.shipped import shipped

    for name, folder in shipped().items():
        about = Course(folder).about
        minutes = sum(lesson.minutes for lesson in about.lessons)
        typer.echo(f"{name}  {about.title[about.languages[0]]}")
        typer.echo(f"    {_many(len(about.lessons), 'lesson')}, {minutes} minutes, {', '.join(about.languages)}")


@course.command("copy")
def copy_(
    name: Annotated[str, typer.Argument(help="A course that ships ('course list').")],
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
) -> None:
    """Copy a course that ships, to make it one's own."""
    from ..courses.shipped import copy

    typer.echo(f"{copy(name, folder)} is yours: change it, then 'genai4eu course check {shlex.quote(str(folder))}'")


@course.command()
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")],
    languages: Annotated[str, typer.Option(help="Languages of its texts, the main one first.")] = "en",
) -> None:
    """Make a course of one lesson that passes its own check, to be replaced."""
    from ..courses.example import untranslated
    from ..courses.skeleton import make

    names = tuple(dict.fromkeys(filter(None, (name.strip() for name in languages.split(",")))))
    made = make(folder, names)
    typer.echo(f"{made} is yours: course.toml says what the course is, lesson-1.ipynb is a lesson to replace")
    if absent := untranslated(names):
        typer.echo(f"to be translated, in the lesson and in course.toml, where it is English: {', '.join(absent)}")
    typer.echo(f"next: genai4eu course check {shlex.quote(str(folder))}")


@course.command()
def build(
    folder: Folder,
    out: Annotated[Path | None, typer.Option(help="Folder to write; else COURSE-participants beside it.")] = None,
) -> None:
    """Make the participant's version: no solutions, no hidden checks, no hints."""
    from ..courses.build import build as make
    from ..courses.course import Course
    from ..courses.shipped import beside

    found = Course(folder)
    made = make(found, out or beside(found, "participants"))
    typer.echo(f"{made}: {_many(len(found.about.lessons), 'lesson')} for participants")


@course.command()
def check(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Execute every lesson with and without its solutions, and look at its texts, links and exercises."""
    from ..courses.course import Course
    from ..courses.review import review

    found = []
    for lesson in review(Course(folder), lambda what: typer.echo(f"… {what}", err=True)):
        found.append(lesson)
        if not as_json:
            _print(lesson)
    if as_json:
        typer.echo(json.dumps([vars(lesson) for lesson in found], indent=2, ensure_ascii=False))
    if any(lesson.faults for lesson in found):
        raise typer.Exit(1)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _print(lesson: object) -> None:
    told = vars(lesson)
    if told["faults"]:
        typer.echo(f"✗ {told['file']}")
        for fault in told["faults"]:
            typer.echo(f"    {fault}")
    else:
        many = _many(told["exercises"], "exercise")
        typer.echo(f"✓ {told['file']}: {many}, {told['seconds']:.0f} s of {told['minutes']} min")
