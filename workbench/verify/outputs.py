"""Compare all that two runs kept: output files, metrics, sizes, and what the notebook shows. Called by ``verify``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..runs.record import Record
from . import cells, trees
from .finding import IDENTICAL, Finding, different
from .kinds import compare
from .tolerance import Tolerance, Tolerances

_KEPT = ("metrics.json", "sizes.json")
NOTEBOOK = "notebook.ipynb"


def findings(ours: Record, theirs: Record, tolerances: Tolerances) -> dict[str, Finding]:
    """Return the finding of every output by its path in the record; ``theirs`` is the record that is verified."""
    found: dict[str, Finding] = {}
    for path in [*_KEPT, *_outputs(theirs), *(p for p in _outputs(ours) if p not in set(_outputs(theirs)))]:
        a, b = ours.folder / path, theirs.folder / path
        if a.exists() and b.exists():
            kind: Callable[[Path, Path, Tolerance], Finding] = metrics if path == "metrics.json" else compare
            found[path] = kind(a, b, tolerances.of(path))
        elif a.exists() or b.exists():
            found[path] = different(None, "is missing in the verifying run" if b.exists() else "is new")
    found[NOTEBOOK] = cells.compare(ours.notebook_path, theirs.notebook_path, tolerances.of(NOTEBOOK))
    return found


def metrics(ours: Path, theirs: Path, tolerance: Tolerance) -> Finding:
    """Compare metrics by value and unit; files with the same metrics are identical, in whatever order they came."""
    found = trees.compare(ours, theirs, tolerance)
    return IDENTICAL if found == Finding("equal", aside=(trees.LAYOUT,)) else found


def _outputs(record: Record) -> list[str]:
    """Return the paths of what a run kept; a Zarr store is one thing."""
    found: dict[str, None] = {}
    for path in sorted(record.outputs.rglob("*")):
        parts = path.relative_to(record.folder).parts
        store = next((i for i, part in enumerate(parts, 1) if part.endswith(".zarr")), None)
        if store or path.is_file():
            found["/".join(parts[:store])] = None
    return list(found)
