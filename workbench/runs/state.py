"""The state of a computation as one file: numbers, texts, bytes, arrays and tensors in lists and dicts, exactly.

No pickle, so that a checkpoint is data and not a program; NumPy and torch only where a state holds theirs. A file is
the length of its head (8 bytes, little endian), the head (JSON), and the bytes of all arrays one after the other.
Called by ``run.checkpoint`` and ``run.restore``.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError
from .files import write_bytes

_PLAIN = (str, int, float, bool, type(None))


def write(path: Path, state: Any) -> None:
    """Write a state, whole or not at all.

    Raises
    ------
    WorkbenchError
        Names the part of the state that is none of the above.
    """
    blobs: list[bytes] = []
    tree = _encode(state, "state", blobs)
    content = b"".join(blobs)
    head = json.dumps({"state": tree, "sha256": hashlib.sha256(content).hexdigest()}).encode()
    write_bytes(path, len(head).to_bytes(8, "little") + head + content)


def read(path: Path) -> Any:
    """Return a state as it was written: tensors on the processor, everything of the type that it had.

    Raises
    ------
    WorkbenchError
        If the file is not whole.
    """
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    try:
        head = json.loads(content[8:end])
        whole = head["sha256"] == hashlib.sha256(content[end:]).hexdigest()
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise WorkbenchError(f"the checkpoint {path} is damaged: delete it, and what it held begins anew")
    return _decode(head["state"], io.BytesIO(content[end:]))


def _encode(value: Any, where: str, blobs: list[bytes]) -> Any:
    """Return a value as the head holds it, and add the bytes of its arrays; plain values stand for themselves."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {"dict": [[_key(k, where), _encode(v, f"{where}[{k!r}]", blobs)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_encode(v, f"{where}[{i}]", blobs) for i, v in enumerate(value)]}
    about, content = _array(value, where)
    blobs.append(content)
    return {**about, "bytes": len(content)}


def _key(key: Any, where: str) -> Any:
    if type(key) not in (str, int):
        raise WorkbenchError(f"checkpoint: {where} has the key {key!r}: use texts or whole numbers")
    return key


def _array(value: Any, where: str) -> tuple[dict[str, Any], bytes]:
    """Return what the head says of bytes, an array or a tensor, and its content."""
    if isinstance(value, bytes | bytearray):
        return {}, bytes(value)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if torch and isinstance(value, torch.Tensor):
        flat = value.detach().cpu().contiguous().flatten()
        kind = str(value.dtype).removeprefix("torch.")
        about: dict[str, Any] = {"torch": kind, "shape": list(value.shape), "strides": _strides(value)}
        return about, flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    if numpy and isinstance(value, numpy.ndarray | numpy.generic) and not value.dtype.hasobject:
        scalar = isinstance(value, numpy.generic)
        order = "F" if value.flags.fnc else "C"
        about = {"numpy": value.dtype.str, "shape": list(value.shape), "scalar": scalar, "order": order}
        return about, value.tobytes(order)
    raise WorkbenchError(
        f"checkpoint: {where} is of type {type(value).__name__}: "
        "keep numbers, texts, bytes, arrays and tensors, in lists and dicts"
    )


def _strides(tensor: Any) -> list[int] | None:
    """Return the layout of a tensor: sums over another layout may round otherwise. ``None`` where it repeats itself."""
    strides = list(tensor.stride())
    return strides if all(s or n < 2 for s, n in zip(strides, tensor.shape, strict=True)) else None


def _decode(value: Any, content: io.BytesIO) -> Any:
    if not isinstance(value, dict):
        return value
    if "dict" in value:
        return {k: _decode(v, content) for k, v in value["dict"]}
    if "tuple" in value:
        return tuple(_decode(v, content) for v in value["tuple"])
    if "list" in value:
        return [_decode(v, content) for v in value["list"]]
    return _restored(value, bytearray(content.read(value["bytes"])))


def _restored(about: dict[str, Any], content: bytearray) -> Any:
    """Return bytes, an array or a tensor from what was kept of it."""
    if "torch" in about:
        return _tensor(about, content)
    if "numpy" in about:
        import numpy as np

        array = np.frombuffer(content, dtype=about["numpy"]).reshape(about["shape"], order=about["order"])
        return array[()] if about["scalar"] else array
    return bytes(content)


def _tensor(about: dict[str, Any], content: bytearray) -> Any:
    import torch

    kind = getattr(torch, about["torch"])
    if not content:
        return torch.empty(about["shape"], dtype=kind)
    flat = torch.frombuffer(content, dtype=torch.uint8).view(kind).reshape(about["shape"])
    if about["strides"] is None:
        return flat
    return torch.empty_strided(about["shape"], about["strides"], dtype=kind).copy_(flat)
