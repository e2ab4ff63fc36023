"""What only a seat's own process reads of its request: its variables, tokens among them. Used by ``seats`` and rooms.

The memory of the process that forks is every later seat's, freed or not. It is given an open file, and never reads it.
"""

from __future__ import annotations

import json
import os
from typing import Any


def sealed(own: dict[str, Any]) -> int:
    """Return an open file that holds it; it travels with the request, as the first of its open files."""
    file = os.memfd_create("seat", os.MFD_CLOEXEC)
    with open(file, "w", encoding="utf-8", closefd=False) as written:
        json.dump(own, written)
    return file


def unsealed(file: int) -> dict[str, Any]:
    """Return what it holds. Only in a fork."""
    with open(file, "rb", closefd=False) as written:
        written.seek(0)
        found: dict[str, Any] = json.load(written)
    return found
