"""A lesson as its trainer wrote it: which exercises it has, what checks them, which hints there are.

The syntax is nbgrader's: ``### BEGIN SOLUTION`` … ``### END SOLUTION`` stand in a cell that participants complete,
``### BEGIN HIDDEN TESTS`` … ``### END HIDDEN TESTS`` in the cell that calls ``check("exercise-2")``. Markdown cells
tagged ``hint`` after it are its hints, the gentlest first. Called by building and by checking a course.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat.warnings import DuplicateCellId

from ..dashboards.pages.translated import texts_of
from ..errors import WorkbenchError

HINT = "hint"
_SOLUTION = re.compile(r"^\s*###\s*BEGIN SOLUTION\b", re.M)
_MARKS = re.compile(r"^[ \t]*###\s*(?:BEGIN|END) SOLUTION\b[^\n]*\n?", re.M)
_TESTS = re.compile(r"^[ \t]*###\s*BEGIN HIDDEN TESTS[^\n]*\n(.*?)^[ \t]*###\s*END HIDDEN TESTS", re.M | re.S)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass
class Exercise:
    """What a participant is to do, and how that is looked at.

    Attributes
    ----------
    name : str
        As ``check("…")`` names it.
    cell : int
        Number of the cell that checks it, from 0.
    solved : list of int
        Numbers of the cells that hold its solution.
    tests : str
        Code that raises ``AssertionError`` with a helpful message.
    hints : list of dict
        Markdown by language, the gentlest first.
    """

    name: str
    cell: int
    solved: list[int]
    tests: str
    hints: list[dict[str, str]] = field(default_factory=list)


def read(path: Path) -> nbformat.NotebookNode:
    """Return a notebook.

    Raises
    ------
    WorkbenchError
        If it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DuplicateCellId)  # of cells that were copied; reading gives them others
            return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise WorkbenchError(f"{path} is not there") from None
    except Exception as error:  # noqa: BLE001  # nbformat raises whatever its reader meets
        raise WorkbenchError(f"{path} is no notebook: {error}") from None


def exercises(notebook: Any, language: str) -> list[Exercise]:
    """Return a lesson's exercises in their order.

    Parameters
    ----------
    language : str
        In which the cells themselves are written.
    """
    found: list[Exercise] = []
    solved: list[int] = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and HINT in cell.metadata.get("tags", []) and found:
            found[-1].hints.append({language: cell.source, **texts_of(cell)})
        elif cell.cell_type == "code":
            if _SOLUTION.search(cell.source):
                solved.append(number)
            for name in called(cell.source, "check"):
                found.append(Exercise(name, number, solved, _hidden(cell.source)))
                solved = []
    return found


def faults(notebook: Any, language: str) -> Iterator[str]:
    """Yield what is wrong with a lesson's exercises, each with its remedy."""
    yield from _unclosed(notebook)
    seen: set[str] = set()
    for exercise in exercises(notebook, language):
        where = f"cell {exercise.cell + 1}: {exercise.name}"
        if not _NAME.fullmatch(exercise.name):
            yield f"{where} is no name of an exercise: use lower case, digits and hyphens, as exercise-2"
        if exercise.name in seen:
            yield f"{where} stands twice: rename one"
        if not exercise.tests:
            yield f"{where} has nothing that checks it: add ### BEGIN HIDDEN TESTS … ### END HIDDEN TESTS"
        if not exercise.solved:
            yield f"{where} has no solution: write it between ### BEGIN SOLUTION and ### END SOLUTION above"
        if not exercise.hints:
            yield f"{where} has no hint: tag a markdown cell after it 'hint'"
        seen.add(exercise.name)


def _unclosed(notebook: Any) -> Iterator[str]:
    """Yield cells in which a part begins and does not end, or ends and has not begun."""
    for number, cell in enumerate(notebook.cells, 1):
        for part in ("SOLUTION", "HIDDEN TESTS") if cell.cell_type == "code" else ():
            inside = False
            for mark in re.findall(rf"^\s*###\s*(BEGIN|END) {part}\b", cell.source, re.M):
                if inside == (mark == "BEGIN"):
                    break
                inside = not inside
            else:
                if not inside:
                    continue
            yield f"cell {number}: each ### BEGIN {part} needs its ### END {part}, in the same cell: add it"


def unmarked(source: str) -> str:
    """Return a cell's code without the marks around its solution."""
    return _MARKS.sub("", source).strip("\n")


def called(source: str, function: str) -> list[str]:
    """Return the names that a cell checks."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # magics; a check needs none
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node.func) == function]
    firsts = [call.args[0] for call in calls if call.args]
    return [first.value for first in firsts if isinstance(first, ast.Constant) and isinstance(first.value, str)]


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _hidden(source: str) -> str:
    return "\n".join(part.rstrip() for part in _TESTS.findall(source))
