"""The command that makes a run once more, as one would type it. Called by the evidence page.

Only parameters that differ from the notebook's own values are given. Every value is read back as the command line
would read it; where one would come out as another, all are taken from the file of parameters instead.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from ...errors import WorkbenchError
from ...grammar import read_schema
from ...parameters import Schema
from ..bundle import Bundle
from ..part import read_notebook


def command(bundle: Bundle) -> str:
    """Return what to type: of a template its name, of another notebook the file that the page offers.

    Raises
    ------
    WorkbenchError
        If the bundle has no notebook.
    """
    name = bundle.info["usecase"] or f"{bundle.slug}.ipynb"
    given = bundle.read("parameters.json") if (bundle.folder / "parameters.json").exists() else {}
    schema = declared(bundle)
    if schema is None:
        return _typed(name, ["--params", f"{bundle.slug}-parameters.json"] if given else [])
    return _typed(name, options(schema, given, f"{bundle.slug}-parameters.json"))


def declared(bundle: Bundle) -> Schema | None:
    """Return what the notebook declares of its parameters; None for one whose cell is in no grammar of ours.

    Raises
    ------
    WorkbenchError
        If the bundle has no notebook.
    """
    cells = read_notebook(bundle.folder / "notebook.ipynb")["cells"]
    try:
        return read_schema(cells, bundle.slug)
    except WorkbenchError:  # a notebook of plain papermill
        return None


def options(schema: Schema, given: Mapping[str, Any], file: str) -> list[str]:
    """Return the options that give a run these parameters.

    Parameters
    ----------
    file : str
        Name of a file that holds them, for values that cannot be typed.
    """
    differing = {n: v for n, v in given.items() if n not in schema.parameters or _differs(schema, n, v)}
    texts = {name: _text(value) for name, value in differing.items()}
    if not _same(schema, texts, differing):
        return ["--params", file]
    return [part for name, text in texts.items() for part in ("-p", f"{name}={text}")]


def _differs(schema: Schema, name: str, value: Any) -> bool:
    own = schema.parameters[name].plain_default
    return bool(own != value or type(own) is not type(value))


def _same(schema: Schema, texts: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    """Tell whether the command line would read these texts as these values."""
    try:
        return schema.validate(schema.parse(texts)) == dict(values) and not any("\0" in t for t in texts.values())
    except WorkbenchError:
        return False


def _text(value: Any) -> str:
    """Return a value as one types it."""
    if isinstance(value, str):
        return value
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def _typed(name: str, given: list[str]) -> str:
    return shlex.join(["genai4eu", "run", name, *given])
