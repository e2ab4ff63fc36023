"""Values travel as data that is safe to read, or not at all."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from genai4eu.courses.factory import inside
from genai4eu.courses.factory.inside import NoPlainValue, pack, unpack

FIELD = xr.DataArray(np.arange(6.0).reshape(2, 3), dims=("a", "b"), coords={"a": [1, 2]}, name="t", attrs={"u": "K"})


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "ä", [1, [2, "x"]], {"a": {"b": [None]}}, float("inf")])
def test_plain_data(value: Any) -> None:
    assert unpack("v", *pack("v", value)) == value


@pytest.mark.parametrize("value", [np.arange(5), np.zeros((2, 0, 3), np.float16), np.array(["a", "bc"]), np.float32(2)])
def test_arrays(value: Any) -> None:
    found = unpack("v", *pack("v", value))
    assert found.dtype == value.dtype
    assert np.array_equal(found, value)
    assert type(found) is type(value)


MIXED = xr.Dataset(
    {
        "label": ("x", np.array([0, 255], np.uint8)), "count": ("x", np.array([2**40, -1])), "ok": ("x", [True, False]),
        "sequence": ("x", ["flair", "t1"]), "when": ("x", np.array(["2024-01-01", "2024-02-03"], "M8[ns]")),
    },
    {"x": np.array([3, 2**33])},
    {"source": "made"},
)  # fmt: skip


@pytest.mark.parametrize("value", [FIELD, FIELD.rename(None), FIELD.to_dataset(), MIXED, MIXED.label])
def test_fields(value: Any) -> None:
    found = unpack("v", *pack("v", value))
    assert type(found) is type(value)
    assert found.equals(value)
    assert getattr(found, "name", None) == getattr(value, "name", None)
    for name in value.to_dataset(name="v").variables if isinstance(value, xr.DataArray) else value.variables:
        assert name == "v" or found[name].dtype == value[name].dtype
    assert isinstance(value, xr.DataArray) or dict(found.attrs) == value.attrs


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("never").touch, ())


RING: list[Any] = []
RING.append(RING)


@pytest.mark.parametrize(
    "value",
    [Evil(), {1: 2}, {"a": Evil()}, np.array([Evil()]), np.ma.masked_array([1], [True]), np.mean, {1, 2}, b"x",
     np.array([(Evil(), 1)], dtype=[("a", "O"), ("b", "i4")]), xr.DataArray(np.array(2**60))],
)  # fmt: skip
def test_what_does_not_travel_is_named(value: Any) -> None:
    with pytest.raises(NoPlainValue, match="weights"):
        pack("weights", value)


def test_a_list_that_holds_itself() -> None:
    with pytest.raises((ValueError, RecursionError)):
        pack("ring", RING)


def of_objects() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([Evil()]), allow_pickle=True)
    return stream.getvalue()


def that_claims(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return stream.getvalue() + b"\0" * 8


@pytest.mark.parametrize(
    ("kind", "data"),
    [("npy", of_objects()), ("npy", that_claims((1 << 50,))), ("npy", that_claims((-1,))), ("npy", b""),
     ("npy", pickle.dumps(1)), ("json", b"{"), ("pickle", pickle.dumps(Evil())), ("netcdf", b"CDF\1"),
     ("netcdf-array", b"\x89HDF\r\n\x1a\n")],
)  # fmt: skip
def test_what_is_no_value_is_not_read(kind: str, data: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError, IndexError)):
        unpack("v", kind, data)
    assert not list(tmp_path.iterdir())


def test_nothing_in_it_unpickles() -> None:
    source = Path(inside.__file__).read_text()
    assert "pickle" not in source.replace("allow_pickle=False", "").replace("unpickled", "")


def test_values_go_in_pieces_and_arrive_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside, "PIECE", 100)
    there: dict[str, Any] = {"a": np.arange(100), "b": {}}
    shown: list[dict[str, Any]] = []
    inside.give(there, ["a", "b"], lambda data, raw: shown.append(data[inside.MIME]))
    assert len(shown) > 8
    here: dict[str, Any] = {}
    for number, piece in enumerate(shown):
        last = number + 1 == len(shown) or shown[number + 1]["name"] != piece["name"]
        inside.take(here, piece["name"], piece["kind"], piece["piece"], last)
    assert np.array_equal(here["a"], there["a"])
    assert here["b"] == {}


def test_too_much_gives_nothing() -> None:
    shown: list[Any] = []
    with pytest.raises(NoPlainValue, match="32 travel"):
        inside.give({"a": np.zeros(5_000_000)}, ["a"], lambda data, raw: shown.append(data))
    with pytest.raises(NameError, match="--out names b"):
        inside.give({"a": 1}, ["a", "b"], lambda data, raw: shown.append(data))
    assert not shown


def test_a_cell_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inside, "_folder", [])
    monkeypatch.setattr("socket.gethostname", lambda: "far")
    folders = tmp_path / ".genai4eu-cells"
    others = [folders / "far@1@of-one-that-runs", folders / "far@99999999@killed", folders / "elsewhere@99999999@x"]
    for path in others:
        path.mkdir(parents=True)
        (path / "left").touch()
    inside.enter()
    mine = Path.cwd()
    assert mine.parent == folders
    assert mine.stat().st_mode & 0o777 == 0o700
    assert [path.exists() for path in others] == [True, False, True]
    inside.leave()
    assert not mine.exists()
