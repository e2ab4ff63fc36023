"""Memory that the template's forks share: a page is copied once written into, if only to count who looks at it."""

from __future__ import annotations

import atexit
import ctypes
import gc
import logging
import logging.config
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

import zmq

_MADV_DONTNEED = 4


def rehearse() -> None:
    """Do once what each kernel would do, to the same effect, and for which it would copy memory all over."""
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        finalizer.atexit = False  # the template ends without it, and what it has made is not its forks' to remove
    atexit._clear()
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})  # lets go of the libraries' handlers
    logging.disable(logging.root.manager.disable)  # changes nothing; loggers forget what they knew of their levels
    for cls in (*zmq.Socket.__mro__, *zmq.Context.__mro__):
        getattr(cls, "__annotations__", None)  # makes them, and so changes the class and all that derive from it
    for kind in (int, str, float, list, tuple, type(None), Path):
        issubclass(kind, Mapping)  # asked of what is logged: the first time it looks at every kind of mapping


def share() -> None:
    """Leave memory such that a fork copies little of it."""
    gc.disable()
    gc.collect()
    gc.freeze()  # else the collector would write into every object it looks at
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    _let_go(libc)


def _let_go(libc: ctypes.CDLL) -> None:
    """Unmap the pages of libraries that were read for the imports: the few that are needed are mapped anew."""
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in _unchanged():
        libc.madvise(start, end - start, _MADV_DONTNEED)  # where it cannot be, nothing is lost


def _unchanged() -> Iterator[tuple[int, int]]:
    """Yield where files are mapped that nobody can write into, and nobody has, as the loader does where code moves."""
    start, end, of_file = 0, 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        first, *more = line.split()
        if not first.endswith(":"):
            start, end = (int(part, 16) for part in first.split("-"))
            of_file = len(more) > 4 and more[4].startswith("/") and more[0] in ("r--p", "r-xp")
        elif first == "Anonymous:" and more[0] == "0" and of_file:
            yield start, end
