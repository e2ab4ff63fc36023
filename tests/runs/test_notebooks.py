"""The notebooks that people open: the quickstart, executed as a scientist would, and Lab's folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from genai4eu.dashboards.dashboard import all_bundles, dashboards_root
from genai4eu.kernels import local
from genai4eu.lab import fill
from genai4eu.runs.store import all_runs

CLI = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_quickstart_goes_from_template_to_dashboard(house: Path) -> None:
    (copy,) = [p for p in fill(house / "lab") if p.name == "quickstart.ipynb"]
    notebook = nbformat.read(copy, as_version=4)
    assert len(notebook.cells) == 10
    local.ensure()
    NotebookClient(
        notebook, timeout=300, kernel_name="genai4eu", resources={"metadata": {"path": str(copy.parent)}}
    ).execute()
    (record,) = all_runs()
    assert record.info["status"] == "completed"
    (bundle,) = all_bundles(dashboards_root())
    assert bundle.info["run"] == record.id


def test_lab_folder_keeps_what_its_owner_changed(house: Path) -> None:
    made = {p.name for p in fill(house / "lab")}
    assert {"quickstart.ipynb", "health_imaging.ipynb"} <= made
    mine = house / "lab" / "health_imaging.ipynb"
    assert json.loads(mine.read_text())["metadata"]["genai4eu"]["usecase"] == "health-imaging"
    mine.write_text("mine")
    assert fill(house / "lab") == []
    assert mine.read_text() == "mine"


def test_lab_on_a_taken_port(genai4eu: CLI, house: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = genai4eu("lab", "--port", str(port), "--no-browser")
    assert done.returncode == 1
    assert f"port {port} is in use: choose another with --port" in done.stderr
