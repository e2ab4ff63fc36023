"""Go through a course as its participants will: with the solutions, and without. By ``genai4eu course check``."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbclient.exceptions import DeadKernelError

from ..errors import WorkbenchError
from . import messages, texts
from .build import build, participants
from .course import Course, Lesson
from .desk import VARIABLE
from .factory.asked import fault as of_marked
from .factory.magic import NoFactory
from .lesson import called, exercises, read
from .lesson import faults as of_exercises
from .questions import faults as of_questions
from .questions import read as asked
from .showing import MIME


@dataclass
class Review:
    """What was found of one lesson.

    Attributes
    ----------
    file : str
        The lesson.
    minutes : int
        What it may take.
    seconds : float
        What its cells took to execute, with the solutions.
    exercises : int
        How many it has.
    faults : list of str
        What is wrong, each with its remedy.
    """

    file: str
    minutes: int
    seconds: float = 0.0
    exercises: int = 0
    faults: list[str] = field(default_factory=list)


def review(course: Course, told: Callable[[str], None] = lambda _: None) -> Iterator[Review]:
    """Yield what is found of each lesson: first its texts and exercises, then both versions are executed.

    Parameters
    ----------
    told : callable
        Is told what is done at the moment.
    """
    for lesson in course.about.lessons:
        notebook = read(course.folder / lesson.file)
        found = Review(lesson.file, lesson.minutes, exercises=len(exercises(notebook, course.language)))
        found.faults += read_through(course, notebook)
        if not found.faults:
            _execute(course, lesson, notebook, found, told)
        yield found


def read_through(course: Course, notebook: Any) -> list[str]:
    """Return what is wrong with a lesson that can be seen without executing it."""
    language = course.language
    found = [*of_exercises(notebook, language), *texts.faults(course, notebook)]
    for exercise in exercises(notebook, language):
        found += messages.faults(exercise, course.about.languages)
    return [*found, *_marked(notebook), *_asked(course, notebook)]


def _marked(notebook: Any) -> Iterator[str]:
    """Yield what is wrong with cells that are marked for a factory, each with its remedy."""
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and (fault := of_marked(cell.source)):
            yield f"cell {number}: {fault}"


def _asked(course: Course, notebook: Any) -> Iterator[str]:
    """Yield what is wrong with questions that a lesson asks from a file beside it."""
    for number, cell in enumerate(notebook.cells, 1):
        for name in called(cell.source, "questions") if cell.cell_type == "code" else ():
            try:
                found = list(of_questions(asked(course.folder, name), course.about.languages))
            except WorkbenchError as error:
                found = [str(error)]
            yield from (f"cell {number}: {name}: {fault}" for fault in found)


def _execute(course: Course, lesson: Lesson, notebook: Any, found: Review, told: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="genai4eu-course-") as folder:
        desk = build(course, Path(folder) / "desk")
        told(f"{lesson.file}: with the solutions")
        began = time.monotonic()
        done = _cells(notebook, desk)
        found.seconds = time.monotonic() - began
        found.faults += _solved(done, lesson)
        if found.seconds > lesson.minutes * 60:
            found.faults.append(
                f"its cells take {found.seconds / 60:.1f} min, and the lesson is to take {lesson.minutes}: "
                "make its data smaller, or give it more minutes"
            )
        if not found.faults:
            told(f"{lesson.file}: as participants get it")
            done = _cells(participants(notebook, course.language), desk)
            found.faults += _unsolved(done, exercises(notebook, course.language))


def _cells(notebook: Any, desk: Path) -> Any:
    """Execute a notebook top to bottom, whatever fails, on a copy of a participant's desk."""
    from nbclient import NotebookClient

    from genai4eu.kernels import local

    from ..runs.manager import kernel_manager

    with tempfile.TemporaryDirectory(prefix="genai4eu-course-") as folder:
        copied = shutil.copytree(desk, Path(folder) / "desk")
        client = NotebookClient(notebook, km=kernel_manager(local.ensure()), allow_errors=True, timeout=None)
        client.owns_km = True
        try:
            with client.setup_kernel(cwd=str(copied), env=_environment(copied)):
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
        except (DeadKernelError, OSError) as error:
            raise WorkbenchError(f"the lesson could not be executed: {error}") from None
    return notebook


def _environment(desk: Path) -> dict[str, str]:
    """Return a participant's environment: runs and dashboards go to the desk, not where the trainer keeps theirs."""
    own = {"GENAI4EU_RUNS": str(desk / "runs"), "GENAI4EU_DASHBOARDS": str(desk / "dashboards")}
    return {**os.environ, **own, VARIABLE: str(desk)}


def _solved(done: Any, lesson: Lesson) -> Iterator[str]:
    for number, cell in enumerate(done.cells, 1):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                if output["ename"] == NoFactory.__name__:
                    yield f"cell {number}: needs a factory, and here is none: let it run on a seat's kernel with --here"
                    continue
                why = f"{output['ename']}: {output['evalue']}"
                yield f"cell {number}: stops with the solutions in place ({why}): mend {lesson.file}"
            told = output.get("data", {}).get(MIME)
            if told and not told["passed"]:
                what = f"the solution of {told['exercise']} does not pass its own check"
                yield f"cell {number}: {what}: {told['sentence']}"


def _unsolved(done: Any, expected: list[Any]) -> Iterator[str]:
    found = {
        told["exercise"]: told
        for cell in done.cells
        for output in cell.get("outputs", [])
        if (told := output.get("data", {}).get(MIME))
    }
    for exercise in expected:
        told = found.get(exercise.name)
        if told is None:
            yield f"cell {exercise.cell + 1}: {exercise.name} is not checked in the participant's version"
        elif told["passed"]:
            yield (
                f"cell {exercise.cell + 1}: {exercise.name} passes without a solution: "
                "let its check look at what the participant has to find"
            )
        elif not told["sentence"].strip():
            yield f"cell {exercise.cell + 1}: the check of {exercise.name} says nothing when it fails: add a message"
