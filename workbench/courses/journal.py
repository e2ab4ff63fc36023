"""Lines of JSON in a file of our own, to which is only ever added. Called by rooms, boards, brokers and records.

What participants wrote is read by ``lines`` and ``room.reading`` instead: that may be anything.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what a journal holds, the earliest first; a torn line is none, and a file that is not there holds nothing.

    Nothing but a line feed ends a line: others that do so elsewhere stand in people's messages.
    """
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):  # the computer stopped while it was written
                continue
            if isinstance(entry, dict):
                yield entry


def add(path: Path, *entries: dict[str, Any], make: bool = True, durable: bool = False) -> None:
    """Add entries to a journal: all of them or none.

    Parameters
    ----------
    make : bool
        Make the file, its owner's alone, where there is none.
    durable : bool
        Wait until the disk has it.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk.
    """
    how = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT if make else 0)
    handle = os.open(path, how, 0o600)
    try:
        size = os.fstat(handle).st_size
        content = b"".join(
            f"{json.dumps(entry)}\n".encode() for entry in entries
        )  # ASCII: half a surrogate is one, too
        if size and os.pread(handle, 1, size - 1) != b"\n":  # the computer stopped while the last line was written
            content = b"\n" + content
        if os.write(handle, content) < len(content):
            os.ftruncate(handle, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if durable:
            os.fsync(handle)
    finally:
        os.close(handle)
