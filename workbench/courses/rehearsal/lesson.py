"""A lesson as a participant leaves it: the trainer's solutions in the participant's cells. Called by a rehearsal."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import WorkbenchError
from ..build import participants
from ..course import Course
from ..lesson import HINT, exercises, read
from ..showing import MIME
from .kernel import Done

#: What templates have imported ahead, as far as this computer has it.
STACK = ("numpy", "torch", "sklearn.ensemble", "xarray")


@dataclass(frozen=True)
class Cell:
    """A cell with code.

    Attributes
    ----------
    number : int
        In the lesson, from 1.
    checks : bool
        Whether it looks at an exercise.
    """

    number: int
    code: str
    checks: bool = False

    def faults(self, done: Done) -> Iterator[str]:
        """Yield what is wrong with what it did."""
        for output in done.outputs:
            if output["output_type"] == "error":
                yield f"cell {self.number}: {output['ename']}: {output['evalue']}"
            told = output.get("data", {}).get(MIME)
            if told and not told["passed"]:
                yield f"cell {self.number}: {told['exercise']} does not pass: {told['sentence']}"
        seen = any(MIME in output.get("data", {}) for output in done.outputs)
        if done.status == "ok" and self.checks and not seen:
            yield f"cell {self.number}: nothing was checked"
        if done.status not in ("ok", "error"):
            yield f"cell {self.number}: the kernel says {done.status}"


def cells(course: Course, number: int) -> list[Cell]:
    """Return the cells with code of a lesson.

    Parameters
    ----------
    number : int
        Of the lesson, from 1.

    Raises
    ------
    WorkbenchError
        If the course has no such lesson.
    """
    lessons = course.about.lessons
    if not 1 <= number <= len(lessons):
        raise WorkbenchError(f"the course has no lesson {number}: it has {len(lessons)}")
    own = read(course.folder / lessons[number - 1].file)
    found = exercises(own, course.language)
    solved = {cell for exercise in found for cell in exercise.solved}
    checked = {exercise.cell for exercise in found}
    theirs = iter(participants(own, course.language).cells)
    made = []
    for place, cell in enumerate(own.cells):
        if HINT in cell.metadata.get("tags", []):
            continue  # a participant's notebook has none
        shown = next(theirs)
        if cell.cell_type == "code" and cell.source.strip():
            code = cell.source if place in solved else shown.source
            made.append(Cell(place + 1, code, place in checked))
    return made


def kernelspec(course: Course, number: int) -> str:
    """Return which kernel a lesson asks for."""
    notebook = read(course.folder / course.about.lessons[number - 1].file)
    return str(notebook.metadata.get("kernelspec", {}).get("name", "genai4eu"))


def first(made: Sequence[Cell]) -> str:
    """Return a cell that imports the science stack, as far as it is installed, and what the lesson itself imports."""
    stack = [name for name in STACK if importlib.util.find_spec(name.partition(".")[0])]
    lines = [f"import {', '.join(stack)}"] if stack else []
    for cell in made:
        lines += [ast.unparse(node) for node in _imports(cell.code)]
    return "\n".join(dict.fromkeys(lines)) or "pass"


def _imports(code: str) -> Iterator[Any]:
    try:
        body = ast.parse(code).body
    except SyntaxError:  # magics
        return
    yield from (node for node in body if isinstance(node, ast.Import | ast.ImportFrom))
