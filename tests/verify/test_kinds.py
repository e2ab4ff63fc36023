"""Comparison by kind: bit-identical, equal within the tolerance, or different, with the place and the size."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.errors import WorkbenchError
from genai4eu.runs.context import METRIC_MIME
from genai4eu.verify import kinds
from genai4eu.verify.cells import compare as compare_cells
from genai4eu.verify.finding import Finding
from genai4eu.verify.kinds import compare
from genai4eu.verify.outputs import metrics
from genai4eu.verify.texts import contents as compare_texts
from genai4eu.verify.tolerance import Tolerance, Tolerances, asked, declared

np = pytest.importorskip("numpy")
Make = Callable[[Path, float], None]
TINY, LARGE = 1e-9, 0.5


def _npy(path: Path, change: float) -> None:
    data = np.linspace(1, 2, 12).reshape(3, 4)
    data[1, 2] += change
    np.save(path, data)


def _npz(path: Path, change: float) -> None:
    np.savez(path, a=np.ones(3), b=np.asarray([1.0, 2 + change]))


def _safetensors(path: Path, change: float) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    weights = torch.ones(2, 3, dtype=torch.float64)
    weights[1, 2] += change
    save_file({"head.weight": weights, "half": torch.ones(2).bfloat16()}, path)


def _csv(path: Path, change: float) -> None:
    path.write_text(f"name,score\nA,1.0\nB,{2 + change!r}\n")


def _parquet(path: Path, change: float) -> None:
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"name": ["A", None], "score": [1.0, 2 + change]}).to_parquet(path)


def _netcdf(path: Path, change: float) -> None:
    xarray = pytest.importorskip("xarray")
    data = np.ones((2, 3))
    data[1, 2] += change
    made = xarray.Dataset({"dice": (("case", "site"), data, {"units": "1"})}, {"site": ["A", "B", "C"]})
    made.assign_attrs(history=f"written {change}", title="scores").to_netcdf(path)


def _zarr(path: Path, change: float) -> None:
    pytest.importorskip("zarr")
    xarray = pytest.importorskip("xarray")
    xarray.Dataset({"dice": ("case", [1.0, 2 + change])}).to_zarr(path, mode="w")


def _json(path: Path, change: float) -> None:
    path.write_text(json.dumps({"a": {"b": [1, 2 + change]}, "name": "x"}))


def _text(path: Path, change: float) -> None:
    path.write_text(f"first line\nthe score is {2 + change!r} (n = 3)\n")


def _packed(path: Path, change: float) -> None:
    inner = path.with_name("inner.json")
    _json(inner, change)
    path.write_bytes(gzip.compress(inner.read_bytes(), mtime=int(change * 10)))


CASES: list[tuple[str, Make, str]] = [
    ("a.npy", _npy, "[1, 2]"), ("a.npz", _npz, "b[1]"), ("a.safetensors", _safetensors, "head.weight[1, 2]"),
    ("a.csv", _csv, "score[1]"), ("a.parquet", _parquet, "score[1]"), ("a.nc", _netcdf, "dice[1, 2]"),
    ("a.zarr", _zarr, "dice[1]"),
    ("a.json", _json, "a.b[1]"), ("a.txt", _text, "line 2"), ("a.json.gz", _packed, "a.b[1]"),
]  # fmt: skip


@pytest.fixture
def pair(tmp_path: Path) -> Callable[[str], tuple[Path, Path]]:
    """Two places for a file of one name."""

    def places(name: str) -> tuple[Path, Path]:
        for side in ("ours", "theirs"):
            (tmp_path / side).mkdir(exist_ok=True)
        return tmp_path / "ours" / name, tmp_path / "theirs" / name

    return places


@pytest.mark.parametrize(("name", "make", "where"), CASES, ids=[c[0] for c in CASES])
def test_values_are_compared_where_they_are(name: str, make: Make, where: str, pair: Any) -> None:
    ours, theirs = pair(name)
    make(theirs, 0.0)
    make(ours, 0.0)
    assert compare(ours, theirs, Tolerance()).outcome == "identical"
    make(ours, TINY)
    close = compare(ours, theirs, Tolerance())
    assert close.outcome == "equal" and close.max_abs == pytest.approx(TINY, rel=1e-3), close
    assert compare(ours, theirs, Tolerance(0, 0)).outcome == "different"
    make(ours, LARGE)
    far = compare(ours, theirs, Tolerance())
    assert far.outcome == "different" and far.where == where, far
    assert far.max_abs == pytest.approx(LARGE) and "instead of" in far.sentence()


def test_what_says_when_a_data_set_was_written_is_set_aside_by_name(pair: Any) -> None:
    xarray = pytest.importorskip("xarray")
    ours, theirs = pair("a.nc")
    for path, written, title in ((theirs, "1", "x"), (ours, "2", "x")):
        xarray.Dataset({"a": 1.0}, attrs={"history": written, "title": title}).to_netcdf(path)
    found = compare(ours, theirs, Tolerance())
    assert (found.outcome, found.aside) == ("equal", ("attribute history",))
    xarray.Dataset({"a": 1.0}, attrs={"history": "2", "title": "y"}).to_netcdf(ours)
    assert (
        compare(ours, theirs, Tolerance()).sentence()
        == "different; at @title: 'y' instead of 'x'; set aside: attribute history"
    )
    xarray.Dataset({"b": 1.0}, attrs={"history": "2", "title": "x"}).to_netcdf(ours)
    assert compare(ours, theirs, Tolerance()).why == "is missing"


def test_pictures_are_compared_by_pixels(pair: Any) -> None:
    plt = pytest.importorskip("matplotlib.figure")
    image = pytest.importorskip("PIL.Image")

    def draw(path: Path, made: str, top: float = 1.0) -> None:
        figure = plt.Figure(figsize=(1, 1))
        figure.subplots().plot([0, top])
        figure.savefig(path, metadata={"Date" if path.suffix == ".svg" else "Creation Time": made})

    ours, theirs = pair("a.png")
    draw(theirs, "2026-01-01")
    draw(ours, "2026-01-02")
    found = compare(ours, theirs, Tolerance())
    assert (found.outcome, found.aside) == ("equal", ("Creation Time of the picture",))
    changed = image.open(theirs)
    changed.putpixel((30, 20), (1, 2, 3, 4))
    changed.save(ours)
    found = compare(ours, theirs, Tolerance())
    assert found.outcome == "different" and found.where == "pixel (y, x)[20, 30, 0]", found
    ours, theirs = pair("a.svg")
    draw(theirs, "2026-01-01")
    draw(ours, "2026-01-02")  # matplotlib salts its ids anew too
    found = compare(ours, theirs, Tolerance())
    assert found.outcome == "equal" and set(found.aside) >= {"time of drawing"}, found
    draw(ours, "2026-01-02", top=3.0)
    assert compare(ours, theirs, Tolerance()).outcome == "different"


@pytest.mark.parametrize(("ours", "theirs", "outcome"), [
    ("<Model at 0x7f05783dbe10>", "<Model at 0x7f05aaaabe10>", "equal"), ("score 0.5", "score 0.500000001", "equal"),
    ("score 0.5", "score 0.6", "different"), ("a\nb", "a", "different"), ("version v2", "version v3", "different"),
    ("in /tmp/x/20261127-002943-study-aedb/outputs", "in /tmp/y/20261127-002944-study-bbbb/outputs", "equal"),
    ("Wall time: 3 s", "Wall time: 4 s", "equal"),
])  # fmt: skip
def test_texts(ours: str, theirs: str, outcome: str) -> None:
    assert compare_texts(ours, theirs, Tolerance()).outcome == outcome


def _notebook(path: Path, *outputs: Any, duration: float = 1.0) -> None:
    cell = {"cell_type": "code", "source": "x", "outputs": list(outputs), "execution_count": 1,
            "metadata": {"papermill": {"duration": duration}}}  # fmt: skip
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def _printed(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def test_cells_are_compared_by_what_they_show(pair: Any) -> None:
    ours, theirs = pair("a.ipynb")
    _notebook(theirs, _printed("a\nb\n"))
    _notebook(ours, _printed("a\n"), _printed("b\n"), duration=2.0)
    assert compare_cells(ours, theirs, Tolerance()).outcome == "identical"
    _notebook(ours, _printed("a\nb\n"), _printed("slow", "stderr"))
    assert compare_cells(ours, theirs, Tolerance()).aside == ("standard error",)
    _notebook(ours, _printed("a\nc\n"))
    assert compare_cells(ours, theirs, Tolerance()).sentence() == "different; at cell 1: line 2: 'c' instead of 'b'"
    _notebook(ours)
    assert compare_cells(ours, theirs, Tolerance()).outcome == "different"


def _metric(name: str, value: float, unit: str = "ms") -> dict[str, Any]:
    data = {METRIC_MIME: {"name": name, "value": value, "unit": unit}, "text/plain": f"{name} = {value:.4g} {unit}"}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def test_a_metric_that_a_template_declares_to_say_nothing_is_set_aside_where_its_cell_shows_it(pair: Any) -> None:
    ours, theirs = pair("a.ipynb")
    declared_so = Tolerance(ignore=("decision_ms",))
    _notebook(theirs, _metric("decision_ms", 1.0), _metric("score", 2.0))
    _notebook(ours, _metric("decision_ms", 9.0), _metric("score", 2.0))
    assert compare_cells(ours, theirs, Tolerance()).outcome == "different"
    assert compare_cells(ours, theirs, declared_so) == Finding("equal", "cell 1", aside=("decision_ms (declared)",))
    assert compare_cells(theirs, theirs, declared_so).sentence() == "bit-identical"
    _notebook(ours, _metric("decision_ms", 9.0), _metric("score", 3.0))
    assert compare_cells(ours, theirs, declared_so).outcome == "different", "another metric beside it"
    _notebook(ours, _metric("other_ms", 1.0), _metric("score", 2.0))
    assert compare_cells(ours, theirs, declared_so).outcome == "different", "another metric in its place"
    _notebook(ours, _printed("1"), _metric("score", 2.0))
    assert compare_cells(ours, theirs, declared_so).outcome == "different", "nothing of the kind in its place"
    _notebook(ours, {**_metric("decision_ms", 1.0), "data": {"text/plain": "x"}}, _metric("score", 2.0))
    assert compare_cells(ours, theirs, declared_so).outcome == "different", "shown as something else"


def test_a_light_install_compares_bytes_and_says_what_would_look_closer(
    pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "find_spec", lambda name: None)
    ours, theirs = pair("a.nc")
    theirs.write_bytes(b"1234")
    ours.write_bytes(b"1235")
    found = compare(ours, theirs, Tolerance())
    assert found.sentence().startswith("different; at byte 3: other bytes; to compare the values install xarray here")


def test_a_file_that_is_not_what_it_is_called_is_different(pair: Any) -> None:
    ours, theirs = pair("a.npy")
    theirs.write_bytes(b"1234")
    ours.write_bytes(b"1235")
    assert "cannot be read as what they are called" in compare(ours, theirs, Tolerance()).sentence()


def test_tolerances_of_caller_template_and_default() -> None:
    notebook = {"metadata": {"genai4eu": {"tolerance": {"outputs/*.nc": {"rtol": 1e-3, "ignore": ["created"]}}}}}
    found = Tolerances({}, declared(notebook, "x"))
    assert found.of("outputs/a.nc") == Tolerance(1e-3, 1e-9, ("created",)) and found.of("metrics.json") == Tolerance()
    assert found.sentence() == "rtol 1e-06, atol 1e-09; outputs/*.nc rtol 0.001, atol 1e-09, without created"
    assert Tolerances(asked("1e-2"), declared(notebook, "x")).of("outputs/a.nc").rtol == 1e-2
    assert asked("rtol=1e-4,atol=0") == {"rtol": 1e-4, "atol": 0.0}
    for bad in ("x", "-1", "ftol=1", "nan"):
        with pytest.raises(WorkbenchError, match="is no tolerance: write 1e-5"):
            asked(bad)
    with pytest.raises(WorkbenchError, match="declares a tolerance that cannot be understood"):
        declared({"metadata": {"genai4eu": {"tolerance": {"a": {"rtol": "x"}}}}}, "x")


def test_what_a_template_declares_to_say_nothing_is_set_aside(pair: Any) -> None:
    ours, theirs = pair("a.json")
    theirs.write_text('{"seconds": 1.0, "score": 2}')
    ours.write_text('{"seconds": 9.0, "score": 2}')
    assert compare(ours, theirs, Tolerance()).outcome == "different"
    assert compare(ours, theirs, Tolerance(ignore=("seconds",))) == Finding("equal", aside=("seconds (declared)",))
    assert metrics(ours, theirs, Tolerance(ignore=("seconds",))) == Finding("equal", aside=("seconds (declared)",))


def test_metrics_are_the_same_in_whatever_order_they_came(pair: Any) -> None:
    ours, theirs = pair("metrics.json")
    theirs.write_text('{"a": {"value": 1.0}, "b": {"value": 2.0}}')
    ours.write_text('{"b": {"value": 2.0}, "a": {"value": 1.0}}')
    assert metrics(ours, theirs, Tolerance()).outcome == "identical"
    ours.write_text('{"b": {"value": 2.000000001}, "a": {"value": 1.0}}')
    assert metrics(ours, theirs, Tolerance()).outcome == "equal"
