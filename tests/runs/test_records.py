"""Records: found again, listed, half-written ones told apart."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

import genai4eu as workbench
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record
from genai4eu.runs.store import find

from ..conftest import as_notebook

# Nearly every test starts kernels or servers.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_kernels")]

CLI = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]
PARAMETERS = ("parameters", "n: int = 3  # count [1] in 1..5")


@pytest.fixture(scope="module")
def made(apart: Callable[[], AbstractContextManager[Path]]) -> tuple[Path, Path]:
    """The records of two runs of a light notebook."""
    with apart() as folder:
        path = folder / "study.ipynb"
        path.write_text(json.dumps(as_notebook(PARAMETERS, "n")))
        first, second = (workbench.run(path, listener=lambda event, data: None).folder for _ in range(2))
    return first, second


@pytest.fixture
def two(made: tuple[Path, Path], house: Path) -> tuple[Record, Record]:
    """Copies of both, to be changed."""
    first, second = (Record(shutil.copytree(folder, house / "runs" / folder.name)) for folder in made)
    return first, second


def test_find_by_id_end_beginning_folder_and_latest(two: tuple[Record, Record]) -> None:
    first, second = two
    assert [find(name) for name in ("latest~1", "latest~0")] == sorted((first, second), key=lambda r: r.id)
    assert find("latest") == find("latest~0")
    assert find(first.id) == find(first.id[-4:]) == find(str(first.folder)) == first
    with pytest.raises(WorkbenchError, match="may mean 2 runs"):
        find(first.id[:4])
    with pytest.raises(WorkbenchError, match="unknown run 'zzz'"):
        find("zzz")


def test_list_for_scripts_survives_a_half_written_record(notebook: Write, genai4eu: CLI, house: Path) -> None:
    record = workbench.run(notebook(PARAMETERS, "import genai4eu\ngenai4eu.current_run().metric('m', n, 'mL')"), n=2)
    half = house / "runs" / "20200101-000000-half-0000"
    half.mkdir()
    (half / "run.json").write_text('{"id": "20200101')
    listed = {r["id"]: r for r in json.loads(genai4eu("runs", "list", "--json").stdout)}
    about = listed[record.id]
    assert {"id", "template", "status", "parameters", "metrics", "started", "duration"} <= set(about)
    assert (about["status"], about["parameters"], about["metrics"]) == ("completed", {"n": 2}, {"m": 2.0})
    assert listed[half.name]["status"] == "damaged"
    shown = genai4eu("runs", "show", half.name)
    assert shown.returncode == 1
    assert shown.stderr == f"genai4eu: record {half.name}: run.json is damaged, run again\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", {}),
        ("run.json", {"duration": "abc"}),
        ("run.json", []),
        ("metrics.json", {"a": 1}),
        ("metrics.json", {"a": {"value": "x", "unit": "1"}}),
        ("parameters.json", 3),
    ],
)
def test_damaged_record_is_one_line_and_does_not_hide_the_others(
    two: tuple[Record, Record], genai4eu: CLI, name: str, content: object
) -> None:
    whole, damaged = two
    if isinstance(content, dict) and "duration" in content:
        content = {**damaged.info, **content}
    (damaged.folder / name).write_text(json.dumps(content))
    listed = {r["id"]: r["status"] for r in json.loads(genai4eu("runs", "list", "--json").stdout)}
    assert listed == {whole.id: "completed", damaged.id: "damaged"}
    for command in (["runs", "show"], ["publish"]):
        done = genai4eu(*command, damaged.id)
        assert done.returncode == 1
        assert f"{name} is damaged" in done.stderr or f"{name} was changed after the run" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "study.ipynb", "-p", "n=9"], "parameter 'n' cannot be 9: it takes int in 1..5"),
        (["run", "study.ipynb", "-p", "n=two"], "parameter 'n' cannot be 'two': it takes int in 1..5"),
        (["run", "study.ipynb", "-p", "m=1"], "unknown parameter 'm': the notebook has n"),
        (["run", "study.ipynb", "-p", "n"], "-p 'n' is not of the form NAME=VALUE"),
        (["run", "study.ipynb", "-p", "n=1", "-p", "n=2"], "parameter 'n' is given twice"),
        (["run", "other.ipynb"], "there is no notebook other.ipynb: check the path"),
        (["run", "nothing"], "unknown template 'nothing'"),
        (["run", "study.ipynb", "--on", "nowhere"], "nowhere"),
        (["runs", "show", "latest"], "unknown run 'latest'"),
        (["runs", "show", "latest~7"], "unknown run 'latest~7'"),
        (["show", "plain.ipynb"], "plain.ipynb has no cell tagged 'parameters'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    notebook: Write, genai4eu: CLI, house: Path, arguments: list[str], said: str
) -> None:
    notebook(PARAMETERS, "n")
    notebook("1 + 1", name="plain.ipynb")
    done = genai4eu(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""
    assert not (house / "runs").exists()
    assert "Traceback" in genai4eu(*arguments, "--debug").stderr


def test_open_run_finds_current_run_then_scratch(notebook: Write) -> None:
    keep = "import genai4eu\nrun = genai4eu.current_run()\n(run.outputs / 'a').write_text('x')"
    read = ("dashboard", "import genai4eu\nassert (genai4eu.open_run().outputs / 'a').read_text() == 'x'")
    assert workbench.run(notebook(PARAMETERS, keep, read)).info["status"] == "completed"
    missing = workbench.run(notebook(PARAMETERS, ("dashboard", "import os\nos.environ.pop('GENAI4EU_RUN_DIR')"), read))
    assert missing.info["status"] == "failed"
    assert "there is no run to show yet" in missing.info["error"]
