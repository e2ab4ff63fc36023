"""One runner a record: a lock that the system lets go of when its holder is gone. For the runner and for sealing."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import WorkbenchError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the record in ``folder`` alone.

    Raises
    ------
    WorkbenchError
        If another process holds it.
    """
    stream = _take(folder / LOCK)
    with stream:
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {os.uname().nodename}")
        stream.flush()
        try:
            yield
        finally:
            (folder / LOCK).unlink(missing_ok=True)


def _take(path: Path) -> IO[str]:
    """Return the locked file; one that its last holder was just removing is no lock, another is made."""
    while True:
        stream = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            stream.close()
            raise WorkbenchError(
                f"run {path.parent.name} is carried out by {holder} already: wait for its end"
            ) from None
        if path.exists() and path.stat().st_ino == os.fstat(stream.fileno()).st_ino:
            return stream
        stream.close()
