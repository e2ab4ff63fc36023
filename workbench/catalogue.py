"""The catalogue: which use cases are installed, found by the entry-point group ``genai4eu.usecases``.

An entry point names a plain dict, so that a package adds a use case without importing the workbench. Called by the
command line, the runner and Lab.
"""

from __future__ import annotations

import codecs
import difflib
import importlib.metadata
import importlib.resources
import json
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import pydantic

from .errors import WorkbenchError
from .grammar import read_schema
from .parameters import Schema

GROUP = "genai4eu.usecases"


class UseCase(pydantic.BaseModel):
    """What an entry point says of a use case.

    Attributes
    ----------
    name : str
        Short name; the template is called by it.
    template : str
        ``package/file.ipynb``: a notebook inside an installed package.
    extra : str or None
        Extra of the distribution that brings the science.
    requires : list of str
        Modules that a kernel must be able to import.
    warm_imports : list of str
        Modules that a warm kernel imports ahead.
    rehearsal : str or None
        ``package.module:function``: does what the dashboard part does first, with data of no record, before the live
        view's kernels are forked.
    card : str or None
        ``package/file.toml``: what the use case says of itself, as :class:`.card.Card` has it.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str
    sector: str
    summary: str
    version: str
    template: str = pydantic.Field(pattern=r"^[\w.]+/.+\.ipynb$")
    extra: str | None = None
    requires: list[str] = []
    warm_imports: list[str] = []
    rehearsal: str | None = pydantic.Field(default=None, pattern=r"^[\w.]+:\w+$")
    card: str | None = pydantic.Field(default=None, pattern=r"^[\w.]+/.+\.toml$")
    distribution: str = ""

    @property
    def install(self) -> str:
        """Return what to give pip."""
        return f"{self.distribution}[{self.extra}]" if self.extra else self.distribution

    @property
    def needs(self) -> dict[str, Any]:
        """Return what a kernel is asked to have before it runs the template."""
        return {"name": self.name, "version": self.version, "requires": self.requires, "install": self.install}

    def notebook(self) -> bytes:
        """Return the template's content.

        Raises
        ------
        WorkbenchError
            If its package does not hold the notebook.
        """
        package, _, file = self.template.partition("/")
        try:
            return importlib.resources.files(package).joinpath(file).read_bytes()
        except (FileNotFoundError, ModuleNotFoundError):
            raise WorkbenchError(
                f"use case {self.name!r} has no template at {self.template}: reinstall {self.install}"
            ) from None


class _Cell(pydantic.BaseModel):
    """The part of a cell that is relied upon; whatever else it has is kept."""

    model_config = pydantic.ConfigDict(extra="allow")

    cell_type: Literal["code", "markdown", "raw"]
    source: str | list[str]
    metadata: dict[str, Any] = {}


class _Notebook(pydantic.BaseModel):
    """The part of a notebook of format 4 that is relied upon."""

    model_config = pydantic.ConfigDict(extra="allow")

    nbformat: Literal[4]
    nbformat_minor: int = 5
    metadata: dict[str, Any] = {}
    cells: list[_Cell]


def _injected(cell: dict[str, Any]) -> bool:
    """Tell whether a run left the cell in: its values would go before those that the notebook declares."""
    return "injected-parameters" in (cell["metadata"].get("tags") or [])


class Source:
    """A notebook that can be run: a template of the catalogue, or any notebook file.

    Attributes
    ----------
    name : str
        Name of the template, or the file's path as it was given.
    usecase : UseCase or None
        The use case of a template; a copy of a template remembers its own.
    """

    def __init__(self, name: str, content: bytes, usecase: UseCase | None, path: Path | None) -> None:
        self.name = name
        self.content = content
        self.usecase = usecase
        self.path = path

    @cached_property
    def notebook(self) -> dict[str, Any]:
        """The notebook as nbformat 4 JSON."""
        try:
            found = _Notebook.model_validate_json(self.content.removeprefix(codecs.BOM_UTF8)).model_dump()
        except pydantic.ValidationError as error:
            where = error.errors()[0]
            if where["loc"][:1] == ("nbformat",):
                raise WorkbenchError(
                    f"{self.name} is no notebook of format 4: open and save it once in JupyterLab"
                ) from None
            fault = ".".join(map(str, where["loc"])) or "its content"
            raise WorkbenchError(f"{self.name} is not a Jupyter notebook ({fault}): give an .ipynb file") from None
        found["cells"] = [c for c in found["cells"] if not _injected(c)]
        return found

    @cached_property
    def schema(self) -> Schema:
        """The parameters that the notebook declares."""
        return read_schema(self.notebook["cells"], self.name)

    @property
    def title(self) -> str:
        """The first heading of the notebook, else its name."""
        for cell in self.notebook["cells"]:
            if cell["cell_type"] == "markdown":
                for line in "".join(cell["source"]).splitlines():
                    if line.startswith("# "):
                        return line[2:].strip()
        return self.usecase.title if self.usecase else self.name


def usecases() -> list[UseCase]:
    """Return the installed use cases, by sector and name; a broken package hides only its own."""
    return sorted((u for u in map(_try, _points()) if isinstance(u, UseCase)), key=lambda u: (u.sector, u.name))


def faults() -> list[str]:
    """Say in a sentence each what is wrong with installed use cases that cannot be offered."""
    return [str(fault) for fault in map(_try, _points()) if isinstance(fault, WorkbenchError)]


def _points() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=GROUP))


def _try(point: importlib.metadata.EntryPoint) -> UseCase | WorkbenchError:
    try:
        return _load(point)
    except WorkbenchError as fault:
        return fault


def _load(point: importlib.metadata.EntryPoint) -> UseCase:
    """Check what an entry point says; a broken package is named, with what to do."""
    distribution = point.dist.name if point.dist else point.module
    try:
        return UseCase(**{**point.load(), "distribution": distribution})
    except pydantic.ValidationError as error:
        fault = error.errors()[0]
        what = f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        raise WorkbenchError(
            f"use case {point.name!r} of {distribution} is not valid ({what}): ask its author"
        ) from None
    except Exception as error:  # noqa: BLE001  # somebody else's code may raise anything while it is imported
        raise WorkbenchError(f"use case {point.name!r} cannot be loaded ({error}): reinstall {distribution}") from None


def usecase(name: str) -> UseCase:
    """Return a use case by name.

    Raises
    ------
    WorkbenchError
        With the nearest known name.
    """
    known = {u.name: u for u in usecases()}
    if name in known:
        return known[name]
    broken = next((fault for p in _points() if p.name == name and isinstance(fault := _try(p), WorkbenchError)), None)
    if broken is not None:
        raise broken
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"installed are {', '.join(known) or 'none'}"
    raise WorkbenchError(f"unknown template {name!r}: {hint}")


def source(name: str | Path) -> Source:
    """Return what to run: a notebook file where the name looks like one, else the catalogue's template.

    Raises
    ------
    WorkbenchError
        If there is neither.
    """
    path = Path(name)
    if path.suffix == ".ipynb" or isinstance(name, Path) or "/" in name:
        if not path.is_file():
            raise WorkbenchError(f"there is no notebook {name}: check the path")
        made = Source(str(name), path.read_bytes(), None, path.resolve())
        made.usecase = _remembered(made.notebook)
        return made
    found = usecase(name)
    return Source(found.name, found.notebook(), found, None)


def _remembered(notebook: dict[str, Any]) -> UseCase | None:
    """Return the use case that a copy of a template was made from, where it is installed."""
    name = notebook.get("metadata", {}).get("genai4eu", {}).get("usecase")
    return next((u for u in usecases() if u.name == name), None) if name else None  # to look for them takes a while


def copy(name: str, destination: Path) -> Path:
    """Write a fresh copy of a template; never over a file that is there.

    Raises
    ------
    WorkbenchError
        If the template is unknown, or the destination exists or has no folder.
    """
    found = usecase(name)
    notebook = json.loads(found.notebook())
    own = notebook["metadata"].get("genai4eu", {})  # languages, tolerances: as much a part of it as its cells
    notebook["metadata"]["genai4eu"] = {**own, "usecase": found.name, "version": found.version}
    if destination.is_dir():
        destination = destination / found.template.rpartition("/")[2]
    if not destination.parent.is_dir():
        raise WorkbenchError(f"there is no folder {destination.parent}: make it first")
    try:
        with destination.open("x", encoding="utf-8") as stream:
            json.dump(notebook, stream, indent=1, ensure_ascii=False)
            stream.write("\n")
    except FileExistsError:
        raise WorkbenchError(f"{destination} is there already: choose another name, or move it away") from None
    return destination
