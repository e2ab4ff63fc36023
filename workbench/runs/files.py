"""Files written whole or not at all. Called wherever the workbench writes."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..errors import WorkbenchError


def write_bytes(path: Path, content: bytes, durable: bool = True) -> None:
    """Write ``content`` beside ``path`` and rename it into place, so that no reader ever sees half a file.

    ``durable`` waits until the disk has it; what is written anew every few seconds need not.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # noqa: PTH101  # mkstemp gives 0600, others may read a record
        os.replace(name, path)  # noqa: PTH105
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_text(path: Path, content: str, durable: bool = True) -> None:
    """Write text as UTF-8, whole or not at all; in JSON, half a surrogate pair becomes its escape."""
    write_bytes(path, content.encode(errors="backslashreplace"), durable)


def write_json(path: Path, content: Any, durable: bool = True) -> None:
    """Write JSON, whole or not at all; NaN is refused, because JSON has none."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", durable)


def reason(error: OSError) -> str:
    """Return in a few words why something cannot be written; of a folder's copy the first of all reasons."""
    while isinstance(error, shutil.Error):
        first = error.args[0]
        first = first[0][2] if isinstance(first, list) and first else first
        if not isinstance(first, OSError):
            return re.sub(r"^\[Errno \d+\] |: '.*", "", str(first))
        error = first
    return error.strerror or str(error)


def cannot_write(error: OSError, folder: Path | None = None) -> WorkbenchError:
    """Return in one line why a folder cannot be written, and what to do."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space, or set GENAI4EU_RUNS to a folder elsewhere"
    remedy = remedy if full else "set GENAI4EU_RUNS to a folder of your own"
    where = folder or (Path(os.fsdecode(error.filename)).parent if error.filename else "the record")
    return WorkbenchError(f"{where} cannot be written ({error.strerror or error}): {remedy}")
