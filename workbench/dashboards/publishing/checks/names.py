"""Names that the dashboard part takes from the study part: it starts alone, so it would fail. Called by the checks.

Python's own symbol tables say which names a statement takes from outside; nothing is executed.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...part import text_of
from .finding import Finding, Numbered, cell

#: What IPython gives every cell.
_GIVEN = frozenset(dir(builtins)) | {
    "display", "get_ipython", "In", "Out", "exit", "quit", "_", "__", "___", "__name__", "__file__", "__doc__",
    "__builtins__", "__annotations__",
}  # fmt: skip
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Delete, ast.Assert, ast.Raise)


@dataclass
class Statement:
    """Names of one statement at the top of a cell: bound by it, needed at once, needed when a function is called."""

    bound: set[str] = field(default_factory=set)
    at_once: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    #: ``from x import *`` binds what nobody can know.
    anything: bool = False


def check(study: Sequence[Numbered], dashboard: Sequence[Numbered]) -> Iterator[Finding]:
    """Yield names that only the study part binds and the dashboard part needs.

    Parameters
    ----------
    study, dashboard : sequence
        The code cells of either part, with their numbers.
    """
    bound_by: dict[str, int] = {}
    for number, content in study:
        for statement in _statements(content):
            bound_by |= dict.fromkeys({*statement.bound, *(["*"] if statement.anything else [])}, number)
    needed = _needed(dashboard)
    for name, number in needed.items():
        # a name that nobody binds was not needed when the notebook ran, unless a star brought it
        if (giver := bound_by.get(name, bound_by.get("*"))) is not None:
            what = f"the dashboard part uses {name!r}, which only the study part has (cell {giver})"
            yield Finding(
                "name",
                cell(number),
                what,
                f"load {name} from genai4eu.open_run().outputs in a cell tagged 'dashboard', or import it there",
            )


def _needed(dashboard: Sequence[Numbered]) -> dict[str, int]:
    """Return the names that cells need and none of them binds in time, with the cell that needs each first."""
    known = set(_GIVEN)
    needed: dict[str, int] = {}
    later: dict[str, int] = {}
    for number, content in dashboard:
        for statement in _statements(content):
            if statement.anything:
                return needed  # what a star brings may be any of those to come
            needed |= dict.fromkeys(sorted(statement.at_once - known - needed.keys()), number)
            known |= statement.bound
            later |= dict.fromkeys(sorted(statement.later - later.keys()), number)
    return needed | {name: number for name, number in later.items() if name not in known | needed.keys()}


def _statements(content: Mapping[str, Any]) -> Iterator[Statement]:
    """Yield the statements of a cell; what is no Python even after IPython's own reading binds nothing."""
    for node in _parsed(text_of(content["source"])).body:
        yield _names_of(node)


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        pass
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return ast.parse(str(TransformerManager().transform_cell(source)))
    except SyntaxError:
        return ast.Module([], [])


def _names_of(node: ast.stmt) -> Statement:
    walked = list(ast.walk(node))
    statement = Statement(anything=any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in walked))
    if statement.anything:
        return statement
    try:
        _collect(symtable.symtable(ast.unparse(node), "cell", "exec"), statement, at_once=True)
    except SyntaxError:  # what awaits at the top of a cell
        for name in (n for n in walked if isinstance(n, ast.Name)):
            (statement.at_once if isinstance(name.ctx, ast.Load) else statement.bound).add(name.id)
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        statement.at_once.add(node.target.id)  # it reads what it adds to
    if not isinstance(node, _SIMPLE):  # in a loop or a block, what it binds comes first somewhere
        statement.at_once -= statement.bound
    return statement


def _collect(table: symtable.SymbolTable, statement: Statement, *, at_once: bool) -> None:
    """Add the names of a scope and of those inside it; functions need theirs only when they are called."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if (top and (symbol.is_assigned() or symbol.is_imported())) or (not top and symbol.is_declared_global()):
            statement.bound.add(symbol.get_name())
        if symbol.is_referenced() and (top or symbol.is_global()):
            (statement.at_once if at_once else statement.later).add(symbol.get_name())
    for child in table.get_children():
        runs = child.get_type() == "class" or child.get_name() in ("listcomp", "setcomp", "dictcomp", "genexpr")
        _collect(child, statement, at_once=at_once and runs)
