"""A course to begin with: one small lesson that passes its own check. Called by ``genai4eu course new``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import babel
import nbformat
from nbformat import v4

from ..errors import WorkbenchError
from ..runs.files import write_text
from .course import FILE

_TOML = """version = "0.1"
languages = [{languages}]  # the main one, in which the cells are written, first
unreviewed = []  # those that no speaker has read yet
sector = "any"
level = "introductory"  # literacy in artificial intelligence: introductory, intermediate, advanced
licence = "CC-BY-4.0"
requires = []  # extras of genai4eu whose science the lessons import, as ["health"]

[title]
{title}
[summary]
{summary}
[audience]
{audience}
[topics]
{topics}
[[lessons]]
file = "lesson-1.ipynb"
minutes = 10
[lessons.title]
{lesson}
[lessons.goals]
{goals}"""
_CELLS: list[tuple[str, str, str]] = [
    ("markdown", "", "# The mean hides who is far off\n\n**Afterwards you can** say why a mean alone misleads."),
    ("code", "", "from genai4eu.courses import check, help_me, hint, progress, reset\n\nvalues = [2, 3, 2, 4, 40]"),
    ("markdown", "", "## Exercise 1\n\nFind the median of `values` and call it `middle`."),
    ("code", "", "### BEGIN SOLUTION\nmiddle = sorted(values)[len(values) // 2]\n### END SOLUTION"),
    (
        "code", "",
        'check("exercise-1")\n### BEGIN HIDDEN TESTS\n'
        "mean = sum(values) / len(values)\n"
        'assert middle != mean, "That is the mean: one value of 40 pulls it up. The median is the middle one."\n'
        'assert middle == 3, "Sort the values first: the median is the one in the middle."\n### END HIDDEN TESTS',
    ),
    ("markdown", "hint", "`sorted(values)` puts them in order."),
    ("markdown", "hint", "The middle one of five has the number 2: Python counts from 0."),
    ("markdown", "", "## What goes wrong in practice\n\nA report gives the mean, and nobody looks at the values."),
]  # fmt: skip


def make(folder: Path, languages: Sequence[str]) -> Path:
    """Make a course's folder.

    Raises
    ------
    WorkbenchError
        If something is there already, or a language is none.
    """
    for name in languages or [""]:
        try:
            babel.Locale.parse(name)
        except (ValueError, babel.UnknownLocaleError):
            raise WorkbenchError(f"{name!r} is no language: name them as en,nl,de") from None
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WorkbenchError(f"{folder} is there already: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(_notebook(languages), folder / "lesson-1.ipynb")
    write_text(folder / FILE, _toml(languages))  # last: with it the folder is a course
    return folder


def _toml(languages: Sequence[str]) -> str:
    def texts(text: str) -> str:
        return "".join(f'{name} = "{text}"\n' for name in languages)

    return _TOML.format(
        languages=", ".join(f'"{name}"' for name in languages), title=texts("A course to replace"),
        summary=texts("What it is about, in a sentence."), audience=texts("Who comes, and what they know already."),
        topics="".join(f'{name} = ["what models cannot know"]\n' for name in languages),
        lesson=texts("The mean hides who is far off"),
        goals="".join(f'{name} = ["say why a mean alone misleads"]\n' for name in languages),
    )  # fmt: skip


def _notebook(languages: Sequence[str]) -> Any:
    """Return the lesson; further languages begin with the main one's text, to be translated in the cell's metadata."""
    cells = []
    for number, (kind, tag, source) in enumerate(_CELLS):
        cell = v4.new_markdown_cell(source) if kind == "markdown" else v4.new_code_cell(source)
        cell["id"] = f"cell-{number}"
        if tag:
            cell.metadata["tags"] = [tag]
        if kind == "markdown" and len(languages) > 1:
            cell.metadata["genai4eu"] = {"text": dict.fromkeys(languages[1:], source)}
        cells.append(cell)
    kernel = {"name": "genai4eu", "display_name": "GenAI4EU (warm)", "language": "python"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
