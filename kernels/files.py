"""Files written whole or not at all. Called wherever this room writes a kernelspec, a token or a gateway's address."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


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


def write_json(path: Path, content: Any, mode: int = 0o644) -> None:
    """Write JSON, whole or not at all."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True) + "\n", mode)
