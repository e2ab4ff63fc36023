"""Files of parameters: values are read by what the notebook declares; a fault names the file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.errors import WorkbenchError
from genai4eu.grammar import read_schema
from genai4eu.parameter_file import gather

CLI = Callable[..., subprocess.CompletedProcess[str]]
SOURCE = """
epochs: int | None = None  # training epochs [1] in 1..200
rate: float = 0.1  # learning rate [1]
name: str = ""  # text
flag: bool = False  # switch
day: date = date(2026, 1, 2)  # first day
loads: list[float] = []  # lesion loads [mL]
days: list[date] = []  # days
"""
SCHEMA = read_schema([{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": SOURCE}], "study.ipynb")


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


YAML: list[tuple[str, dict[str, Any]]] = [
    ("rate: 1e-3", {"rate": 0.001}),
    ("name: no", {"name": "no"}),
    ("name: 2026-01-02", {"name": "2026-01-02"}),
    ("name: '1'", {"name": "1"}),
    ("name: |\n  two\n  lines # kept\n", {"name": "two\nlines # kept\n"}),
    ("flag: yes", {"flag": True}),
    ("day: 2026-01-03  # a comment", {"day": "2026-01-03"}),
    ("days: [2026-01-03, '2026-01-04']", {"days": ["2026-01-03", "2026-01-04"]}),
    ("loads:\n  - 1\n  - 2.5", {"loads": [1.0, 2.5]}),
    ("loads: 1,2", {"loads": [1.0, 2.0]}),
    ("epochs: null", {"epochs": None}),
    ("epochs: ~", {"epochs": None}),
    ("epochs:", {"epochs": None}),
    ("\ufeffepochs: 3\r\nflag: on\r\n", {"epochs": 3, "flag": True}),
    ("", {}),
    ("# nothing yet\n", {}),
]


@pytest.mark.parametrize(("content", "values"), YAML)
def test_yaml_is_read_by_the_declared_type(tmp_path: Path, content: str, values: dict[str, Any]) -> None:
    assert gather(SCHEMA, [write(tmp_path, "a.yaml", content)], {}) == values


def test_json_says_its_types_itself(tmp_path: Path) -> None:
    file = write(tmp_path, "a.json", '{"epochs": null, "name": "4", "day": "2026-01-03", "loads": [1], "flag": true}')
    values = {"epochs": None, "name": "4", "day": "2026-01-03", "loads": [1.0], "flag": True}
    assert gather(SCHEMA, [file], {}) == values


def test_the_command_line_goes_before_a_later_file_before_an_earlier(tmp_path: Path) -> None:
    files = [write(tmp_path, "a.yaml", "epochs: 0\nrate: 1\nname: a"), write(tmp_path, "b.json", '{"rate": 2}')]
    assert gather(SCHEMA, files, {"epochs": "7"}) == {"epochs": 7, "rate": 2.0, "name": "a"}


def test_all_faults_at_once_name_their_file(tmp_path: Path) -> None:
    a, b = write(tmp_path, "a.yaml", "epoch: 1\nrate: fast"), write(tmp_path, "b.json", '{"flag": "yes", "rate": NaN}')
    with pytest.raises(WorkbenchError) as caught:
        gather(SCHEMA, [a, b], {"epochs": "0"})
    assert f"{a}: unknown parameter 'epoch': did you mean 'epochs'?" in str(caught.value)
    assert f"{b}: parameter 'rate' cannot be nan: it takes float" in str(caught.value)
    assert f"{b}: parameter 'flag' cannot be 'yes': it takes bool" in str(caught.value)
    assert "\n  parameter 'epochs' cannot be 0: it takes int | None in 1..200" in str(caught.value)


def test_a_name_without_value_is_no_empty_text(tmp_path: Path) -> None:
    assert gather(SCHEMA, [write(tmp_path, "a.yaml", "name: ''")], {}) == {"name": ""}
    with pytest.raises(WorkbenchError, match="parameter 'name' cannot be None: it takes str"):
        gather(SCHEMA, [write(tmp_path, "b.yaml", "name:\n")], {})


BROKEN = [
    ("a.yaml", "epochs: 1\nepochs: 2", "is not YAML: line 2: 'epochs' is given twice"),
    ("a.json", '{"epochs": 1, "epochs": 2}', "is not JSON: 'epochs' is given twice"),
    ("a.yaml", "x: !!python/object/apply:os.system ['true']", "is not YAML: line 1: could not determine a constructor"),
    ("a.yaml", "a: &a [1]\nb: *a", "is not YAML: line 2: write the value out, not an alias"),
    ("a.yaml", "<<: {epochs: 1}", "is not YAML: line 1"),
    ("a.yaml", "epochs: [1", "is not YAML: line 1"),
    ("a.yaml", "[1]: 2", "is not YAML: line 1: a name must be a text"),
    ("a.yaml", "- 1", "holds no parameters: write one 'name: value' a line"),
    ("a.yaml", "a: 1\n---\nb: 2", "is not YAML: line"),
    ("a.json", "{epochs: 1}", "is not JSON: Expecting property name"),
    ("a.json", "[" * 100_000, "is not JSON"),
    ("a.toml", "epochs = 1", "is no file of parameters: its name must end in .yaml, .yml, .json"),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN)
def test_a_file_that_cannot_be_read_is_named_in_one_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(WorkbenchError) as caught:
        gather(SCHEMA, [path], {})
    assert str(caught.value).startswith(f"{path} {said}") and "\n" not in str(caught.value)


def test_files_that_are_not_there_or_not_text(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    (tmp_path / "c.yaml").mkdir()
    for name, said in (("a.yaml", "No such file"), ("b.yaml", "is not YAML"), ("c.yaml", "Is a directory")):
        with pytest.raises(WorkbenchError, match=said):
            gather(SCHEMA, [tmp_path / name], {})


def test_run_refuses_a_file_before_anything_starts(genai4eu: CLI, notebook: Callable[..., Path], house: Path) -> None:
    study = notebook(("parameters", SOURCE.strip()))
    write(house, "a.yaml", "epochs: 999")
    done = genai4eu("run", str(study), "--params", "a.yaml", "-p", "rat=1")
    assert done.returncode == 1 and done.stderr.startswith(
        "genai4eu: 2 parameters will not do:\n  a.yaml: parameter 'epochs"
    )
    assert "a.yaml: parameter 'epochs' cannot be 999: it takes int | None in 1..200" in done.stderr
    assert "unknown parameter 'rat': did you mean 'rate'?" in done.stderr
    assert not (house / "runs").exists()


def test_params_are_listed(genai4eu: CLI, notebook: Callable[..., Path]) -> None:
    study = str(notebook(("parameters", SOURCE.strip())))
    shown = genai4eu("params", study).stdout
    assert "epochs" in shown and "int | None in 1..200" in shown and "lesion loads" in shown
    listed = json.loads(genai4eu("params", study, "--json").stdout)
    assert listed[4] == {
        "name": "day", "default": "2026-01-02", "allowed": "date", "unit": None, "help": "first day"
    }  # fmt: skip
    assert json.loads(genai4eu("params", study, "--json-schema").stdout)["properties"]["epochs"]["maximum"] == 200
