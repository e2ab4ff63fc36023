"""Whether every cell of a notebook can be Python at all, asked before hours are spent. Called when a run is planned."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import WorkbenchError

#: What may bring a syntax of its own, which only the kernel can read.
_OWN = ("load_ext", "input_transformer", "register_line_magic", "register_cell_magic")


def check(cells: Sequence[Mapping[str, Any]], name: str) -> None:
    """Refuse a notebook with a cell that this interpreter's kernel can never execute.

    Raises
    ------
    WorkbenchError
        Naming the first such cell, its line and what is wrong there.
    """
    sources = ["".join(c["source"]) if c["cell_type"] == "code" and not _may_fail(c) else "" for c in cells]
    if any(word in source for source in sources for word in _OWN):
        return
    for number, source in enumerate(sources, 1):
        if (fault := _fault(source)) is not None:
            raise WorkbenchError(
                f"{name}: cell {number} is not Python, line {fault.lineno}: {fault.msg}: mend it, nothing was started"
            )


def _may_fail(cell: Mapping[str, Any]) -> bool:
    return "raises-exception" in cell.get("metadata", {}).get("tags", [])


def _fault(source: str) -> SyntaxError | None:
    """Return what is wrong with a cell once IPython has read its magics, ``!`` and ``?``; most cells have none."""
    if not source.strip():
        return None
    if _parse(source) is None:
        return None
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return _parse(TransformerManager().transform_cell(source))
    except SyntaxError as error:
        return error


def _parse(source: str) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the kernel says what it thinks of the code
            compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return error
    except ValueError as error:  # null bytes
        return SyntaxError(str(error))
    return None
