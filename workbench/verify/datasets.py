"""Compare NetCDF and Zarr, variable by variable, with their coordinates and attributes. Needs xarray."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from . import arrays
from .finding import IDENTICAL, Finding, different, together
from .tolerance import Tolerance

#: Attributes that say when and by what a file was made: by the CF conventions, ACDD 1.3 and the libraries' own.
VOLATILE = frozenset({"history", "date_created", "date_modified", "date_issued", "date_metadata_modified",
                      "creation_date", "timeStamp", "_NCProperties", "uuid", "tracking_id"})  # fmt: skip


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare two data sets; ``theirs`` is the record's. Values are compared as they are stored, not decoded."""
    with _open(ours) as a, _open(theirs) as b:
        found = together(_sets(a, b, tolerance))
    return found if found.outcome != "identical" else Finding("equal", aside=("layout of the file",))


def _open(path: Path) -> xr.Dataset:
    found: xr.Dataset = (xr.open_zarr if path.suffix == ".zarr" else xr.open_dataset)(path, decode_cf=False)
    return found


def _sets(a: xr.Dataset, b: xr.Dataset, tolerance: Tolerance) -> Iterator[Finding]:
    yield _attributes(a.attrs, b.attrs, "", tolerance)
    for name in [*b.variables, *(n for n in a.variables if n not in b.variables)]:
        if name not in a.variables or name not in b.variables:
            yield different(str(name), "is missing" if name in b.variables else "is new")
            continue
        found = together(_variables(a.variables[name], b.variables[name], str(name), tolerance))
        ignored = name in tolerance.ignore and found.outcome != "identical"
        yield Finding("equal", aside=(f"{name} (declared)",)) if ignored else found


def _variables(a: xr.Variable, b: xr.Variable, name: str, tolerance: Tolerance) -> Iterator[Finding]:
    if a.dims != b.dims:
        yield different(name, f"dimensions {a.dims} instead of {b.dims}")
        return
    yield arrays.compare(np.asarray(a.values), np.asarray(b.values), tolerance).at(name)
    yield _attributes(a.attrs, b.attrs, name, tolerance)


def _attributes(a: Mapping[Any, Any], b: Mapping[Any, Any], where: str, tolerance: Tolerance) -> Finding:
    return together(
        _attribute(a.get(name), b.get(name), f"{where}@{name}", str(name), tolerance)
        for name in dict.fromkeys([*b, *a])
    )


def _attribute(a: Any, b: Any, where: str, name: str, tolerance: Tolerance) -> Finding:
    if a is None or b is None:
        found = different(where, "is missing" if a is None else "is new")
    else:
        found = arrays.compare(np.asarray(a), np.asarray(b), tolerance).at(where)
    if found.outcome != "identical" and (name in VOLATILE or name in tolerance.ignore):
        return Finding("equal", aside=(f"attribute {name}" + (" (declared)" if name in tolerance.ignore else ""),))
    return found if found.outcome != "identical" else IDENTICAL
