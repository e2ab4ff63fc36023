"""Read over what a kernel's process writes to its standard streams, below Python. Called by redact, once a process."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import os
import select
import sys
import threading
from collections.abc import Callable

#: Milliseconds after which bytes are passed on that only look like the beginning of a secret.
PATIENCE = 500


def watch(replaced: Callable[[bytes], bytes], held_back: Callable[[bytes], int]) -> None:
    """Put a reader into both standard streams, and into the copies that ipykernel keeps of the original ones."""
    copies = [getattr(stream, "_original_stdstream_copy", None) for stream in (sys.stdout, sys.stderr)]
    for stream in (sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):  # it may be closed
            if stream is not None:
                stream.flush()
    for number in {1, 2, *(c for c in copies if c is not None)}:
        with contextlib.suppress(OSError):  # a process without this stream has nothing to read over
            reader = _Reader(number, replaced, held_back)
            if number == (copies[1] or 2) and faulthandler.is_enabled():
                faulthandler.enable(reader.onward)  # what a crash says holds no values, and no thread survives it


class _Reader:
    """Reads what is written to a descriptor and passes it on to where that led before."""

    def __init__(self, number: int, replaced: Callable[[bytes], bytes], held_back: Callable[[bytes], int]) -> None:
        self._replaced, self._held_back = replaced, held_back
        self._number, self.onward = number, os.dup(number)
        self._read, write = os.pipe()
        os.dup2(write, number)
        os.close(write)
        self._thread = threading.Thread(target=self._pass_on, name=f"redact-{number}", daemon=True)
        self._thread.start()
        atexit.register(self._close)

    def _pass_on(self) -> None:
        waiting = b""
        poll = select.poll()  # select.select knows no more than 1024 open files
        poll.register(self._read, select.POLLIN)
        while True:
            ready = poll.poll(PATIENCE if waiting else None)
            new = os.read(self._read, 65536) if ready else b""
            if ready and not new:
                break
            waiting = self._replaced(waiting + new)
            kept = self._held_back(waiting) if new else 0
            self._write(waiting[: len(waiting) - kept])
            waiting = waiting[len(waiting) - kept :]
        self._write(waiting)

    def _write(self, content: bytes) -> None:
        with contextlib.suppress(OSError):  # whoever read it has gone
            while content:
                content = content[os.write(self.onward, content) :]

    def _close(self) -> None:
        """Give the descriptor back, and pass on what is still under way."""
        os.dup2(self.onward, self._number, inheritable=False)
        self._thread.join(1)
