"""Compare tables: CSV, TSV and Parquet, column by column. Needs pandas, and pyarrow for Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from . import arrays
from .finding import IDENTICAL, Finding, different, together
from .tolerance import Tolerance


def compare(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare two tables; ``theirs`` is the record's."""
    a, b = _read(ours), _read(theirs)
    if list(a.columns) != list(b.columns):
        other = next((n for n in [*b.columns, *a.columns] if n not in a.columns or n not in b.columns), None)
        return different(
            "its columns", f"{other} is {'missing' if other in b.columns else 'new'}" if other else "order"
        )
    if len(a) != len(b):
        return different("its rows", f"{len(a)} instead of {len(b)}")
    index = _column("its index", a.index, b.index, tolerance)
    found = together([index, *(_column(str(n), a[n], b[n], tolerance) for n in b.columns)])
    return found if found.outcome != "identical" else Finding("equal", aside=("layout of the file",))


def _read(path: Path) -> pd.DataFrame:
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", float_precision="round_trip")


def _column(name: str, a: Any, b: Any, tolerance: Tolerance) -> Finding:
    found = arrays.compare(a.to_numpy(), b.to_numpy(), tolerance).at(name)
    if name in tolerance.ignore and found.outcome != "identical":
        return Finding("equal", aside=(f"{name} (declared)",))
    return found if found.outcome != "identical" else IDENTICAL
