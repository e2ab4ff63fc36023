"""Small JSON files kept in memory while they stay as they are: a page asks for them at every request.

Called by dashboards and bundles.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """Return what a file holds. Whoever gets it must not change it: others get the same.

    Raises
    ------
    OSError, ValueError, RecursionError
        If it cannot be read, or is no JSON.
    """
    found = path.stat()
    return _read(path, (found.st_mtime_ns, found.st_size, found.st_ino))


@functools.lru_cache(maxsize=1024)
def _read(path: Path, _changed: object) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
