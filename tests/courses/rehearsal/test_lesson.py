"""A lesson as a participant leaves it, and what a browser loads."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_output

from genai4eu.courses.course import Course
from genai4eu.courses.rehearsal.kernel import Done
from genai4eu.courses.rehearsal.lesson import Cell, cells, first, kernelspec
from genai4eu.courses.rehearsal.recording import FILE, present, recorded
from genai4eu.courses.showing import MIME
from genai4eu.errors import WorkbenchError


def test_solutions_in_the_participants_cells(folder: Path) -> None:
    """The solution is the trainer's; the check is the participant's, without what is hidden."""
    made = cells(Course(folder), 1)
    assert [cell.number for cell in made] == [2, 4, 5]
    assert "middle = sorted" in made[1].code
    assert made[2].code == 'check("exercise-1")'
    assert [cell.checks for cell in made] == [False, False, True]
    assert kernelspec(Course(folder), 1) == "genai4eu"


def test_lesson_that_is_not_there(folder: Path) -> None:
    """Said before anything starts."""
    with pytest.raises(WorkbenchError, match=r"no lesson 2: it has 1"):
        cells(Course(folder), 2)


def test_first_cell_imports_the_stack_and_what_the_lesson_does() -> None:
    """Once each; a cell with a magic is passed over."""
    code = first([Cell(1, "import json\nx = 1"), Cell(2, "%time 3"), Cell(3, "import json\nfrom os import path")])
    assert code.splitlines()[0] == "import numpy, torch, sklearn.ensemble, xarray"
    assert code.splitlines()[1:] == ["import json", "from os import path"]


def test_what_a_cell_did_wrong() -> None:
    """An exception, a check that does not pass, a check that was none, an aborted cell."""
    error = new_output("error", ename="NameError", evalue="x", traceback=[])
    assert list(Cell(4, "x").faults(Done("error", 0.1, outputs=[error]))) == ["cell 4: NameError: x"]
    told = {"exercise": "exercise-1", "passed": False, "sentence": "Not the mean.", "hints": 0}
    shown = new_output("display_data", {MIME: told})
    (fault,) = Cell(5, "check()", checks=True).faults(Done("ok", 0.1, outputs=[shown]))
    assert "exercise-1 does not pass: Not the mean." in fault
    assert list(Cell(5, "check()", checks=True).faults(Done("ok", 0.1))) == ["cell 5: nothing was checked"]
    assert list(Cell(6, "y").faults(Done("aborted", 0.1))) == ["cell 6: the kernel says aborted"]
    shown = new_output("display_data", {MIME: {**told, "passed": True}})
    assert not list(Cell(5, "check()", checks=True).faults(Done("ok", 0.1, outputs=[shown])))


def test_recording_is_of_the_jupyterlab_that_we_test_with() -> None:
    """Every file that Chromium loaded is here: else JupyterLab has changed, and record.py says how to record anew."""
    version = json.loads(FILE.read_text("utf-8"))["jupyterlab"]
    assert version.split(".")[:2] == importlib.metadata.version("jupyterlab").split(".")[:2], "record anew"
    page = {"fullStaticUrl": "/static/lab", "fullLabextensionsUrl": "/lab/extensions", "federated_extensions": []}
    waves, talk = recorded()
    files = [r for wave in waves for r in wave.requests if r.path.startswith("static/lab/")]
    assert len(files) > 30
    assert all((present(request, page) or "").startswith("/static/lab/") for request in files), "record anew"
    paths = {request.path.partition("?")[0] for wave in waves for request in wave.requests}
    assert {"api/sessions", "lab/api/settings", "api/contents/{lesson}"} <= paths
    assert talk[0][:2] == ["shell", "kernel_info_request"]


def test_extension_that_the_page_does_not_name_is_not_loaded() -> None:
    """A room leaves some out."""
    waves, _ = recorded()
    of = [r for wave in waves for r in wave.requests if "jupyterlab-manager" in r.path]
    page: dict[str, Any] = {"fullLabextensionsUrl": "/e", "federated_extensions": []}
    assert of
    assert all(present(request, page) is None for request in of)
    name = "@jupyter-widgets/jupyterlab-manager"
    page["federated_extensions"] = [{"name": name, "load": "static/remoteEntry.0.js"}]
    found = [present(request, page) for request in of]
    assert f"/e/{name}/static/remoteEntry.0.js" in found
    assert all(address and address.startswith(f"/e/{name}/static/") for address in found)
