"""``genai4eu card``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import WorkbenchError
from . import app
from .show import Json, emit


@app.command()
def card(
    name: Annotated[str, typer.Argument(help="A template's name, or a run: its id, 'latest', …")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Print the use-case card: question, data, model, metrics, limits; of a run also what it found.

    Markdown, or JSON for other tools. A dashboard's evidence page shows the same.
    """
    from ..card import markdown

    found = _card(name)
    if output is None and as_json:
        emit(found)
        return
    if output is None:
        print(markdown(found), end="")
        return
    from ..runs.files import write_json, write_text

    if as_json:
        write_json(output, found)
    else:
        write_text(output, markdown(found))
    print(output)


def _card(name: str) -> dict[str, Any]:
    """Return the card of a use case, or of a run where no use case is called so."""
    from ..card import card_of, declared
    from ..catalogue import usecase, usecases
    from ..runs.store import find

    if any(u.name == name for u in usecases()):
        made = declared(usecase(name))
        found = made.model_dump() if made else None
    else:
        found = card_of(find(name))
    if found is None:
        raise WorkbenchError(f"{name} has no use-case card: its use case declares none")
    return found
