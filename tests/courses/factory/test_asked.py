"""What stands in the first line of a marked cell, and what a seat may ask of the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nbformat.v4 import new_code_cell

from genai4eu.courses.course import Course
from genai4eu.courses.factory.asked import Asked, Options, fault, marked, options, values
from genai4eu.courses.lesson import read
from genai4eu.courses.review import read_through, review
from genai4eu.errors import WorkbenchError


def test_options() -> None:
    assert options("") == Options()
    told = options("--seconds 60 --in images,labels --out 'score, weights,score' --here")
    assert told == Options(60, ("images", "labels"), ("score", "weights"), True)


@pytest.mark.parametrize(
    ("line", "words"),
    [("--second 60", "unrecognized arguments: --second 60"), ("--seconds", "expected one argument"), ("now", "now"),
     ("--seconds x", "invalid int value"), ("--seconds 0", "1 to 86400"), ("--in a.b", "'a.b' is no name"),
     ("--out class", "'class' is no name"), ("--out '", "No closing quotation"),
     ("--in " + ",".join(f"v{i}" for i in range(33)), "33 names are too many")],
)  # fmt: skip
def test_options_that_will_not_do(line: str, words: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        options(line)
    assert words in str(caught.value)
    assert str(caught.value).startswith("%%factory")


def test_which_cells_are_marked() -> None:
    assert marked("x = 1") is None
    assert marked("%%factory_x\nx = 1") is None
    assert marked("\n%%factory --here\nx = 1\ny") == ("--here", "x = 1\ny")
    assert marked("%%factory") == ("", "")


@pytest.mark.parametrize(
    ("source", "words"),
    [("%%factory --out x,y\nx = 1\nimport y.z", ""), ("%%factory\n!ls\n%time x = 1", ""), ("x = (", ""),
     ("%%factory --out m\ndef m(): pass", ""), ("%%factory --out a\nfor a, b in []: pass", ""),
     ("%%factory", "stands over nothing"), ("%%factory --no\nx", "unrecognized"),
     ("%%factory\nx = 1\ny = (", "is no Python (its line 2"), ("%%factory --out x,y\nx = 1", "--out names y, which")],
)  # fmt: skip
def test_course_check_reads_marked_cells(source: str, words: str) -> None:
    assert (words in fault(source)) if words else not fault(source)


@pytest.mark.parametrize(
    "asked",
    [{}, {"code": 3}, {"code": "x" * 200_001}, {"code": "x", "seconds": 0}, {"code": "x", "seconds": 1.5},
     {"code": "x", "give": ["__import__('os')"]}, {"code": "x", "give": ["../a"]}, {"code": "x", "give": ["a"] * 33},
     {"code": "x", "target": "other"}, {"code": "x", "seat": ["seat-01"]}],
)  # fmt: skip
def test_a_request_that_will_not_do(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Asked.model_validate(asked)


@pytest.mark.parametrize(
    "told",
    [None, [{"name": "a", "kind": "pickle", "size": 3}], [{"name": "a", "kind": "json", "size": 2}],
     [{"name": "a b", "kind": "json", "size": 3}], [{"name": "a", "kind": "json", "size": -3}],
     [{"name": "a", "kind": "json", "size": 3}, {"name": "a", "kind": "json", "size": -1}]],
)  # fmt: skip
def test_values_that_will_not_do(told: Any) -> None:
    with pytest.raises(ValueError):
        values(told, b"123")


def test_values() -> None:
    told = [{"name": "a", "kind": "json", "size": 1}, {"name": "b", "kind": "npy", "size": 2}]
    assert values(told, b"123") == [("a", "json", b"1"), ("b", "npy", b"23")]


def test_a_courses_check_names_the_cell(change: Callable[..., Course]) -> None:
    course = change(lambda notebook: notebook.cells.append(new_code_cell("%%factory --here --out score\n2")))
    (fault,) = read_through(course, read(course.folder / "lesson-1.ipynb"))
    assert fault == "cell 9: --out names score, which the code below does not make"


@pytest.mark.slow
@pytest.mark.parametrize(("options", "faults"), [("--here", []), ("", ["cell 9: needs a factory, and here is none"])])
def test_a_courses_check_runs_marked_cells_here(change: Callable[..., Course], options: str, faults: list[str]) -> None:
    code = f"%%factory {options} --in middle --out more\nmore = middle + 1\nassert more == 4"
    course = change(lambda notebook: notebook.cells.append(new_code_cell(code)))
    (found,) = review(course)
    assert [fault.partition(": let")[0] for fault in found.faults] == faults
