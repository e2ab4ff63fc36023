"""``genai4eu templates|show|new``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from . import app
from .params import about
from .show import Json, emit, table


@app.command()
def templates(as_json: Json = False) -> None:
    """List the templates of the installed use cases."""
    from ..catalogue import faults, usecases

    found = usecases()
    for fault in faults():
        typer.echo(f"genai4eu: {fault}", err=True)
    if as_json:
        emit([u.model_dump() for u in found])
        return
    table(["template", "sector", "version", "question"], [[u.name, u.sector, u.version, u.title] for u in found])
    print("next: genai4eu show NAME, genai4eu new NAME study.ipynb, genai4eu run NAME")


@app.command()
def show(
    template: Annotated[str, typer.Argument(help="A template's name, or a notebook file.")], as_json: Json = False
) -> None:
    """Show a template: its question, what it needs, its parameters."""
    from ..catalogue import source

    found = source(template)
    parameters = [about(p) for p in found.schema.parameters.values()]
    if as_json:
        usecase = found.usecase.model_dump() if found.usecase else {}
        emit({"name": found.name, "title": found.title, "usecase": usecase, "parameters": parameters})
        return
    print(found.title)
    if found.usecase:
        print(f"{found.usecase.summary}\nsector {found.usecase.sector}, version {found.usecase.version}, ", end="")
        print(f"needs {found.usecase.install}\n")
    rows = [[p["name"], json.dumps(p["default"]), p["allowed"], p["help"]] for p in parameters]
    table(["parameter", "value", "takes", "what it is"], rows)
    print(f"next: genai4eu run {template}" + (f" -p {parameters[0]['name']}=…" if parameters else ""))


@app.command()
def new(
    template: Annotated[str, typer.Argument(help="A template's name.")],
    notebook: Annotated[
        Path, typer.Argument(help="File or folder to write the copy to; never over a file that is there.")
    ],
) -> None:
    """Make your own copy of a template, to change and run."""
    from ..catalogue import copy

    made = copy(template, notebook)
    print(f"{made} is yours; next: genai4eu run {made}, or open it in genai4eu lab")
