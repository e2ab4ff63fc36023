"""Bring home what the study part kept on the kernel's side, over the kernel's own connection. Called by the engine."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path, PurePosixPath

from ..errors import WorkbenchError
from .client import RunClient

#: Bytes asked for at a time; as base64 it stays below the 10 MiB a jupyter server lets through in one message.
CHUNK = 4 * 2**20


def collect(client: RunClient, folder: Path) -> list[str]:
    """Fetch every kept file into ``folder``, each whole and with the checksum that the kernel's side gave.

    Returns
    -------
    list of str
        Paths of the files, relative to ``folder``.

    Raises
    ------
    WorkbenchError
        If a file arrives other than it left.
    """
    files = json.loads(client.ask("listing"))
    total, done = sum(f["size"] for f in files), 0
    for entry in files:
        path = _inside(folder, entry["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as stream:
            for offset in range(0, entry["size"], CHUNK):
                stream.write(base64.b64decode(client.ask("read", entry["path"], offset, CHUNK)))
                client.nb_man.tell("collect", {"done": min(done + offset + CHUNK, total), "total": total})
        done += entry["size"]
        _verify(part, entry)
        part.rename(path)
    return [f["path"] for f in files]


def _inside(folder: Path, relative: str) -> Path:
    """Refuse a path that a kernel names outside the record."""
    if PurePosixPath(relative).is_absolute() or ".." in PurePosixPath(relative).parts:
        raise WorkbenchError(f"the kernel names a file outside the run's folder: {relative}")
    return folder / relative


def _verify(part: Path, entry: dict[str, str]) -> None:
    with part.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != entry["sha256"]:
        part.unlink()
        raise WorkbenchError(f"output {entry['path']} changed on its way from the kernel: run again")
