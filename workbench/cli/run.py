"""``genai4eu run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit, ended, metrics


@app.command()
def run(
    template: Annotated[str, typer.Argument(help="A template's name ('genai4eu templates'), or a notebook file.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter; may be repeated.")
    ] = None,
    params: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Parameters in a .yaml or .json file; -p goes before it.")
    ] = None,
    on: Annotated[str | None, typer.Option(help="Target ('genai4eu targets'); this computer by default.")] = None,
    cell_timeout: Annotated[int | None, typer.Option(min=1, help="Seconds that one cell may take.")] = None,
    as_json: Json = False,
) -> None:
    """Run a template or a notebook on a target and keep the record.

    Everything that can be checked is checked before a kernel starts. Exit code 0 means: the run completed.
    """
    from .. import catalogue
    from ..parameter_file import gather
    from ..runs.runner import run as start

    given = gather(catalogue.source(template).schema, params or [], pairs(parameter or []))
    record = start(template, on=on, parameters=given, cell_timeout=cell_timeout)
    summary = record.summary()
    if as_json:
        emit(summary)
    elif summary["status"] == "completed":
        metrics(record.metrics)
        print(f"completed in {summary['duration']:.0f} s: {record.folder}")
        print(f"next: genai4eu publish {record.id}")
    if summary["status"] != "completed":
        raise WorkbenchError(f"run {record.id} {ended(summary)}; see genai4eu runs show {record.id}")


def pairs(texts: list[str]) -> dict[str, str]:
    """Split ``NAME=VALUE``; a name given twice is a mistake worth naming."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise WorkbenchError(f"-p {text!r} is not of the form NAME=VALUE")
        if name.strip() in found:
            raise WorkbenchError(f"parameter {name.strip()!r} is given twice")
        found[name.strip()] = value
    return found
