"""The catalogue: shipped templates, a third party's package, copies, and what is wrong with broken ones."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genai4eu import catalogue
from genai4eu.errors import WorkbenchError

CLI = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, genai4eu: CLI) -> Iterator[Path]:
    """A tiny package of somebody else's, as pip would lay it out, with one use case."""
    site = tmp_path / "site"
    package = site / "acme_soil"
    package.mkdir(parents=True)
    usecase = {
        "name": "acme-soil", "title": "How wet is the soil?", "sector": "agrifood", "summary": "A sensor study.",
        "version": "2.1", "template": "acme_soil/soil.ipynb", "requires": ["json"],
    }  # fmt: skip
    (package / "__init__.py").write_text(f"USECASE = {usecase!r}\n")
    cell: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    declare = {"id": "p", "metadata": {"tags": ["parameters"]}, "source": "depth: float = 0.3  # depth [m] in 0..2"}
    measure = {
        "id": "b",
        "metadata": {},
        "source": "import genai4eu\ngenai4eu.current_run().metric('depth', depth, 'm')",
    }
    cells = [{**cell, **declare}, {**cell, **measure}]
    (package / "soil.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    info = site / "acme_soil-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-soil\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text("[genai4eu.usecases]\nacme-soil = acme_soil:USECASE\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield package
    sys.modules.pop("acme_soil", None)


@pytest.mark.slow
def test_third_partys_template_is_listed_shown_copied_and_run(third_party: Path, genai4eu: CLI, house: Path) -> None:
    listed = json.loads(genai4eu("templates", "--json").stdout)
    assert {"health-imaging", "acme-soil"} <= {u["name"] for u in listed}
    assert "depth [m]" not in genai4eu("show", "acme-soil").stderr
    assert "float in 0..2 [m]" in genai4eu("show", "acme-soil").stdout
    assert genai4eu("new", "acme-soil", "mine.ipynb").returncode == 0
    done = genai4eu("run", "mine.ipynb", "-p", "depth=1.5", "--json")
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    assert (summary["status"], summary["metrics"]) == ("completed", {"depth": 1.5})


def test_kernel_that_lacks_what_the_use_case_needs_is_refused(third_party: Path, genai4eu: CLI, house: Path) -> None:
    init = third_party / "__init__.py"
    init.write_text(init.read_text().replace("'json'", "'no_such_module'"))
    done = genai4eu("run", "acme-soil")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1] == (
        "genai4eu: the kernel lacks no_such_module for acme-soil: install acme-soil there"
    )
    assert not list((house / "runs").iterdir())


def test_kernel_with_another_version_is_refused(third_party: Path, genai4eu: CLI, house: Path) -> None:
    init = third_party / "__init__.py"
    # The kernel sees a different version than the command line, as a target with an older install would.
    init.write_text(init.read_text() + "import sys\nif 'ipykernel' in sys.modules:\n    USECASE['version'] = '1.9'\n")
    done = genai4eu("run", "acme-soil")
    assert done.returncode == 1
    assert "has version 1.9 of acme-soil, here is 2.1: install the same on both" in done.stderr
    assert not list((house / "runs").iterdir())


def test_broken_package_is_named(third_party: Path) -> None:
    init = third_party / "__init__.py"
    init.write_text(init.read_text().replace("'sector'", "'secktor'"))
    with pytest.raises(WorkbenchError, match=r"use case 'acme-soil' of acme-soil is not valid"):
        catalogue.source("acme-soil")
    assert "health-imaging" in [u.name for u in catalogue.usecases()], "the others are still there"
    assert "is not valid (sector: Field required)" in catalogue.faults()[0]


def test_package_that_fails_on_import_is_named(third_party: Path) -> None:
    (third_party / "__init__.py").write_text("raise RuntimeError('no licence')")
    assert catalogue.faults() == ["use case 'acme-soil' cannot be loaded (no licence): reinstall acme-soil"]


def test_template_missing_from_its_package(third_party: Path) -> None:
    (third_party / "soil.ipynb").unlink()
    with pytest.raises(WorkbenchError, match=r"has no template at acme_soil/soil\.ipynb"):
        catalogue.source("acme-soil")


def test_unknown_template_suggests_the_nearest() -> None:
    with pytest.raises(WorkbenchError, match="did you mean 'health-imaging'"):
        catalogue.source("health-imagin")


@pytest.mark.parametrize("name", ["health-imaging", "robotics"])
def test_a_copy_keeps_what_the_template_says_of_itself(house: Path, name: str) -> None:
    found = catalogue.usecase(name)
    own = json.loads(found.notebook())["metadata"]["genai4eu"]
    assert own.keys() & {"languages", "tolerance"}
    made = json.loads(catalogue.copy(name, house).read_text("utf-8"))["metadata"]["genai4eu"]
    assert made == {**own, "usecase": name, "version": found.version}


def test_copy_never_overwrites(house: Path) -> None:
    made = catalogue.copy("health-imaging", house)
    made.write_text("my work")
    with pytest.raises(WorkbenchError, match="is there already"):
        catalogue.copy("health-imaging", made)
    assert made.read_text() == "my work"


def cell(**changed: Any) -> str:
    made = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x = 1", **changed}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [made]})


BROKEN = ["", "not json", "[]", '{"nbformat": 3, "worksheets": []}', '{"cells": 1, "nbformat": 4}']
BROKEN += [
    '{"nbformat": 4, "cells": [1]}',
    '{"nbformat": 4, "cells": [{}]}',
    '{"nbformat": 4, "cells": [], "metadata": []}',
]
BROKEN += [cell(source=None), cell(metadata=None), cell(cell_type="worksheet")]


@pytest.mark.parametrize("content", BROKEN)
def test_file_that_is_no_notebook(house: Path, content: str) -> None:
    (house / "x.ipynb").write_text(content)
    with pytest.raises(WorkbenchError, match="notebook"):
        _ = catalogue.source("x.ipynb").schema


def test_notebook_that_its_format_does_not_allow_leaves_no_record(house: Path, genai4eu: CLI) -> None:
    (house / "x.ipynb").write_text(cell(outputs=[{"output_type": "nonsense"}], execution_count=None))
    done = genai4eu("run", "x.ipynb")
    assert done.returncode == 1
    assert "x.ipynb is not a valid notebook" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (house / "runs").exists()
