"""The parameters cell: what it may declare, what it takes, and that no value becomes code."""

from __future__ import annotations

import ast
import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from genai4eu.errors import WorkbenchError
from genai4eu.grammar import read_schema
from genai4eu.parameters import Schema

SOURCE = '''"""Parameters of the study."""
from datetime import date
from typing import Literal

epochs: int | None = None  # training epochs, None takes the profile's [1] in 1..200
rate: float = 1e-3  # learning rate [1] in 1e-6..1
name: str = "a # b"  # what it is called in {a # b, c}
kind: Literal["x", "y"] = "x"
day: date = date(2026, 1, 2)  # first day
data: Path | None = None  # file on the target
flag: bool = False
loads: list[float] = [1, 2]  # lesion loads [mL] in 0..10
plain = 3
negative: float = -2.5  # below zero [°C] in -10..-1
'''


def read(source: str) -> Schema:
    return read_schema([{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source}], "study.ipynb")


def test_grammar_is_read_whole() -> None:
    parameters = read(SOURCE).parameters
    assert list(parameters) == ["epochs", "rate", "name", "kind", "day", "data", "flag", "loads", "plain", "negative"]
    assert parameters["epochs"].type == int | None
    assert (parameters["epochs"].unit, parameters["epochs"].bounds) == ("1", (1, 200))
    assert parameters["epochs"].help == "training epochs, None takes the profile's"
    assert parameters["name"].default == "a # b"
    assert parameters["name"].choices == ("a # b", "c")
    assert parameters["day"].default == datetime.date(2026, 1, 2)
    assert parameters["loads"].allowed == "list[float] in 0..10 [mL]"
    assert parameters["negative"].bounds == (-10, -1)


GOOD: dict[str, Any] = {
    "epochs": 3, "rate": 1, "name": "c", "kind": "y", "day": datetime.date(2025, 1, 1), "data": Path("x.nii"),
    "flag": True, "loads": [0, 9.5], "plain": 4, "negative": -1,
}  # fmt: skip


def test_good_values_pass_and_dates_and_paths_become_strings() -> None:
    assert read(SOURCE).validate(GOOD) == {**GOOD, "day": "2025-01-01", "data": "x.nii"}
    assert read(SOURCE).validate({"epochs": None}) == {"epochs": None}


BAD: list[tuple[str, Any]] = [
    *[("epochs", value) for value in (0, 201, "4", 1.5, True, object())],
    *[("rate", value) for value in (2, float("nan"), float("inf"), None)],
    *[("loads", value) for value in ([11], 3, ["a"], {1})],
    *[("name", "b"), ("name", 1), ("kind", "z"), ("day", "yesterday"), ("flag", 1), ("plain", "3"), ("data", 3)],
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_value_names_parameter_value_and_what_is_allowed(name: str, value: Any) -> None:
    with pytest.raises(WorkbenchError, match=f"parameter '{name}' cannot be .*: it takes"):
        read(SOURCE).validate({name: value})


def test_number_longer_than_python_reads_is_a_short_error() -> None:
    schema = read(SOURCE)
    with pytest.raises(WorkbenchError, match=r"parameter 'epochs' cannot be '9+…: it takes int") as caught:
        schema.validate(schema.parse({"epochs": "9" * 5000}))
    assert len(str(caught.value)) < 200


def test_all_faults_of_a_call_at_once_with_the_nearest_name() -> None:
    with pytest.raises(WorkbenchError) as caught:
        read(SOURCE).validate({"epoch": 3, "rate": 7, "kind": "q"})
    assert "unknown parameter 'epoch': did you mean 'epochs'?" in str(caught.value)
    assert "'rate' cannot be 7" in str(caught.value)
    assert "'kind' cannot be 'q'" in str(caught.value)


TEXTS = [
    ("epochs", "4", 4), ("epochs", "none", None), ("rate", "1e-4", 1e-4), ("rate", "1", 1), ("flag", "yes", True),
    ("flag", "false", False), ("loads", "[1, 2.5]", [1, 2.5]), ("name", "4", "4"), ("data", "none", None),
    ("data", "None", None), ("plain", "5", 5), ("day", "2026-02-03", "2026-02-03"), ("epochs", "four", "four"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "value"), TEXTS)
def test_command_line_text(name: str, text: str, value: Any) -> None:
    assert read(SOURCE).parse({name: text}) == {name: value}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x: int = 'a'", "breaks its declaration"),
        ("x: int = 5  # count in 6..9", "breaks its declaration"),
        ("x: ndarray = 1", "has type ndarray"),
        ("x: dict[str, int] = {}", "has type dict"),
        ("x: int = 1 + 1", "not a plain value"),
        ("x: int = __import__('os').system('true')", "not a plain value"),
        ("x, y = 1, 2", "line 1 is not of the form"),
        ("for i in []: pass", "line 1 is not of the form"),
        ("x: int =", "not Python, line 1"),
    ],
)
def test_cell_outside_the_grammar_is_refused(source: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        read(source)


@pytest.mark.parametrize("count", [0, 2])
def test_notebook_needs_exactly_one_parameters_cell(count: int) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x = 1"}
    with pytest.raises(WorkbenchError, match="tagged 'parameters'"):
        read_schema([cell] * count, "study.ipynb")


@given(st.text())
def test_no_string_becomes_code(text: str) -> None:
    """What papermill injects for an accepted string is one literal that evaluates to that string."""
    try:
        value = read("s: str = ''").validate({"s": text})["s"]
    except WorkbenchError:
        assert any(0xD800 <= ord(c) <= 0xDFFF for c in text)  # a lone surrogate is no text
        return
    injected = PythonTranslator.codify({"s": value})
    assigned = [node for node in ast.parse(injected).body if isinstance(node, ast.Assign)]
    assert len(ast.parse(injected).body) == len(assigned) == 1
    assert ast.literal_eval(assigned[0].value) == text
