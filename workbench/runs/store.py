"""Find records: the folders below ``GENAI4EU_RUNS``, or ``./runs``. Called by the command line and the dashboards."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WorkbenchError
from . import index

if TYPE_CHECKING:
    from .record import Record


def runs_root() -> Path:
    """Return the folder that holds the records."""
    return Path(os.environ.get("GENAI4EU_RUNS") or "runs").absolute()


def summaries() -> list[dict[str, Any]]:
    """Return what a list shows of every run, the newest first; from the index, where that is still true."""
    return index.summaries(runs_root())


def all_runs() -> list[Record]:
    """Return every record, the newest first."""
    from .record import Record

    root = runs_root()
    found = [Record(p) for p in root.iterdir() if is_record(p)] if root.is_dir() else []
    return sorted(found, key=lambda r: r.id, reverse=True)


def is_record(folder: Path) -> bool:
    """Tell whether a folder is a record, be it a damaged one that has lost its ``run.json``."""
    return any((folder / name).exists() for name in ("run.json", "ro-crate-metadata.json"))


def find(name: str) -> Record:
    """Return one record by its id, the beginning or end of it, its folder, ``latest``, or ``latest~1`` before that.

    A run that verifies another is never meant by ``latest``: its result is the verdict beside that other one. A run
    whose process is gone is settled first.

    Raises
    ------
    WorkbenchError
        If there is none, or more than one.
    """
    from .settle import settle

    record = _find(name)
    settle(record)
    return record


def _find(name: str) -> Record:
    from .record import Record

    if is_record(Path(name)):
        return Record(Path(name).absolute())
    records = all_runs()
    back = _back(name)
    if back is not None:
        records = list(itertools.islice((r for r in records if not _verifies(r)), back, back + 1))
        if records:
            return records[0]
    exact = [r for r in records if r.id == name]
    near = exact or [r for r in records if name and (r.id.startswith(name) or r.id.endswith(name))]
    if not near:
        raise WorkbenchError(f"unknown run {name!r}: 'genai4eu runs list' shows those in {runs_root()}")
    if len(near) > 1:
        raise WorkbenchError(f"{name!r} may mean {len(near)} runs ({near[0].id}, {near[1].id}, …): give more of the id")
    return near[0]


def _verifies(record: Record) -> bool:
    """Tell whether a run was made to verify another; a damaged record is nobody's proof."""
    try:
        return record.read("run.json").get("verifies") is not None
    except WorkbenchError:
        return False


def _back(name: str) -> int | None:
    """Return how many runs before the latest ``latest~N`` means, as git counts; None for another name."""
    found = re.fullmatch(r"latest(?:~(\d{1,6}))?", name)
    return int(found[1] or 0) if found else None
