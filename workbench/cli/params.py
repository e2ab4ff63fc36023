"""``genai4eu params``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from . import app
from .show import Json, emit, table


@app.command()
def params(
    template: Annotated[str, typer.Argument(help="A template's name, or a notebook file.")],
    as_json: Json = False,
    as_schema: Annotated[bool, typer.Option("--json-schema", help="Print a JSON Schema (2020-12).")] = False,
) -> None:
    """Show what a template or notebook can be given: name, value, unit, what is allowed, what it is."""
    from ..catalogue import source
    from ..json_schema import json_schema

    found = source(template)
    if as_schema:
        emit(json_schema(found.schema, found.title))
        return
    rows = [about(p) for p in found.schema.parameters.values()]
    if as_json:
        emit(rows)
    elif not rows:
        print(f"{found.name} declares no parameters: its parameters cell is empty")
    else:
        table(
            ["parameter", "value", "takes", "what it is"],
            [[r["name"], json.dumps(r["default"], ensure_ascii=False), r["allowed"], r["help"]] for r in rows],
        )
        print(f"next: genai4eu run {template} -p {rows[0]['name']}=…, or --params FILE.yaml")


def about(parameter: Any) -> dict[str, Any]:
    """Return what a list of parameters shows of one. Called by ``show`` too."""
    return {
        "name": parameter.name,
        "default": parameter.plain_default,
        "allowed": parameter.allowed,
        "unit": parameter.unit,
        "help": parameter.help,
    }
