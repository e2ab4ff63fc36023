"""One at a time: a lock that the system lets go of when its holder is gone. Called by whoever changes dashboards."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

NAME = ".lock"


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Be the only one who changes what is in a folder; others wait.

    Raises
    ------
    OSError
        If the folder may not be changed, or is there no more.
    """
    with (folder / NAME).open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if not os.path.samestat(os.fstat(stream.fileno()), (folder / NAME).stat()):
            raise FileNotFoundError(f"{folder} was removed, and made anew, while we waited")
        yield
