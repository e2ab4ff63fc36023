"""What IPython reads of a whole process, and a kernel leaves unread: looking at an object copies its page of memory."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Modules:
    """Stands for ``sys``, and for its ``modules`` that seem to be none."""

    @property
    def modules(self) -> _Modules:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(sys, name, value)

    def copy(self) -> dict[str, Any]:
        return {}

    def keys(self) -> list[str]:
        return []


@contextmanager
def modules_unread(where: Any) -> Iterator[None]:
    """Keep code of the module ``where`` from asking four thousand modules for their names, or files: that is 30 MB."""
    where.sys = _Modules()
    try:
        yield
    finally:
        where.sys = sys


class _Loggers:
    """Stands for the list of all loggers: they are found by name, and not listed."""

    def __init__(self, loggers: dict[str, Any]) -> None:
        self._loggers = loggers

    def __contains__(self, name: str) -> bool:
        return name in self._loggers

    def __getitem__(self, name: str) -> Any:
        return self._loggers[name]

    def __setitem__(self, name: str, logger: Any) -> None:
        self._loggers[name] = logger

    def keys(self) -> tuple[str, ...]:
        return ()

    def values(self) -> tuple[Any, ...]:
        return ()


@contextmanager
def loggers_unread() -> Iterator[None]:
    """Keep the set-up of one log from visiting all others: an ordinary kernel has none yet."""
    manager: Any = logging.root.manager
    loggers = manager.loggerDict
    manager.loggerDict = _Loggers(loggers)
    try:
        yield
    finally:
        manager.loggerDict = loggers
