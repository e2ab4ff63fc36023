"""Files of the room's owner that no seat may read, not even for a moment. Called wherever the room writes one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ...runs.files import write_json


def write_own(path: Path, content: Any) -> None:
    """Write JSON, whole or not at all, such that nobody but its owner reads it."""
    before = os.umask(0o077)
    try:
        write_json(path, content)
    finally:
        os.umask(before)
