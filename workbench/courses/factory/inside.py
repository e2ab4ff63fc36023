"""Values as data that is safe to read, and the folder of one cell. Its source is executed in the factory's kernel, too.

So it needs nothing but Python; numpy and xarray where a value is of them. Nothing is ever unpickled, on either side.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

#: Bytes of all values that one cell takes in or gives out, and of a piece: a message stays small for every proxy.
MOST, PIECE = 32 << 20, 3 << 20
KINDS = ("json", "npy", "netcdf", "netcdf-array")
#: Carries a piece of a value out of the kernel.
MIME = "application/vnd.genai4eu.value+json"
#: The variable of an array that is no data set, and the attribute with its own name.
_ALONE = "genai4eu_array"
#: The attribute with the types that the format lacks, or widens.
_DTYPES = "genai4eu_dtypes"
_FOLDERS = Path(".genai4eu-cells")
_PLAIN = (str, int, float, bool, type(None))


class NoPlainValue(ValueError):
    """A value that no safe format has."""


def pack(name: str, value: Any) -> tuple[str, bytes]:
    """Return a value's kind and bytes.

    Parameters
    ----------
    name : str
        What the error calls it.

    Raises
    ------
    NoPlainValue
        If it is neither plain data (numbers, texts, lists, dicts with texts as keys), a numpy array, nor of xarray.
    """
    module = type(value).__module__.partition(".")[0]
    if module == "numpy":
        return "npy", _array(name, value)
    if module == "xarray" and hasattr(value, "to_netcdf"):
        return _dataset(name, value)
    if not _is_plain(value):
        raise NoPlainValue(
            f"{name} is a {type(value).__name__}, which does not travel: make it an array (a tensor: {name}.numpy()), "
            f"a list or a dict (a table: {name}.to_dict('list'))"
        )
    return "json", json.dumps(value).encode()


def unpack(name: str, kind: str, data: bytes) -> Any:
    """Return the value that bytes stand for.

    Raises
    ------
    ValueError
        If they are not what ``kind`` says.
    """
    if kind == "json":
        return json.loads(data)
    if kind == "npy":
        return _read_array(name, data)
    if kind not in KINDS:
        raise ValueError(f"{name} is of no known kind: {kind!r}")
    import xarray

    with xarray.open_dataset(io.BytesIO(data), engine="scipy") as opened:
        found = opened.load()
    found = _typed(found, json.loads(found.attrs.pop(_DTYPES, "{}")))
    return found if kind == "netcdf" else found[_ALONE].rename(found.attrs.get(_ALONE))


def _dataset(name: str, value: Any) -> tuple[str, bytes]:
    """Return kind and bytes of what xarray made, in the format that Python alone can read."""
    alone = hasattr(value, "to_dataset") and hasattr(value, "values") and not hasattr(value, "data_vars")
    kept = value.to_dataset(name=_ALONE) if alone else value
    dtypes = {n: found.dtype for n, found in kept.variables.items() if found.dtype.kind in "iuU"}
    wide = [n for n, dtype in dtypes.items() if dtype.kind == "u" or (dtype.kind == "i" and dtype.itemsize == 8)]
    if any((abs(kept[n].astype("f8")) >= 2**53).any() for n in wide):
        raise NoPlainValue(f"{name} holds whole numbers beyond 2**53, which do not travel: make them texts")
    kept = _typed(kept, dict.fromkeys(wide, "f8"))  # the format has no such whole numbers
    kept = kept.assign_attrs({_DTYPES: json.dumps({n: dtype.str for n, dtype in dtypes.items()})})
    if alone and value.name is not None:
        kept.attrs[_ALONE] = str(value.name)
    try:
        return "netcdf-array" if alone else "netcdf", bytes(kept.to_netcdf(engine="scipy"))
    except (TypeError, ValueError) as error:
        why = str(error).partition(". ")[0]
        raise NoPlainValue(f"{name} does not fit into NetCDF ({why}): take its arrays") from None


def _typed(data: Any, dtypes: dict[str, str]) -> Any:
    """Return a data set whose variables, coordinates too, have other types."""
    new = {n: (data[n].dims, data[n].values.astype(dtype), data[n].attrs) for n, dtype in dtypes.items()}
    coords = {n: found for n, found in new.items() if n in data.coords}
    return data.assign_coords(coords).assign({n: found for n, found in new.items() if n not in coords})


def _array(name: str, value: Any) -> bytes:
    import numpy

    if isinstance(value, numpy.ma.MaskedArray) or not isinstance(value, (numpy.ndarray, numpy.generic)):
        raise NoPlainValue(f"{name} is a {type(value).__name__}, which does not travel: make it a plain array")
    if numpy.asarray(value).dtype.hasobject:
        raise NoPlainValue(f"{name} is an array of Python objects, which does not travel: give it a dtype")
    stream = io.BytesIO()
    numpy.save(stream, numpy.asarray(value), allow_pickle=False)
    return stream.getvalue()


def _read_array(name: str, data: bytes) -> Any:
    """Return an array whose bytes are all there: a header may claim more than any memory has."""
    import numpy
    from numpy.lib import format as npy

    stream = io.BytesIO(data)
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{name} is of an unknown version of npy: {version}")
    header = npy.read_array_header_1_0(stream) if version == (1, 0) else npy.read_array_header_2_0(stream)
    shape, _, dtype = header
    claimed = dtype.itemsize
    for length in shape:
        claimed *= length
    if dtype.hasobject or claimed != len(data) - stream.tell():
        raise ValueError(f"{name} is not the array that its header says")
    found = numpy.load(io.BytesIO(data), allow_pickle=False)
    return found if found.ndim else found[()]


def _is_plain(value: Any) -> bool:
    """Tell whether JSON has a value, looking into lists and dicts without recursion: they may hold themselves."""
    waiting, seen = [value], 0
    while waiting:
        one = waiting.pop()
        seen += 1
        if type(one) is dict and all(type(key) is str for key in one):
            waiting += one.values()
        elif type(one) in (list, tuple):
            waiting += one
        elif type(one) not in _PLAIN:
            return False
        if seen > 5_000_000:
            return False
    return True


# What the broker has the factory's kernel do

_coming: dict[str, list[bytes]] = {}
_folder: list[str] = []


def enter() -> None:
    """Work in a folder of this cell's own, and remove those whose kernel was killed."""
    host = socket.gethostname()
    _FOLDERS.mkdir(mode=0o700, exist_ok=True)
    for left in _FOLDERS.glob(f"{host}@*"):
        if not _runs(left.name.split("@")[1]):
            shutil.rmtree(left, ignore_errors=True)
    _folder.append(tempfile.mkdtemp(prefix=f"{host}@{os.getpid()}@", dir=_FOLDERS.resolve()))
    os.chdir(_folder[0])


def leave() -> None:
    """Remove the cell's folder."""
    os.chdir("/")
    shutil.rmtree(_folder[0], ignore_errors=True)


def _runs(number: str) -> bool:
    try:
        os.kill(int(number), 0)
    except PermissionError:  # somebody else's process
        return True
    except (OSError, ValueError):
        return False
    return True


def take(space: dict[str, Any], name: str, kind: str, piece: str, last: bool) -> None:
    """Take a piece of a value; with the last one it becomes a variable."""
    _coming.setdefault(name, []).append(base64.b64decode(piece))
    if last:
        space[name] = unpack(name, kind, b"".join(_coming.pop(name)))


def give(space: dict[str, Any], names: list[str], show: Any) -> None:
    """Show values in pieces, to whom they do not look like outputs.

    Raises
    ------
    NameError, NoPlainValue
        If one is not there, does not travel, or all are too much: then none is given.
    """
    absent = [name for name in names if name not in space]
    if absent:
        raise NameError(f"--out names {', '.join(absent)}, which the cell did not make")
    packed = {name: pack(name, space[name]) for name in names}
    size = sum(len(data) for _, data in packed.values())
    if size > MOST:
        raise NoPlainValue(f"{', '.join(names)} are {size >> 20} MB, and {MOST >> 20} travel: give out less")
    for name, (kind, data) in packed.items():
        for begin in range(0, max(1, len(data)), PIECE):
            piece = base64.b64encode(data[begin : begin + PIECE]).decode()
            show({MIME: {"name": name, "kind": kind, "piece": piece}}, raw=True)
