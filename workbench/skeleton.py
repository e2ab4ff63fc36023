"""A package for a use case of one's own: every room filled with a small real study, ready to be replaced.

Its files are jinja2 templates in ``templates/usecase``. Called by ``genai4eu new-usecase``.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.resources
import importlib.util
import json
import keyword
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

import jinja2
import pydantic

from . import __version__
from .errors import WorkbenchError

#: A name is a template's, a distribution's and, with underscores, a package's; figures and rows have room for so much.
LONGEST = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_TEXT = 160
QUESTION = "What will a day's electricity demand look like at a given temperature?"


class Wanted(pydantic.BaseModel):
    """What a package is made for.

    Attributes
    ----------
    name : str
        Name of template and distribution; lower case, letters, digits and single hyphens.
    sector : str
        Free text.
    title : str
        The question of the use case.
    licence : str
        SPDX identifier, one of :func:`licences`.
    author : str
        Whom the licence names; empty for the contributors.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: str
    sector: str
    title: str = QUESTION
    licence: str = "BSD-3-Clause"
    author: str = ""

    @property
    def package(self) -> str:
        """Name of the Python package."""
        return self.name.replace("-", "_")


def make(wanted: Wanted, into: Path) -> Path:
    """Write the package, whole or not at all, and return its folder, ``into/NAME``.

    Raises
    ------
    WorkbenchError
        If the name is no such name or is taken, a text will not do, or the folder exists or cannot be made.
    """
    _check_name(wanted.name)
    _check_texts(wanted)
    folder = into / wanted.name
    if folder.exists() or folder.is_symlink():
        raise WorkbenchError(f"{folder} is there already: choose another name, or move it away")
    if not into.is_dir():
        raise WorkbenchError(f"there is no folder {into}: make it first")
    files = dict(_filled(wanted))
    try:
        _write(files, folder)
    except PermissionError as error:
        raise WorkbenchError(f"{into} cannot be written ({error.strerror}): name another folder with --into") from None
    return folder


def licences() -> list[str]:
    """Return the licences whose text can be put into a package."""
    return sorted(entry.name.removesuffix(".txt.j2") for entry in _source("licences").iterdir())


def _check_name(name: str) -> None:
    """Refuse a name that pip, Python or the catalogue could not tell from another."""
    package = name.replace("-", "_")
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise WorkbenchError(
            f"{name!r} cannot name a use case: begin with a letter, then lower-case letters, digits and single "
            f"hyphens, at most {LONGEST} in all, such as 'hourly-demand'"
        )
    if keyword.iskeyword(package) or package in sys.stdlib_module_names or package in ("tests", "src"):
        raise WorkbenchError(f"{name!r} means something else in Python: choose another name, such as '{name}-study'")
    if name in {point.name for point in importlib.metadata.entry_points(group="genai4eu.usecases")}:
        raise WorkbenchError(f"{name!r} is an installed template already: choose another name")
    if importlib.util.find_spec(package) or any(importlib.metadata.distributions(name=name)):
        raise WorkbenchError(f"{name!r} is the name of an installed package: choose another name")


def _check_texts(wanted: Wanted) -> None:
    for what in ("sector", "title", "author"):
        text: str = getattr(wanted, what)
        if not text and what != "author":
            raise WorkbenchError(f"the {what} is empty: say it in a few words with --{what}")
        if not text.isprintable() or len(text) > _LONGEST_TEXT or "\\" in text:
            raise WorkbenchError(
                f"the {what} will not do: give one line of at most {_LONGEST_TEXT} letters, without backslashes"
            )
    if wanted.licence not in licences():
        raise WorkbenchError(f"there is no text of {wanted.licence!r} here: use one of {', '.join(licences())}")


def _source(*parts: str) -> Traversable:
    return importlib.resources.files("genai4eu.templates").joinpath("usecase", *parts)


def _filled(wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Yield the path in the package and the text of every file."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)
    environment.filters |= {"quoted": _quoted, "python": _python, "sentence": _sentence}
    environment.filters["inner"] = lambda text: _quoted(text)[1:-1]
    values = wanted.model_dump() | {
        "package": wanted.package, "author": wanted.author or f"the {wanted.name} contributors",
        "year": datetime.datetime.now(datetime.UTC).year, "workbench": __version__,
    }  # fmt: skip
    for path, file in _walk(_source("skeleton"), ""):
        yield _place(path, wanted), environment.from_string(file.read_text(encoding="utf-8")).render(values)
    text = _source("licences", f"{wanted.licence}.txt.j2").read_text(encoding="utf-8")
    yield "LICENSE", environment.from_string(text).render(values)


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(".j2"):
            yield path + entry.name.removesuffix(".j2"), entry


def _place(path: str, wanted: Wanted) -> str:
    """Return where a file of the skeleton lies in the package."""
    path = path.replace("src/package/template.ipynb", f"src/package/{wanted.package}.ipynb")
    return path.replace("src/package/", f"src/{wanted.package}/").replace("gitignore", ".gitignore")


def _quoted(text: str) -> str:
    """Return a text between double quotes, as TOML and JSON alike read it."""
    return json.dumps(text, ensure_ascii=False)


def _python(text: str) -> str:
    """Return a text without backslashes as ruff would have it in Python: between the quotes that it holds less of."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + text.replace(mark, f"\\{mark}") + mark


def _sentence(text: str) -> str:
    """Return a text that can stand in a docstring: with a mark at its end, and no quotes that would close it."""
    text = text.replace('"', "'")
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _write(files: dict[str, str], folder: Path) -> None:
    """Write all files beside ``folder`` and rename them into place."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for path, text in files.items():
            file = aside / folder.name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (aside / folder.name).rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
