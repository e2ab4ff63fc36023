"""Which comparison a file takes, by its ending. Reading stays in the workbench's own environment.

Everything is home already when it is compared, no kernel is asked. What the environment cannot read (a light install
has neither xarray nor pandas) is compared as bytes, and the finding says which package would look closer.
"""

from __future__ import annotations

import gzip
import importlib
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..runs.seal import sha256
from .finding import IDENTICAL, Finding, different
from .tolerance import Tolerance

#: The module here that compares a kind, and the packages that it needs.
_NEEDS = {
    "trees": (),
    "texts": (),
    "cells": (),
    "tensors": ("numpy",),
    "images": ("numpy", "PIL"),
    "tables": ("pandas",),
    "datasets": ("xarray",),
}
#: What some of them need beside that.
_READERS = {".zarr": ("zarr",), ".parquet": ("pyarrow",)}
_ENDINGS = {
    **dict.fromkeys((".json", ".geojson"), "trees"),
    **dict.fromkeys((".txt", ".md", ".log", ".yaml", ".yml", ".toml", ".svg", ".html", ".xml", ".rst"), "texts"),
    ".ipynb": "cells",
    **dict.fromkeys((".npy", ".npz", ".safetensors"), "tensors"),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".gif", ".bmp"), "images"),
    **dict.fromkeys((".csv", ".tsv", ".parquet"), "tables"),
    **dict.fromkeys((".nc", ".nc4", ".cdf", ".zarr"), "datasets"),
}


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare a file, or a Zarr store, of the verifying run with the record's."""
    if theirs.is_dir() != ours.is_dir():
        return different(None, "a folder instead of a file" if ours.is_dir() else "a file instead of a folder")
    if _content(ours) == _content(theirs) if theirs.is_dir() else sha256(ours) == sha256(theirs):
        return IDENTICAL
    if theirs.suffix == ".gz":
        return _unpacked(ours, theirs, tolerance)
    kind = _ENDINGS.get(theirs.suffix.lower())
    return closer(kind, ours, theirs, tolerance) if kind else _bytes(ours, theirs, None)


def closer(kind: str, ours: Any, theirs: Any, tolerance: Tolerance) -> Finding:
    """Look closer at two files, or the contents of two pictures, that are not bit-identical."""
    reader = _READERS.get(theirs.suffix.lower(), ()) if isinstance(theirs, Path) else ()
    missing = [name for name in (*_NEEDS[kind], *reader) if find_spec(name) is None]
    if missing:
        return _bytes(ours, theirs, " and ".join(missing).replace("PIL", "pillow"))
    module = importlib.import_module(f".{kind}", __package__)
    compare_kind = module.contents if isinstance(theirs, bytes) else module.compare
    try:
        found: Finding = compare_kind(ours, theirs, tolerance)
    except (ImportError, ValueError, OSError, KeyError, TypeError, RecursionError) as error:
        said = " ".join(str(error).split())[:200]
        return different(None, f"other bytes, which cannot be read as what they are called ({said})")
    return found


def _bytes(ours: Path | bytes, theirs: Path | bytes, missing: str | None) -> Finding:
    a, b = (x if isinstance(x, bytes) else _content(x) for x in (ours, theirs))
    if a == b:
        return IDENTICAL
    first = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    said = "other bytes" if len(a) == len(b) else f"{len(a)} bytes instead of {len(b)}"
    if missing:
        said += f"; to compare the values install {missing} here"
    return different(f"byte {first}", said)


def _content(path: Path) -> bytes:
    if path.is_file():
        return path.read_bytes()
    return b"".join(
        p.relative_to(path).as_posix().encode() + p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()
    )


def _unpacked(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare what two packed files hold; the packing notes the time."""
    with tempfile.TemporaryDirectory(prefix="genai4eu-") as folder:
        inner = [Path(folder) / side / theirs.stem for side in ("ours", "theirs")]
        for packed, path in zip((ours, theirs), inner, strict=True):
            path.parent.mkdir()
            try:
                path.write_bytes(gzip.decompress(packed.read_bytes()))
            except (OSError, EOFError):
                return _bytes(ours, theirs, None)
        found = compare(inner[0], inner[1], tolerance)
    return found if found.outcome != "identical" else Finding("equal", aside=("time of packing",))
