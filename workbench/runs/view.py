"""Pages of runs: one run, or two to ten side by side. One file each, that fetches nothing. Called by the command line.

The same markup shows in a notebook, in the notebook's light or dark.
"""

from __future__ import annotations

import base64
import functools
import importlib.resources
import json
import tempfile
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from ..errors import WorkbenchError
from ..screen import has_screen
from ..verify import verdict
from . import plot
from .compare import Comparison
from .figures import figures
from .files import write_text
from .record import Record
from .seal import check, described
from .store import runs_root

TEMPLATES = Path(str(importlib.resources.files("genai4eu.templates")))
_WORDS = {"timeout": "Ran into its timeout", "not run": "Not run"}
#: Lines of the log that the page of a run shows that went wrong.
_LOG = 20


@dataclass(frozen=True)
class Page:
    """What a browser or a notebook shows.

    Attributes
    ----------
    name : str
        The file's name, without its ending.
    fragment : str
        The content, with its style, for a notebook's output.
    """

    name: str
    title: str
    fragment: str

    @property
    def html(self) -> str:
        """The whole page."""
        return _environment().get_template("page.html.j2").render(page=self, font=_font())


@functools.cache
def _environment() -> jinja2.Environment:
    from ..dashboards.pages import page, values

    loader = jinja2.FileSystemLoader(TEMPLATES / "runs")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters |= {f.__name__: f for f in (values.moment, values.duration, values.number)}
    environment.filters |= {"joints": page.joints, "shown": _shown, "size": _size, "status": _status}
    return environment


@functools.cache
def _font() -> str:
    """Return the page's type as a data URI: the page is one file."""
    font = TEMPLATES / "dashboard" / "static" / "fonts" / "inter-latin-wght-normal.woff2"
    return "data:font/woff2;base64," + base64.b64encode(font.read_bytes()).decode()


def page(record: Record, brief: bool = False) -> Page:
    """Return the page of one run.

    Parameters
    ----------
    brief : bool
        Whether to leave out figures and where it comes from, as a notebook's output does.

    Raises
    ------
    WorkbenchError
        If the record is damaged.
    """
    info = record.info
    values = {
        "info": info,
        "parameters": record.parameters,
        "metrics": record.metrics,
        "brief": brief,
        "figures": [] if brief else figures(record),
        "environment": _optional(record, "environment.json"),
        "project": _optional(record, "project.json"),
        "inputs": _optional(record, "inputs.json"),
        "energy": record.energy,
        "energy_sentence": record.energy_sentence,
        "verdicts": verdict.about(record.folder),
        "checked": None if brief else check(record),
        "files": _files(record),
        "log": _log(record) if info["error"] else "",
        "broken": next((c for c in info["cells"] if c["status"] == info["status"] != "completed"), None),
    }
    return Page(record.id, str(info["title"]), render("run", **values))


def comparison(made: Comparison) -> Page:
    """Return the page of several runs."""
    drawn = {n: plot.dots(n, m["unit"], made.letters, m["values"]) for n, m in made.metrics.items()}
    rows: dict[str, dict[int, Any]] = {}
    for number, record in enumerate(made.records):
        for figure in figures(record):
            rows.setdefault(figure.key, {})[number] = figure
    title = f"{len(made.runs)} runs compared"
    fragment = render("compare", made=made, plots=drawn, findings=_findings(made), rows=list(rows.values()))
    return Page(f"compare-{'-'.join(r['id'].rpartition('-')[2] for r in made.runs)}", title, fragment)


def render(name: str, **values: Any) -> str:
    """Return a page's content by its template, with the style."""
    style = (TEMPLATES / "runs" / "runs.css").read_text(encoding="utf-8")
    return _environment().get_template(f"{name}.html.j2").render(style=style, **values)


def _findings(made: Comparison) -> dict[str, str]:
    """Say of every metric what the plot shows."""
    found = {}
    for name, about in made.metrics.items():
        known = [(v, x) for v, x in zip(about["values"], made.letters, strict=True) if v is not None]
        unit = "" if about["unit"] == "1" else f" {about['unit']}"
        if not known:
            found[name] = f"{name} is undefined in every run"
        elif min(known)[0] == max(known)[0]:
            found[name] = f"{name} is {plot.short(known[0][0])}{unit} in every run that has it"
        else:
            (low, a), (high, b) = min(known), max(known)
            found[name] = f"{name} goes from {plot.short(low)} (run {a}) to {plot.short(high)}{unit} (run {b})"
    return found


def _optional(record: Record, name: str) -> dict[str, Any]:
    return record.read(name) if (record.folder / name).exists() else {}


def _files(record: Record) -> list[tuple[str, int]]:
    """Return path and size of what the run kept."""
    sealed = described(record.folder)
    return [(p, int(about.get("contentSize", 0))) for p, about in sorted(sealed.items()) if p.startswith("outputs/")]


def _log(record: Record) -> str:
    path = record.folder / "log.txt"
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return "\n".join(lines[-_LOG:])


def _shown(value: Any) -> str:
    """Return a parameter's value as a person would type it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _size(count: float | None) -> str:
    """Return a number of bytes with its unit."""
    if count is None:
        return "unknown"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def _status(status: str) -> str:
    return _WORDS.get(status, status.capitalize())


def save(shown: Page | Comparison, path: Path) -> Path:
    """Write a page into a file, whole or not at all.

    Raises
    ------
    WorkbenchError
        If it cannot be written there.
    """
    made = comparison(shown) if isinstance(shown, Comparison) else shown
    path = path / f"{made.name}.html" if path.is_dir() else path
    try:
        write_text(path, made.html)
    except OSError as error:
        raise WorkbenchError(f"cannot write {path}: {error.strerror}") from None
    return path


def show(shown: Page | Comparison) -> None:
    """Open a page in a browser, and say where it lies, for a computer that has none."""
    folder = runs_root() / "pages"  # no hidden folder: some browsers may not look into those
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = save(shown, folder)
    except (OSError, WorkbenchError):
        path = save(shown, Path(tempfile.mkdtemp(prefix="genai4eu-")))
    print(path)
    if has_screen():
        webbrowser.open(path.as_uri())
