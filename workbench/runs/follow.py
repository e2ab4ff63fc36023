"""What the cells of a run print, as it comes: to the terminal, or into a log. Called by the runner as its listener."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from .session import Listener


class Stream(Protocol):
    """What can be written to."""

    def write(self, text: str, /) -> int:
        """Write a text."""

    def flush(self) -> None:
        """Hand on what was written."""


#: Colours and other commands to a terminal, which cells may print.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Follower:
    """Writes what cells print and show, with a line before each cell.

    Parameters
    ----------
    out, err : text stream
        Where the cells' standard output and results go, and their standard error and everything else.
    plain : bool
        Whether commands to a terminal are left out.
    before : callable, optional
        Called before anything is written, to take a progress bar off the terminal.
    """

    def __init__(self, out: Stream, err: Stream, plain: bool, before: Callable[[], None] = lambda: None) -> None:
        self._out = out
        self._err = err
        self._plain = plain
        self._before = before
        self._middle: Stream | None = None  # the stream that stands in the middle of a line

    def __call__(self, event: str, data: dict[str, Any]) -> None:
        """Follow one event of the run."""
        if event == "cell" and data["status"] == "running" and data["type"] == "code":
            self._line(self._err, f"[{data['index'] + 1}/{data['total']}] {_name(data)}")
        elif event == "stream":
            self._write(self._err if data["name"] == "stderr" else self._out, data["text"])
        elif event == "output" and data["text"]:
            self._line(self._err if data["kind"] == "error" else self._out, data["text"])
        elif event == "attempt":
            self._line(self._err, f"attempt {data['number']}: the one before {data['status']} ({data['error']})")

    def _line(self, stream: Stream, text: str) -> None:
        self._write(stream, text if text.endswith("\n") else f"{text}\n")

    def _write(self, stream: Stream, text: str) -> None:
        self._before()
        if self._middle is not None and self._middle is not stream:
            self._middle.write("\n")
        stream.write(_ESCAPES.sub("", text) if self._plain else text)
        stream.flush()
        self._middle = None if text.endswith("\n") else stream


def _name(cell: dict[str, Any]) -> str:
    """Return the first line of a cell that says something; the cell that a run adds has no line of its author's."""
    if cell["injected"]:
        return "parameters"
    lines = [line for line in str(cell["source"]).splitlines() if line.strip()] or [""]
    return lines[0][:80]


class LogFile:
    """The log of a record as a stream: an attempt's log moves away with it, so that it is opened for each text."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, text: str) -> int:
        """Append a text."""
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            return stream.write(text)

    def flush(self) -> None:
        """Do nothing: it is written."""


def every(*listeners: Listener) -> Listener:
    """Return a listener that tells all of these."""

    def listen(event: str, data: dict[str, Any]) -> None:
        for listener in listeners:
            listener(event, data)

    return listen
