"""The participant's version of a course: lessons without solutions and hidden checks, and what checks them kept aside.

nbgrader's own preprocessors clear the cells; its database and exchange are not used. Called by the command line.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from ..dashboards.pages.translated import texts_of
from ..dashboards.publishing.aside import aside
from ..errors import WorkbenchError, together
from ..runs.files import write_json, write_text
from .course import FILE, Course
from .desk import ABOUT, ASIDE, PRISTINE
from .lesson import HINT, exercises, faults, read, unmarked

#: What of a course's folder no participant gets; beside its course.toml, notebooks are lessons or the trainer's own.
_OWN, _TOP = (".*", "__pycache__"), (FILE, "README.md", "*.ipynb")
#: What stands in the place of a solution: nothing that stops "Run all", and the check says what is missing.
_STUB = {"python": "# YOUR CODE HERE\npass"}


def build(course: Course, out: Path) -> Path:
    """Write the participant's version of a course into a new folder, whole or not at all.

    Parameters
    ----------
    out : Path
        Must not be there, or be an earlier version of the same course, which it replaces.

    Raises
    ------
    WorkbenchError
        If a lesson contradicts itself, or ``out`` holds something else.
    """
    lessons = {lesson.file: read(course.folder / lesson.file) for lesson in course.about.lessons}
    found = [f"{file}, {fault}" for file, notebook in lessons.items() for fault in faults(notebook, course.language)]
    if found := [*found, *_twice(course, lessons)]:
        raise together(found, "exercises of the course")
    out = out.absolute()
    if out.exists() and not (out / ASIDE / ABOUT).is_file():
        raise WorkbenchError(
            f"{out} is there already and is no participants' version of a course: name another folder with --out"
        )
    with aside(out.parent, "name another folder with --out") as folder:
        made = folder / "course"
        shutil.copytree(course.folder, made, ignore=partial(_left_out, course.folder))
        (made / ASIDE / PRISTINE).mkdir(parents=True)
        told = [_write(made, course, file, notebook) for file, notebook in lessons.items()]
        write_json(made / ASIDE / ABOUT, {"course": course.about.model_dump(), "name": course.name, "lessons": told})
        if out.exists():
            out.rename(folder / "before")
        made.rename(out)
    return out


def participants(notebook: Any, language: str) -> nbformat.NotebookNode:
    """Return a lesson as participants get it: no solution, no hidden check, no hint, no output.

    Parameters
    ----------
    language : str
        In which the cells themselves are written.
    """
    from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions

    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if HINT not in cell.metadata.get("tags", [])]
    clear = ClearSolutions(enforce_metadata=False, code_stub=_STUB), ClearHiddenTests(enforce_metadata=False)
    for preprocessor in clear:
        try:
            made, _ = preprocessor.preprocess(made, {})
        except RuntimeError as error:
            raise WorkbenchError(f"the lesson's cells do not fit nbgrader's syntax: {error}") from None
    for cell in made.cells:
        cell.source = cell.source.rstrip("\n")
        if cell.cell_type == "markdown" and (texts := texts_of(cell)):  # the switch brings the main language back, too
            cell.metadata["genai4eu"] = {**cell.metadata["genai4eu"], "text": {language: cell.source, **texts}}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return made


def solutions(course: Course) -> dict[str, str]:
    """Return the code that solves each exercise of a course, without the marks around it."""
    found: dict[str, str] = {}
    for lesson in course.about.lessons:
        notebook = read(course.folder / lesson.file)
        for exercise in exercises(notebook, course.language):
            cells = [unmarked(notebook.cells[number].source) for number in exercise.solved]
            found[exercise.name] = "\n\n".join(cells)
    return found


def _left_out(top: Path, folder: str, names: list[str]) -> set[str]:
    """Return which names of a folder of the course no participant gets; called by ``copytree``."""
    patterns = (*_OWN, *_TOP) if Path(folder) == top else _OWN
    return shutil.ignore_patterns(*patterns)(folder, names)


def _write(made: Path, course: Course, file: str, notebook: Any) -> dict[str, Any]:
    """Write a lesson and its pristine copy, and return what the desk knows of it."""
    made_of = participants(notebook, course.language)
    told = {"languages": course.about.languages}
    made_of.metadata["genai4eu"] = {**made_of.metadata.get("genai4eu", {}), "lesson": told}
    content = nbformat.writes(made_of)
    digest = hashlib.sha256(content.encode()).hexdigest()
    for path in (made / file, made / ASIDE / PRISTINE / f"{digest}.ipynb"):
        write_text(path, content)
    found = exercises(notebook, course.language)
    return {
        "file": file,
        "sha256": digest,
        "exercises": [{"name": e.name, "tests": e.tests, "hints": e.hints} for e in found],
    }


def _twice(course: Course, lessons: dict[str, Any]) -> list[str]:
    """Return exercises whose name several lessons give: one course has one progress."""
    where: dict[str, list[str]] = {}
    for file, notebook in lessons.items():
        for exercise in exercises(notebook, course.language):
            where.setdefault(exercise.name, []).append(file)
    return [
        f"{name} stands in {' and in '.join(dict.fromkeys(files))}: rename one"
        for name, files in where.items()
        if len(set(files)) > 1
    ]
