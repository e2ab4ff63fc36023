"""The index: what a list of runs shows, kept in the user's cache folder so that ten thousand runs list at once.

A cache and nothing more: an entry holds as long as the files it was read from look the same to ``stat``; everything
else is read anew, and a damaged or missing index is made again. No database: those are not safe on the shared file
systems of clusters. Called by the store.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from .files import write_bytes

#: Raised with every change of what an entry holds.
VERSION = 4
#: A summary is read from these; the crate tells whether the record is sealed.
_READ = ("run.json", "parameters.json", "metrics.json", "ro-crate-metadata.json")
#: Nanoseconds within which a second change of a file could bear the same time stamp on a coarse file system.
_FRESH = 2 * 10**9

Summary = dict[str, Any]
#: Change time [ns] and size of each file, one after the other; zeros for one that is not there.
Looks = list[int]
#: How the files looked, and what was read from them.
Entry = list[Any]
Entries = dict[str, Entry]


def summaries(root: Path) -> list[Summary]:
    """Return the summary of every record in a folder, the newest first.

    Runs whose process is gone are settled on the way; those that still run are read each time.
    """
    with _without_collector():
        known = _load(root)
        found: Entries = {}
        for name in _folders(root):
            looks = _looks(f"{root}/{name}")
            if looks is None:
                continue
            entry = known.get(name)
            found[name] = entry if entry and entry[0] == looks else _read(root / name)
        lasting = {name: entry for name, entry in found.items() if _lasts(entry)}
        if lasting.keys() != known.keys() or any(known[name] is not entry for name, entry in lasting.items()):
            _save(root, lasting)
        return [found[name][1] for name in sorted(found, reverse=True)]


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Spare Python the search for garbage among many small things that all stay: a third of the time."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def forget(root: Path) -> None:
    """Remove the index of a folder: the next list reads every record anew."""
    place(root).unlink(missing_ok=True)


def place(root: Path) -> Path:
    """Return where the index of a folder lies."""
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("genai4eu") / "runs" / f"{name}.json"


def _folders(root: Path) -> list[str]:
    """Return the names of the folders that may be records."""
    try:
        with os.scandir(root) as entries:
            return [e.name for e in entries if not e.name.startswith(".") and e.is_dir()]
    except FileNotFoundError:
        return []


def _looks(folder: str) -> Looks | None:
    """Return how the files of a summary look to ``stat``; None where there is no record.

    One that was sealed and has lost its ``run.json`` is a damaged record, and no other folder.
    """
    looks: Looks = []
    for name in _READ:
        try:
            about = os.stat(f"{folder}/{name}")  # noqa: PTH116  # half the time of pathlib's, forty thousand times
        except OSError:
            looks += (0, 0)
        else:
            looks += (about.st_ctime_ns, about.st_size)
    return looks if looks[0] or looks[-2] else None


def _read(folder: Path) -> Entry:
    """Read a record, after settling it where its process is gone."""
    from .record import Record
    from .settle import settle

    record = Record(folder)
    settle(record)
    looks = _looks(str(folder)) or []  # before it is read: a change meanwhile shows next time
    return [looks, record.readable()]


def _lasts(entry: Entry) -> bool:
    """Tell whether an entry may be kept: the run is over, and its files are old enough to look different if changed."""
    looks, summary = entry
    return bool(summary["sealed"]) and max(looks[::2], default=0) < time.time_ns() - _FRESH


def _load(root: Path) -> Entries:
    """Return the entries of the index; none where there is no index, a damaged one, or one of another version."""
    try:
        content = json.loads(place(root).read_bytes())
        if content["version"] == VERSION and content["root"] == str(root):
            entries: Entries = content["runs"]
            return entries
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {}


def _save(root: Path, entries: Entries) -> None:
    """Keep the index; a cache that cannot be written is one that is made again each time."""
    content = json.dumps({"version": VERSION, "root": str(root), "runs": entries}, separators=(",", ":"))
    with contextlib.suppress(OSError):
        place(root).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_bytes(place(root), content.encode())
