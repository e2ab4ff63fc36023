"""The grammar of a ``parameters`` cell, read with ``ast`` and ``tokenize``, never executed.

One plain annotated assignment a line, with a trailing comment::

    epochs: int = 12  # training epochs [1] in 1..200
    schedule: str = "cosine"  # noise schedule in {linear, cosine}

``[unit]``, ``in lo..hi`` and ``in {a, b}`` may be left out; so may the annotation, where the value tells the type. A
value may take several lines; its comment stands behind the last or the first of them.
Called by the catalogue, for every notebook that is shown or run.
"""

from __future__ import annotations

import ast
import io
import tokenize
from typing import Any

from .annotation import read_type, read_value, type_of
from .comment import read_comment
from .errors import WorkbenchError
from .limits import read_bounds, read_choices
from .parameters import Parameter, Schema

TAG = "parameters"


def read_schema(cells: list[dict[str, Any]], name: str) -> Schema:
    """Read the schema from a notebook's cells.

    Parameters
    ----------
    cells : list of dict
        The notebook's cells as nbformat 4 has them.
    name : str
        What errors call the notebook.

    Raises
    ------
    WorkbenchError
        If no cell or more than one is tagged ``parameters``, or the cell is not in the grammar.
    """
    source = _source(cells, name)
    tree = _parsed(source, name)
    comments = _comments(source)
    schema: dict[str, Parameter] = {}
    for node in tree.body:
        if not _is_parameter(node, name):
            continue
        made = _parameter(node, comments, name)
        if made.name in schema:
            raise WorkbenchError(f"{name} declares parameter {made.name!r} twice: keep one")
        schema[made.name] = made
    return Schema(schema)


def _source(cells: list[dict[str, Any]], name: str) -> str:
    """Return the text of the one tagged cell, with the line ends that Python itself would see."""
    tagged = [c for c in cells if TAG in (c.get("metadata", {}).get("tags") or [])]
    if len(tagged) != 1:
        found = "no cell" if not tagged else f"{len(tagged)} cells"
        raise WorkbenchError(
            f"{name} has {found} tagged 'parameters': tag one (JupyterLab: property inspector, cell tags)"
        )
    if tagged[0]["cell_type"] != "code":
        raise WorkbenchError(f"{name}: the cell tagged 'parameters' is {tagged[0]['cell_type']}: tag a code cell")
    return "".join(tagged[0]["source"]).replace("\r\n", "\n").replace("\r", "\n")


def _parsed(source: str, name: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        for number, line in enumerate(source.splitlines(), start=1):
            if line.lstrip().startswith(("%", "!")) or line.rstrip().endswith("?"):
                raise WorkbenchError(
                    f"{name}: the parameters cell holds a command of IPython, line {number}: {line.strip()!r}: "
                    "move it to a cell of its own"
                ) from None
        raise WorkbenchError(f"{name}: the parameters cell is not Python, line {error.lineno}: {error.msg}") from None
    except (ValueError, MemoryError, RecursionError) as error:  # a zero byte; nested deeper than Python reads
        raise WorkbenchError(f"{name}: the parameters cell is not Python: {error or 'it is nested too deep'}") from None


def _comments(source: str) -> dict[int, str]:
    """Return trailing comments by line; ``tokenize`` knows a ``#`` in a string from one that begins a comment."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip("# ").strip() for t in tokens if t.type == tokenize.COMMENT}


def _is_parameter(node: ast.stmt, name: str) -> bool:
    """Tell declarations from imports and docstrings; refuse what would be silently lost."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return False
    single = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    if single or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None):
        return True
    raise WorkbenchError(
        f"{name}: parameters cell, line {node.lineno} is not of the form 'name: type = value  # what it is'"
    )


def _parameter(node: ast.stmt, comments: dict[int, str], name: str) -> Parameter:
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    assert isinstance(target, ast.Name)
    where = f"{name}: parameter {target.id!r}"
    default = read_value(node.value, where)
    kind = read_type(node.annotation, where) if isinstance(node, ast.AnnAssign) else type_of(default)
    said = comments.get(node.end_lineno or node.lineno) or comments.get(node.lineno, "")
    try:
        found = read_comment(said)
        bounds = read_bounds(kind, found.bounds) if found.bounds else None
        choices = read_choices(kind, found.choices) if found.choices is not None else None
    except ValueError as error:
        raise WorkbenchError(f"{where} {error}") from None
    result = Parameter(target.id, kind, default, found.help, found.unit, bounds, choices)
    try:
        result.check(default)
    except WorkbenchError as error:
        raise WorkbenchError(f"{name}: the notebook's own value breaks its declaration: {error}") from None
    return result
