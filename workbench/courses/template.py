"""A template that participants build part by part: a cell of a lesson that begins with ``%%part`` becomes its cell.

In a lesson::

    from genai4eu.courses.template import begin

    template = begin("material/canteen.toml", before="study")

The TOML file names the parts in their order, and holds each as it is once it is done: whoever joins
late, or is stuck, goes on from there.
"""

from __future__ import annotations

import ast
import string
import tomllib
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Annotated, Any

import nbformat
import pydantic
from nbformat import v4

from ..catalogue import source
from ..dashboards.pages.language import translations
from ..errors import WorkbenchError
from ..parameters import Schema
from ..runs.files import write_text
from . import showing
from .alone import Seen, alone
from .desk import here, text_in

_DASHBOARD = "dashboard"
_SHAPE = pydantic.ConfigDict(extra="forbid", frozen=True)


class Part(pydantic.BaseModel):
    """One cell of the template, as it is once it is done.

    Attributes
    ----------
    kind : str
        ``code`` or ``markdown``.
    ready : str or dict of str to str
        Its source, or its source by language; ``$name`` stands for a word of that language.
    origin : str
        Who made what it shows, as the metadata of a dashboard's cell say it.
    """

    model_config = _SHAPE

    name: Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
    kind: Annotated[str, pydantic.StringConstraints(pattern="^(code|markdown)$")] = "code"
    tags: list[str] = []
    origin: str = ""
    ready: str | dict[str, str]


class _About(pydantic.BaseModel):
    model_config = _SHAPE

    file: Annotated[str, pydantic.StringConstraints(pattern=r"^[\w-]+\.ipynb$")]
    words: dict[str, dict[str, str]] = {}
    parts: Annotated[list[Part], pydantic.Field(min_length=1)]


class Template:
    """A notebook that is being built, and its parts.

    Parameters
    ----------
    about : Path
        The TOML file that names the parts.
    folder : Path
        Where the notebook stands.
    language : str
        In which a part that is put there ready speaks.
    """

    def __init__(self, about: Path, folder: Path, language: str) -> None:
        self._about = _read(about)
        self.file, self.language = folder / self._about.file, language
        self.parts = {part.name: part for part in self._about.parts}

    @property
    def cells(self) -> dict[str, Any]:
        """The cells that are there by now, by the name of their part."""
        return {cell["id"]: cell for cell in self._notebook().cells}

    @property
    def schema(self) -> Schema:
        """What its parameters cell declares."""
        return source(self.file).schema

    def accepts(self, name: str, value: object) -> bool:
        """Tell whether a run with this value would start."""
        try:
            self.schema.validate({name: value})
        except WorkbenchError:
            return False
        return True

    def text(self, name: str) -> str:
        """Return what stands in a part, empty where it is not there yet."""
        return str(self.cells[name].source) if name in self.cells else ""

    def ready(self, name: str) -> str:
        """Return a part as it is once it is done."""
        given = self._part(name).ready
        text = given if isinstance(given, str) else text_in(given, self.language)
        words = self._about.words
        chosen = words.get(self.language) or next(iter(words.values()), {})
        return string.Template(text).safe_substitute(chosen).strip()

    def keep(self, name: str, text: str, origin: str = "") -> None:
        """Put a cell into the notebook at the place of its part."""
        part, notebook = self._part(name), self._notebook()
        cell = v4.new_code_cell(text) if part.kind == "code" else v4.new_markdown_cell(text)
        cell["id"] = name
        cell.metadata["tags"] = part.tags
        if origin:
            cell.metadata["genai4eu"] = {"origin": origin}
        cells = {**{c["id"]: c for c in notebook.cells}, name: cell}
        order = [*self.parts, *(other for other in cells if other not in self.parts)]
        notebook.cells = [cells[one] for one in order if one in cells]
        write_text(self.file, nbformat.writes(notebook))

    def fill(self, before: str | None, anew: bool = False) -> list[str]:
        """Put ready parts where there are none yet, up to a part; ``anew`` also where the participant has own ones."""
        there, put = {} if anew else self.cells, []
        for name, part in self.parts.items():
            if name == before:
                break
            if name not in there:
                self.keep(name, self.ready(name), part.origin)
                put.append(name)
        return put

    def here(self, *names: str) -> None:
        """Execute parts in this notebook, as “run all” in the template would; by default all of the study part."""
        from IPython import get_ipython

        study = [n for n, p in self.parts.items() if p.kind == "code" and _DASHBOARD not in p.tags]
        for name in names or [name for name in study if name in self.cells]:
            get_ipython().run_cell(self.text(name)).raise_error()

    def alone(self, keep: Callable[[Path], object], *, until: str | None = None) -> Seen:
        """Execute the dashboard part with nothing but a record, as a visitor's kernel does.

        Parameters
        ----------
        keep : callable
            Writes what the study part keeps into the folder that it is given.
        until : str, optional
            The last part to execute.
        """
        cells = [(name, self.text(name)) for name in self._shown(until)]
        return alone(cells, keep)

    def _shown(self, until: str | None) -> Iterator[str]:
        for name, cell in self.cells.items():
            if cell.cell_type == "code" and _DASHBOARD in cell.metadata.get("tags", []):
                yield name
            if name == until:
                return

    def _part(self, name: str) -> Part:
        if name not in self.parts:
            raise WorkbenchError(f"{self.file.name} has no part {name!r}: it has {', '.join(self.parts)}")
        return self.parts[name]

    def _notebook(self) -> Any:
        if not self.file.exists():
            kernel = {"name": "genai4eu", "display_name": "GenAI4EU", "language": "python"}
            return v4.new_notebook(metadata={"kernelspec": kernel, "genai4eu": {"language": self.language}})
        try:
            return nbformat.read(self.file, as_version=4)
        except Exception:  # noqa: BLE001  # nbformat raises whatever its reader meets
            raise WorkbenchError(f"{self.file.name} is no notebook any more: delete it and begin anew") from None


def begin(about: str | Path, before: str | None = None, anew: bool = False) -> Template:
    """Return the template of this desk, with all parts before one; ``%%part NAME`` keeps a cell in it from now on.

    Parameters
    ----------
    about : str or Path
        The TOML file that names its parts, from the desk's folder.
    before : str, optional
        The first part that the lesson lets participants make.
    anew : bool
        Put the ready parts also where there are own ones.

    Raises
    ------
    WorkbenchError
        If there is no course here, no such file, or it contradicts itself.
    """
    from IPython import get_ipython

    desk = here()
    template = Template(desk.folder / about, desk.folder, desk.language)
    put = template.fill(before, anew)
    if shell := get_ipython():
        shell.register_magic_function(lambda line, cell: _part(shell, template, line, cell), "cell", "part")
    _ = translations(desk.language).gettext
    if put:
        _note(_("Put into %(file)s, ready: %(parts)s") % {"file": template.file.name, "parts": ", ".join(put)})
    return template


def show_page(path: Path, height: str = "36em") -> None:
    """Show a page that needs nothing else inside the notebook; none of its scripts run there."""
    from IPython.display import display

    frame = f'sandbox title="{escape(path.name)}" style="width:100%;height:{height};border:1px solid #8c959f"'
    html = f'<iframe {frame} srcdoc="{escape(path.read_text(encoding="utf-8"))}"></iframe>'
    display({"text/html": html, "text/plain": path.name}, raw=True)


def _part(shell: Any, template: Template, line: str, cell: str) -> None:
    """Execute a cell that begins with ``%%part NAME [ORIGIN]``, and keep it once it works."""
    name, _space, origin = line.strip().partition(" ")
    _ = translations(template.language).gettext
    if template._part(name).kind == "code" and _unfinished(cell):
        _note(_("Complete this cell and take out “pass”: nothing was kept."))
        return
    if template._part(name).kind == "markdown":
        from IPython.display import Markdown, display

        display(Markdown(cell))
    elif not shell.run_cell(cell).success:
        return
    template.keep(name, cell.strip(), origin.strip())
    _note(_("Kept in %(file)s as part “%(part)s”.") % {"file": template.file.name, "part": name})


def _unfinished(cell: str) -> bool:
    """Tell whether that still stands there which takes a solution's place."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:  # magics, or a slip that executing it explains
        return False
    return any(isinstance(statement, ast.Pass) for statement in body)


def _note(sentence: str) -> None:
    from IPython.display import display

    display({"text/html": showing.note(sentence), "text/plain": sentence}, raw=True)


def _read(path: Path) -> _About:
    try:
        return _About.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise WorkbenchError(f"{path.name} is not there: it names the template's parts") from None
    except (tomllib.TOMLDecodeError, pydantic.ValidationError) as error:
        raise WorkbenchError(f"{path.name} does not name the parts of a template: {error}") from None
