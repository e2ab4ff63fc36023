"""Compare files of arrays: ``.npy``, ``.npz`` and ``.safetensors``. Needs NumPy; safetensors are read here.

Source: https://huggingface.co/docs/safetensors, "Format".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import arrays
from .finding import Finding, different, together
from .tolerance import Tolerance

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
          "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "?"}  # fmt: skip


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare all arrays of two files by name; ``theirs`` is the record's."""
    return by_name(_read(ours), _read(theirs), tolerance)


def by_name(a: dict[str, Any], b: dict[str, Any], tolerance: Tolerance) -> Finding:
    """Compare named arrays; where all are the same, what else differs is how the file was written."""
    missing = [different(name, "is missing" if name in b else "is new") for name in sorted(a.keys() ^ b.keys())]
    names = [name for name in b if name in a]
    found = together([*missing, *(_one(name, a[name], b[name], tolerance) for name in names)])
    return found if found.outcome != "identical" else Finding("equal", aside=("layout of the file",))


def _one(name: str, a: Any, b: Any, tolerance: Tolerance) -> Finding:
    if name in tolerance.ignore:
        same = arrays.compare(a, b, tolerance).outcome == "identical"
        return Finding("identical") if same else Finding("equal", aside=(f"{name} (declared)",))
    if isinstance(b, np.ndarray) and isinstance(a, np.ndarray):
        found = arrays.compare(a, b, tolerance)
        return found.at(name) if name else found
    return Finding("identical") if a == b else different(name, f"{a!r:.60} instead of {b!r:.60}")


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        return _safetensors(path)
    found = np.load(path, allow_pickle=False)
    return {name: found[name] for name in found.files} if path.suffix == ".npz" else {"": found}


def _safetensors(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    begins = 8 + int.from_bytes(content[:8], "little")
    head = json.loads(content[8:begins])
    metadata = head.pop("__metadata__", {})
    found = {name: _tensor(about, content[begins:]) for name, about in head.items()}
    return {**found, **({"its metadata": metadata} if metadata else {})}


def _tensor(about: dict[str, Any], content: bytes) -> NDArray[Any]:
    first, end = about["data_offsets"]
    kind = about["dtype"]
    if kind == "BF16":  # the upper half of a float32
        halves = np.frombuffer(content[first:end], "<u2").astype("<u4") << 16
        return halves.view("<f4").reshape(about["shape"])
    if kind not in _TYPES:  # 8-bit floats: NumPy has none, so that they are compared as bytes
        return np.frombuffer(content[first:end], "u1")
    return np.frombuffer(content[first:end], _TYPES[kind]).reshape(about["shape"])
