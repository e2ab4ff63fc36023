"""``genai4eu new-usecase``."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path
from typing import Annotated

import typer

from . import app

_SECTORS = "health, materials, climate, robotics, agrifood, energy, manufacturing, …"


@app.command()
def new_usecase(
    name: Annotated[str, typer.Argument(help="Name of template and package, such as 'hourly-demand'.")],
    sector: Annotated[str, typer.Option(help=f"Sector it belongs to, in your words: {_SECTORS}")],
    title: Annotated[str | None, typer.Option(help="The question that it answers.")] = None,
    into: Annotated[Path, typer.Option(help="Folder in which its folder is made.")] = Path(),
    licence: Annotated[str, typer.Option(help="BSD-3-Clause, MIT or Apache-2.0.")] = "BSD-3-Clause",
    author: Annotated[str, typer.Option(help="Whom the licence names; else the contributors.")] = "",
) -> None:
    """Make a package for a use case of your own: all rooms filled with a small study that runs, to be replaced."""
    from ..skeleton import QUESTION, Wanted, make

    wanted = Wanted(
        name=name, sector=sector, title=QUESTION if title is None else title, licence=licence, author=author
    )
    folder = make(wanted, into)
    _hint(wanted.sector)
    print(f"{folder} is yours: a study that runs; each file says what to replace, README.md in which order")
    print(f"next: pip install -e {shlex.quote(str(folder))}")
    print(f"      genai4eu run {wanted.name} -p profile=smoke")
    print(f"      cd {shlex.quote(str(folder))} && pip install pytest && pytest")


def _hint(sector: str) -> None:
    """Say, where nobody else uses the word, which words others use: factories and galleries are sorted by it."""
    from genai4eu.kernels.factories import factories

    from ..catalogue import usecases

    short = {u.sector for u in usecases()} | {s for f in factories() for s in f.serves}
    words = {s.casefold(): s for s in short | {s for f in factories() for s in f.sectors}}
    if sector.casefold() in words:
        return
    near = difflib.get_close_matches(sector.casefold(), words, n=1)
    hint = f"did you mean {words[near[0]]!r}?" if near else f"others are {', '.join(sorted(short))}"
    typer.echo(f"genai4eu: no use case and no factory has the sector {sector!r} yet: {hint}", err=True)
