"""A course to begin with: one small lesson that passes its own check. Called by ``genai4eu course new``."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import babel
import nbformat
from nbformat import v4

from ..errors import WorkbenchError
from ..runs.files import write_text
from .course import FILE
from .example import untranslated, words
from .lesson import HINT

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
_KERNEL = {"name": "genai4eu", "display_name": "GenAI4EU (warm)", "language": "python"}
_BEGIN = "from genai4eu.courses import check, help_me, hint, progress, reset\n\nvalues = [2, 3, 2, 4, 40]"
_SOLUTION = "### BEGIN SOLUTION\nmiddle = sorted(values)[len(values) // 2]\n### END SOLUTION"
_CHECK = """check("exercise-1")
### BEGIN HIDDEN TESTS
mean = sum(values) / len(values)
assert middle != mean, {mean}
assert middle == 3, {sort}
### END HIDDEN TESTS"""


def make(folder: Path, languages: Sequence[str]) -> Path:
    """Make a course's folder.

    Raises
    ------
    WorkbenchError
        If something is there already, it cannot be made, or a language is none.
    """
    for name in languages or [""]:
        try:
            babel.Locale.parse(name)
        except (ValueError, babel.UnknownLocaleError):
            raise WorkbenchError(f"{name!r} is no language: name them as en,nl,de") from None
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # "a/../b" makes no a
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WorkbenchError(f"{folder} is there already: name another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(_notebook(languages), folder / "lesson-1.ipynb")
        write_text(folder / FILE, _toml(languages))  # last: with it the folder is a course
    except OSError as error:
        raise WorkbenchError(f"{folder} cannot be made ({error.strerror}): name another folder") from None
    return folder


def _toml(languages: Sequence[str]) -> str:
    def texts(name: str) -> str:
        return "".join(f'{language} = "{words(language)[name]}"\n' for language in languages)

    def lists(name: str) -> str:
        return "".join(f'{language} = ["{words(language)[name]}"]\n' for language in languages)

    return _TOML.format(
        languages=", ".join(f'"{name}"' for name in languages), title=texts("title"), summary=texts("summary"),
        audience=texts("audience"), topics=lists("topic"), lesson=texts("lesson"), goals=lists("goal"),
    )  # fmt: skip


def _notebook(languages: Sequence[str]) -> Any:
    """Return the lesson: the main language in the cells, others beside it where the example is there in them."""
    absent = untranslated(languages[1:])  # left out, so that the course's check names each text to write
    spoken = {language: words(language) for language in languages if language not in absent}
    opening = {name: f"# {said['lesson']}\n\n**{said['afterwards']}** {said['goal']}." for name, said in spoken.items()}

    def texts(name: str) -> dict[str, str]:
        return {language: said[name] for language, said in spoken.items()}

    def message(name: str) -> str:
        return _message(texts(name)) if len(languages) > 1 else json.dumps(*texts(name).values(), ensure_ascii=False)

    cells = [
        _markdown(opening), v4.new_code_cell(_BEGIN), _markdown(texts("exercise")), v4.new_code_cell(_SOLUTION),
        v4.new_code_cell(_CHECK.format(mean=message("mean"), sort=message("sort"))),
        _markdown(texts("hint"), HINT), _markdown(texts("second"), HINT), _markdown(texts("practice")),
    ]  # fmt: skip
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return v4.new_notebook(cells=cells, metadata={"kernelspec": _KERNEL})


def _markdown(texts: dict[str, str], *tags: str) -> Any:
    """Return a cell in all languages, the main one first."""
    (_main, source), *others = texts.items()
    cell = v4.new_markdown_cell(source)
    if tags:
        cell.metadata["tags"] = list(tags)
    if others:
        cell.metadata["genai4eu"] = {"text": dict(others)}
    return cell


def _message(texts: dict[str, str]) -> str:
    """Return Python for a message by language."""
    lines = [f"    {json.dumps(name)}: {json.dumps(text, ensure_ascii=False)},\n" for name, text in texts.items()]
    return "{\n" + "".join(lines) + "}"
