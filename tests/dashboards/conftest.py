"""A small real run: a notebook with a study and a dashboard part, executed by a real kernel, kept as a record."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from genai4eu.cli import main
from genai4eu.dashboards.access import admission
from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.pages import frozen
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from .evidence import CARD, METRICS

RUN = "20261120-191500-tiny-wave-a1b2"
CELLS = [
    ("parameters", "seed: int = 0  # random seed [1] in 0..99"),
    (
        "",
        "import genai4eu, numpy as np\n"
        "run = genai4eu.current_run()\n"
        "np.save(run.outputs / 'wave.npy', np.sin(np.linspace(0, 6, 50)))\n"
        "run.metric('peak', 0.5, unit='1')",
    ),
    ("dashboard", "# Does a higher wave carry further?"),
    (
        "dashboard",
        "import genai4eu, numpy as np, matplotlib.pyplot as plt\n"
        "from IPython.display import Markdown, display\n"
        "from genai4eu.widgets import Choice, Explorer, Range, figure, use_style\n"
        "use_style()\n"
        "opened = genai4eu.open_run()\n"
        "wave = np.load(opened.outputs / 'wave.npy')\n"
        "display(Markdown(f\"Yes: the peak rises from 0.2 to **{opened.metrics['peak']:.1f}** (± 0.1).\"))",
    ),
    (
        "dashboard",
        "fig, ax = plt.subplots()\nax.plot(wave)\n"
        "ax.set(xlabel='distance (m)', ylabel='height (m)')\n"
        "figure(fig, alt='The wave peaks at 1 m; line, 0 to 50 m', title='The wave peaks early')",
    ),
    (
        "dashboard",
        "def draw(height, colour):\n"
        "    fig, ax = plt.subplots(figsize=(5, 3))\n"
        "    ax.plot(height * wave, color=colour)\n"
        "    return fig, f'A wave of {height:g} m; line'\n"
        "Explorer(draw, height=Range('Height', 0, 10, step=1, value=2, unit='m', help='How high the wave is.'),\n"
        "         colour=Choice('Colour', {'blue': 'C0', 'orange': 'C1'}, help='Colour of the line.'))",
    ),
    ("dashboard", "## What this does not show\n\nA real sea. It is [a toy](https://example.org/)."),
]


def notebook(cells: list[tuple[str, str]]) -> nbformat.NotebookNode:
    made = []
    for tag, source in cells:
        kind = nbformat.v4.new_markdown_cell if source.startswith("#") else nbformat.v4.new_code_cell
        made.append(kind(source, metadata={"tags": [tag]} if tag else {}))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})


def seal(folder: Path) -> None:
    """Write the crate as the runner does: every file with its digest."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "ro-crate-metadata.json"]
    graph = [
        {"@id": p.relative_to(folder).as_posix(), "sha256": hashlib.sha256(p.read_bytes()).hexdigest()} for p in files
    ]
    (folder / "ro-crate-metadata.json").write_text(json.dumps({"@graph": graph}), encoding="utf-8")


def execute(folder: Path, cells: list[tuple[str, str]]) -> Path:
    """Execute cells as a run in ``folder`` and seal it."""
    (folder / "outputs").mkdir(parents=True)
    made = notebook(cells)
    environment = {**os.environ, "GENAI4EU_RUN_DIR": str(folder), "PYTHONSAFEPATH": "1"}
    nbclient.NotebookClient(made, timeout=120).execute(cwd=str(folder.parent), env=environment)
    nbformat.write(made, folder / "notebook.ipynb")
    info: dict[str, Any] = {
        "id": RUN, "template": "tiny-wave", "title": "Tiny wave", "usecase": None, "usecase_version": None,
        "sector": "climate", "status": "completed", "started": "2026-11-20T19:15:00+00:00",
        "ended": "2026-11-20T19:15:03+00:00", "duration": 3.2, "target": "genai4eu", "kernel_id": "k", "host": "laptop",
        "cells": [], "error": None, "pid": 1,
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    (folder / "parameters.json").write_text('{"seed": 0}', encoding="utf-8")
    (folder / "environment.json").write_text(
        '{"python": "3.11", "packages": {"numpy": "2.4.6", "torch": "2.13.0"}}', encoding="utf-8"
    )
    seal(folder)
    return folder


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed record of the small run."""
    return execute(tmp_path_factory.mktemp("runs") / RUN, CELLS)


@pytest.fixture
def served(house: Path) -> Iterator[Callable[[list[tuple[str, str]]], Server]]:
    """Serve the dashboard of a run of these cells."""
    with ExitStack() as until:

        def serve(cells: list[tuple[str, str]]) -> Server:
            publish(Record(execute(house / "runs" / RUN, cells)))
            return until.enter_context(running(dashboards_root()))

        yield serve


@pytest.fixture
def record(executed: Path, house: Path) -> Record:
    """A copy of the small run's record, to be changed at will."""
    shutil.copytree(executed, house / "runs" / RUN)
    return Record(house / "runs" / RUN)


@pytest.fixture
def change(record: Record) -> Callable[[str, Callable[[Any], None]], Record]:
    """Change one of the record's JSON files and seal the record anew."""

    def write(name: str, edit: Callable[[Any], None]) -> Record:
        content = json.loads((record.folder / name).read_text("utf-8"))
        edit(content)
        (record.folder / name).write_text(json.dumps(content), encoding="utf-8")
        seal(record.folder)
        return record

    return write


def html(published: Published, name: str = "index") -> str:
    """A page of a dashboard as visitors of English get it."""
    return frozen.html(Bundle(published.folder), name, "en", "../../")


@pytest.fixture(scope="session")
def _published(executed: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENAI4EU_DASHBOARDS", str(tmp_path_factory.mktemp("made") / "dashboards"))
        return publish(Record(executed))


@pytest.fixture
def command_line(house: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., subprocess.CompletedProcess[str]]:
    """As ``genai4eu``, but in this process: for what a command says and does, whose start is tried elsewhere."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["genai4eu", *arguments])
        code: Any = 0
        ends, out, err = signal.getsignal(signal.SIGTERM), io.StringIO(), io.StringIO()
        try:
            with redirect_stdout(out), redirect_stderr(err):
                main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            signal.signal(signal.SIGTERM, ends)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    return call


@pytest.fixture(scope="module")
def gallery(_published: Published, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A gallery with one dashboard, for the tests of a file that only look at it."""
    made = _published.dashboard.folder.parent
    with running(shutil.copytree(made, tmp_path_factory.mktemp("gallery") / "dashboards")) as started:
        yield started


@pytest.fixture
def published(record: Record, _published: Published) -> Published:
    """The small run's dashboard, to be changed at will: a copy of what was published once."""
    made = _published.dashboard.folder.parent
    shutil.copytree(made, dashboards_root())
    return replace(_published, folder=dashboards_root() / _published.folder.relative_to(made))


@pytest.fixture
def server(published: Published) -> Iterator[Server]:
    """A gallery with one dashboard."""
    with running(dashboards_root()) as started:
        yield started


@pytest.fixture
def dashboard(published: Published) -> Dashboard:
    return Dashboard(dashboards_root() / published.slug)


@pytest.fixture
def other(dashboard: Dashboard) -> Dashboard:
    """Another dashboard beside it, private."""
    folder = dashboards_root() / "other-0000"
    shutil.copytree(dashboard.folder, folder)
    about = folder / "versions" / "1" / "dashboard.json"
    about.chmod(0o644)
    about.write_text(about.read_text("utf-8").replace(dashboard.slug, "other-0000"), "utf-8")
    found = Dashboard(folder)
    admission.let_in(found, "private")
    return found


@pytest.fixture
def carded(record: Record) -> Record:
    """The small run as one of a use case with a card, that measured its model beside a baseline."""
    for name, content in {
        "card.json": CARD,
        "metrics.json": METRICS,
        "energy.json": {"joules": 7200.0, "source": "estimate"},
    }.items():
        (record.folder / name).write_text(json.dumps(content), encoding="utf-8")
    (record.folder / "log.txt").write_text("said", encoding="utf-8")
    seal(record.folder)
    return record
