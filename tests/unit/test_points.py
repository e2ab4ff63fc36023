"""The values and points of a sweep: every way to write them, every fault named, none left for later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genai4eu.errors import WorkbenchError
from genai4eu.parameters import Parameter, Schema
from genai4eu.sweeps.form import read_form
from genai4eu.sweeps.points import Axes, points_of

SCHEMA = Schema(
    {
        p.name: p
        for p in [
            Parameter("lr", float, 1e-3, bounds=(1e-5, 1)),
            Parameter("seed", int, 0, bounds=(0, 100)),
            Parameter("steps", int | None, None),
            Parameter("name", str, "a"),
            Parameter("place", Path, Path("x")),
            Parameter("widths", list[int], [1]),
        ]
    }
)


def values(name: str, given: Any) -> list[Any]:
    """Return the values that a grid of one parameter comes to."""
    return [point[name] for point in points_of(SCHEMA, Axes(grid={name: given})).points]


def fault(**axes: Any) -> str:
    with pytest.raises(WorkbenchError) as caught:
        points_of(SCHEMA, Axes(**axes))
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("lr", "1e-3,1e-4", [1e-3, 1e-4]),
        ("lr", "0.1..0.4:0.1", [0.1, 0.2, 0.3, 0.4]),
        ("lr", "0.1..0.5/5", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("lr", "1e-4..1e-1/4log", [1e-4, 1e-3, 1e-2, 1e-1]),
        ("lr", ["1e-3", 0.5], [1e-3, 0.5]),
        ("seed", "0..4", [0, 1, 2, 3, 4]),
        ("seed", "0..20:10,50", [0, 10, 20, 50]),
        ("seed", "7", [7]),
        ("seed", range(3), [0, 1, 2]),
        ("seed", (), []),
        ("steps", "none,0..1", [None, 0, 1]),
        ("name", '"a,b",c', ["a,b", "c"]),
        ("name", "0..4", ["0..4"]),
        ("name", "log", ["log"]),
        ("name", "it's,x", ["it's", "x"]),
        ("place", "../a,b", ["../a", "b"]),
        ("widths", "[1,2],[3]", [[1, 2], [3]]),
        ("widths", [1, 2], [[1, 2]]),
        ("widths", [[1, 2], [3]], [[1, 2], [3]]),
    ],
)
def test_values(name: str, given: Any, expected: list[Any]) -> None:
    if not expected:
        assert "has no values" in fault(grid={name: given})
    else:
        assert values(name, given) == expected


def test_values_of_numpy_become_plain() -> None:
    numpy = pytest.importorskip("numpy")
    found = values("lr", numpy.geomspace(1e-3, 1, 4))
    assert all(type(value) is float for value in found)
    assert type(values("seed", numpy.int64(3))[0]) is int


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"grid": {"seed": "4..0"}}, "from more to less: write it as 0..4"),
        ({"grid": {"lr": "0.1..0.5"}}, "not of whole numbers: give a step"),
        ({"grid": {"lr": "0..1:0"}}, "step that is not above 0"),
        ({"grid": {"lr": "0..1/4log"}}, "needs a number above 0"),
        ({"grid": {"lr": "0.1..1/1"}}, "at least 2"),
        ({"grid": {"seed": "1,,2"}}, "comma too many"),
        ({"grid": {"seed": "0..99999"}}, "comes to 100,000 points"),
        ({"grid": {"seed": "0..100", "steps": "0..100"}}, "comes to 10,201 points"),
        ({"grid": {"seed": "uniform"}}, "--sample N"),
        ({"sample": {"steps": "uniform"}, "number": 3}, "has no bounds"),
        ({"sample": {"lr": "log:0..1"}, "number": 3}, "bounds above 0"),
        ({"sample": {"seed": "uniform:0.2..0.4"}, "number": 3}, "no whole number"),
        ({"sample": {"lr": "log:1e-9..1"}, "number": 3}, "cannot be 1e-09"),
        ({"sample": {"lr": "log"}}, "number of its points"),
        ({"zip": {"lr": "1e-3,1e-4", "seed": "0..2"}}, "same length: lr has 2, seed has 3"),
        ({"grid": {"seed": "1"}, "zip": {"seed": "2"}}, "both in grid and in zip"),
        ({"points": [{"seed": [1, 2]}]}, "several values in one point"),
    ],
)
def test_faults(axes: dict[str, Any], words: str) -> None:
    assert words in fault(**axes)


def test_all_faults_at_once_and_each_once() -> None:
    said = fault(grid={"lr": "1e-3,7", "sed": "0..2", "seed": "0..200:100"}, zip={"steps": "x,x"})
    for words in ("'lr' cannot be 7", "did you mean 'seed'", "'seed' cannot be 200", "'steps' cannot be 'x'"):
        assert said.count(words) == 1, said


def test_grid_has_each_with_each_and_no_point_twice() -> None:
    found = points_of(SCHEMA, Axes(grid={"lr": "1e-3,1e-3,1e-4", "seed": "0..1", "name": "b"}))
    assert [(p["lr"], p["seed"]) for p in found.points] == [(1e-3, 0), (1e-3, 1), (1e-4, 0), (1e-4, 1)]
    assert found.duplicates == 2
    assert found.varied == ["lr", "seed"]


def test_zip_walks_together_and_keeps_what_has_one_value() -> None:
    found = points_of(SCHEMA, Axes(zip={"lr": "1e-3,1e-4", "seed": "5..6", "name": "b"}))
    assert [tuple(p.values()) for p in found.points] == [(1e-3, 5, "b"), (1e-4, 6, "b")]


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    wish = {"lr": "log", "seed": "uniform", "name": "a,b"}
    one, again = (points_of(SCHEMA, Axes(sample=wish, number=50, seed=1)).points for _ in range(2))
    assert one == again != points_of(SCHEMA, Axes(sample=wish, number=50, seed=2)).points
    assert all(1e-5 <= p["lr"] <= 1 and p["seed"] in range(101) and p["name"] in "ab" for p in one)
    assert sum(p["lr"] < 1e-3 for p in one) > 10, "drawn by the logarithm, small ones are as frequent as large ones"
    more = points_of(SCHEMA, Axes(sample={**wish, "steps": "uniform:1..9"}, number=50, seed=1)).points
    assert [p["lr"] for p in more] == [p["lr"] for p in one], "one parameter more changes none of the others"


def test_a_file_says_it_all(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "template: study.ipynb\ntarget: far\njobs: 3\ntimeout: 1m\nparameters: {name: b}\ngrid: {lr: [1e-3, 0.5]}\n"
        "list: [{seed: 1}, {seed: 2}]\nsample: {number: 3, seed: 4, parameters: {steps: 'uniform:1..9'}}\n"
    )
    form = read_form(path).with_(target=None, jobs=2, retries=1)
    assert (form.template, form.target, form.jobs) == (str(tmp_path / "study.ipynb"), "far", 2)
    assert (form.limits.timeout, form.limits.retries) == (60, 1)
    found = points_of(SCHEMA, form.axes).points
    assert len(found) == 2 * 2 * 3
    assert {p["name"] for p in found} == {"b"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("template: x\ngird: {a: 1}\n", "gird is not known: a sweep has template"),
        ("grid: {a: 1}\n", "template: field required"),
        ("template: x\nsample: {number: 0, parameters: {}}\n", "sample.number"),
        ("template: [\n", "is not YAML"),
        ("- template\n", "is no sweep: write one 'name: value' a line"),
        ("template: x\ngrid: {a: 1}\ngrid: {a: 2}\n", "line 3: 'grid' is given twice"),
        ("[" * 5000, "nested too deep"),
        ("template: x\ntimeout: soon\n", "'soon' is no length of time"),
        ("template: x\ntimeout: -1\n", "timeout cannot be -1"),
        ("template: x\nparameters: {seed: 1}\nlist: [{seed: 2}]\n", "both in parameters and in list"),
    ],
)
def test_faults_of_a_file(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(text)
    with pytest.raises(WorkbenchError, match=r"sweep\.yaml") as caught:
        read_form(path)
    assert words in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="Is a directory"):
        read_form(tmp_path)
    with pytest.raises(WorkbenchError, match="No such file"):
        read_form(tmp_path / "sweep.yaml")
