"""The parameters cell: what it may declare, and what it takes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

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
        read(SOURCE).validate({"epoch": 3, "rate": 7, "kind": "q", "FLAG": True})
    assert "unknown parameter 'epoch': did you mean 'epochs'?" in str(caught.value)
    assert "unknown parameter 'FLAG': did you mean 'flag'?" in str(caught.value)
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
        ("x: int = 1\nx: int = 2", "declares parameter 'x' twice"),
        ("%matplotlib inline\nx: int = 1", "command of IPython, line 1: '%matplotlib inline': move it"),
        ("x: int = 1\n!pip list", "command of IPython, line 2"),
        ("x = \0", "not Python"),
        ("x: int = " + "(" * 1000, "not Python"),
        ("x: 'int |' = 1", r"has type 'int \|'"),
        ("x: os.int = 1", "has type os.int"),
        ("x: list[int, str] = []", r"has type list\[int, str\]"),
        ("x: Literal[1.5] = 1", "allows 1.5"),
        ("x: date = date(2026, 1, 2, 3)", "not a plain value"),
        ("x: int = 3  # in 1..200 (at most)", "'x' has limits that cannot be read"),
        ("x: int = 3  # in 1..9 in 2..4", "'x' has limits that cannot be read"),
        ("x: int = 3  # in 5..y", "'x' has the limit y, which is no number"),
        ("x: int = 3  # in 9..2", "9..2 that nothing can meet"),
        ("x: str = 'a'  # in 1..2", "need a number or a date"),
        ("x: date = date(2026, 1, 2)  # in 1..2", "has the limit 1, which is no date"),
        ("x: int = 3  # in {a}", "has the choice a, which is not of its type"),
        ("x: int = 3  # in {}", "may take nothing"),
    ],
)
def test_cell_outside_the_grammar_is_refused(source: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        read(source)


MORE = [
    ("x: 'int | None' = None  # in 1..3", "int | None in 1..3", None),
    ("x: typing.Optional[int] = None", "int | None", None),
    ("x: list[int] = [  # loads [mL] in 0..10\n    1,  # the first\n    2,\n]", "list[int] in 0..10 [mL]", [1, 2]),
    ("x: str = \"\"\"a\n# b [c] in {d}\n\"\"\"  # text", "str", "a\n# b [c] in {d}\n"),
    ("x: list[str] = ['A']  # sites in {A, 'B, C'}", "list[str] in {A, B, C}", ["A"]),
    ("x: list[list[int]] = [[1]]  # in 0..4294967295", "list[list[int]] in 0..4294967295", [[1]]),
    ("x: float = 1  # in 1e-6..inf [m]", "float in 1e-06..inf [m]", 1.0),
    ("x: date = datetime.date(2026, 1, 2)  # in 2026-01-01..2026-12-31", "date in 2026-01-01..2026-12-31",
     "2026-01-02"),
    ("x: dt.datetime = dt.datetime(2026, 1, 2, hour=3)", "datetime", "2026-01-02T03:00:00"),
    ("x: list[date] = [date(2026, 1, 2)]", "list[date]", ["2026-01-02"]),
    ("x: list[Path] = [Path('a')]", "list[Path]", ["a"]),
    ("x: Literal['1', 2] | None = None", "Literal['1', 2] | None", None),
    ("x: int | str = 'a'", "int | str", "a"),
    ("x: int = 1  # those in ward [beds, 2025] in {1, 2}", "int in {1, 2} [beds, 2025]", 1),
    ("x: float = 0.5  # share in [0, 1]", "float", 0.5),
    ("x = None", "any plain value", None),
    ("x: int = 1\r", "int", 1),
]  # fmt: skip


@pytest.mark.parametrize(("source", "allowed", "default"), MORE)
def test_more_of_the_grammar(source: str, allowed: str, default: Any) -> None:
    (parameter,) = read(source).parameters.values()
    assert (parameter.allowed, parameter.plain_default) == (allowed, default)


def test_crlf_leaves_comments_where_they_belong() -> None:
    assert read(SOURCE.replace("\n", "\r\n")) == read(SOURCE)


def test_empty_cell_declares_nothing() -> None:
    for source in ("", "\n", "# later\n", "import os\n"):
        assert read(source).parameters == {}
    with pytest.raises(WorkbenchError, match="unknown parameter 'x': the notebook has none"):
        read("").validate({"x": 1})


LIMITS = """day: date = date(2026, 1, 2)  # in 2026-01-01..2026-12-31
sites: list[str] = ['A']  # in {A, B}
n = [1]  # in 0..3
"""


@pytest.mark.parametrize(
    ("name", "good", "bad"), [("day", "2026-12-31", "2027-01-01"), ("sites", ["B", "A"], ["A", "C"]), ("n", [3], [4])]
)
def test_limits_hold_for_dates_and_for_each_value_of_a_list(name: str, good: Any, bad: Any) -> None:
    schema = read(LIMITS)
    assert schema.validate({name: good}) == {name: good}
    with pytest.raises(WorkbenchError, match=f"parameter '{name}' cannot be"):
        schema.validate({name: bad})


@pytest.mark.parametrize("text", ["1735689600", "20260102", "2026-W01-1", "2026-02-30", "2026-01-02T03:04"])
def test_a_date_is_written_with_dashes(text: str) -> None:
    with pytest.raises(WorkbenchError, match="it takes date, written as 2026-01-31"):
        read("day: date = date(2026, 1, 2)").validate({"day": text})


def test_union_of_types_takes_the_first_that_reads() -> None:
    schema = read("x: int | str = 1\ny: Literal['1', 'none'] = '1'\nz: str | None = None")
    assert schema.parse({"x": "5", "y": "none", "z": "none"}) == {"x": 5, "y": "none", "z": None}
    assert schema.parse({"x": "five", "y": "1", "z": "5"}) == {"x": "five", "y": "1", "z": "5"}


def test_a_secret_is_named_never_given() -> None:
    schema = read("token: str = 'secret:hub'  # key of the hub")
    assert schema.validate({"token": "secret:other_1"}) == {"token": "secret:other_1"}
    for value in ("hunter2", "secret:../x", 7):
        with pytest.raises(WorkbenchError, match="'token' takes secret:NAME, never the value itself") as caught:
            schema.validate({"token": value})
        assert str(value) not in str(caught.value)


def test_cell_tagged_twice_or_on_text_is_refused() -> None:
    tagged = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x = 1"}
    untagged: dict[str, Any] = {"cell_type": "code", "metadata": {"tags": None}, "source": "x = 1"}
    assert list(read_schema([untagged, tagged], "study.ipynb").parameters) == ["x"]
    with pytest.raises(WorkbenchError, match="is markdown: tag a code cell"):
        read_schema([{**tagged, "cell_type": "markdown"}], "study.ipynb")


@pytest.mark.parametrize("count", [0, 2])
def test_notebook_needs_exactly_one_parameters_cell(count: int) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "x = 1"}
    with pytest.raises(WorkbenchError, match="tagged 'parameters'"):
        read_schema([cell] * count, "study.ipynb")
