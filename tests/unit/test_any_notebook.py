"""Any notebook with a parameters cell can be run: of any minor format, with BOM or CRLF; what cannot be is said why."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

import genai4eu
from genai4eu.errors import WorkbenchError
from genai4eu.runs.plan import plan

CODE = "n: int = 1  # count [1] in 1..5\r\ntext: str = '''two\r\nlines'''  # a text\r\n"


def content(minor: int, *sources: str | list[str], tags: Any = ("parameters",)) -> dict[str, Any]:
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for source in sources
    ]
    cells[0]["metadata"] = {"tags": list(tags) if isinstance(tags, tuple) else tags}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": minor}


def write(folder: Path, notebook: Any, name: str = "study.ipynb") -> Path:
    path = folder / name
    path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())
    return path


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_format_is_planned(house: Path, minor: int) -> None:
    made = plan(write(house, content(minor, CODE.splitlines(keepends=True))), parameters={"n": 2})
    assert made.parameters == {"n": 2, "text": "two\nlines"}
    nbformat.validate(made.notebook)


def test_bom_and_crlf_and_spaces_run(house: Path) -> None:
    """What is read of the cell is what the kernel sees: CRLF within a text is one line end, as Python has it."""
    check = (
        "assert (n, text) == (3, 'two\\nlines'), text\r\nimport genai4eu\r\ngenai4eu.current_run().metric('n', n)\r\n"
    )
    raw = json.dumps(content(2, CODE, check), indent=1).replace("\n", "\r\n").encode()
    path = write(house, codecs.BOM_UTF8 + raw, "mein Föhn study.ipynb")
    record = genai4eu.run(path, n=3, listener=lambda event, data: None)
    assert record.info["status"] == "completed", record.info["error"]
    assert record.metrics["n"]["value"] == 3 and record.parameters["text"] == "two\nlines"
    assert nbformat.read(record.notebook_path, as_version=4).cells[0].source == CODE


def test_empty_cell_runs_and_takes_nothing(house: Path) -> None:
    path = write(house, content(5, "", "x = 1"))
    assert plan(path).parameters == {}
    with pytest.raises(WorkbenchError, match="unknown parameter 'n': the notebook has none"):
        plan(path, parameters={"n": 1})


def test_what_a_run_injected_is_left_out(house: Path) -> None:
    notebook = content(5, "n: int = 1", "n = 4", "print(n)")
    notebook["cells"][1]["metadata"] = {"tags": ["injected-parameters"]}
    made = plan(write(house, notebook))
    assert [cell["source"] for cell in made.notebook["cells"]] == ["n: int = 1", "print(n)"]


REFUSED: list[tuple[Any, str]] = [
    (content(5, "%matplotlib inline\nn = 1"), "holds a command of IPython, line 1: '%matplotlib inline': move it"),
    (content(5, "n = 1", tags=None), "has no cell tagged 'parameters': tag one"),
    (content(5, "n = "), "is not Python, line 1"),
    (b"\xff\xfe{\x00", "is not a Jupyter notebook"),
    (b"", "is not a Jupyter notebook"),
    (b"[]", "is not a Jupyter notebook"),
    ({**content(5, "n = 1"), "nbformat": 3}, "is no notebook of format 4"),
    ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{}]}, "is not a Jupyter notebook"),
]


@pytest.mark.parametrize(("notebook", "said"), REFUSED)
def test_what_cannot_be_run_is_refused_in_one_line(house: Path, notebook: Any, said: str) -> None:
    path = write(house, notebook)
    with pytest.raises(WorkbenchError, match=r"study\.ipynb") as caught:
        plan(path)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    assert not (house / "runs").exists()
