"""Files written whole or not at all. Called wherever this room writes a kernelspec, a token or a gateway's address."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import KernelsError


def write_text(path: Path, content: str, mode: int = 0o644) -> None:
    """Write ``content`` beside ``path`` and rename it into place, so that no reader ever sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Make sure that ``path`` can be written, before anything is done that it is to tell of.

    Raises
    ------
    KernelsError
        If its folder is missing or of somebody else, or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise KernelsError(f"{path} cannot be written: there is no folder {path.parent}, make it first")
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise KernelsError(f"{path} cannot be written: name a file in a folder of your own")


def write_json(path: Path, content: Any, mode: int = 0o644) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True) + "\n", mode)
