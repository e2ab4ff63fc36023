"""How far a run has come, on standard error: a bar in a terminal or a notebook. A listener of the runner."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

import tqdm

_FORMAT = "{desc} |{bar:20}| {n:.3g}/{total_fmt} cells · {elapsed}{postfix}"
#: Seconds between two drawings of the bar, whatever a cell reports.
_DRAW_EVERY = 0.1


class Bar:
    """One bar by cells, within a cell by what ``run.progress`` says, with the remaining time.

    Parameters
    ----------
    title : str
        What is being run.
    stream : text stream, optional
        Standard error by default; no bar is drawn where it is not a terminal, unless in a notebook.
    """

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._out = out = stream or sys.stderr
        self._bar = _drawn_by(stream)(
            total=1, desc=title, unit="cell", file=out, bar_format=_FORMAT, disable=_off(stream)
        )
        self._index = 0
        self._drawn = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(self, event: str, data: dict[str, Any]) -> None:
        """Follow one event of the run."""
        if event == "cell":
            self._index = data["index"]
            self._bar.total = data["total"]
            self._show(data["index"] + (data["status"] == "completed"), "", now=True)
        elif event == "progress":
            share = min(1.0, data["done"] / data["total"]) if data["total"] else 0.0
            self._show(self._index + share, _said(data), now=share == 1.0)
        elif event == "collect":
            home = f"bringing outputs home {data['done'] / 1e6:.0f}/{data['total'] / 1e6:.0f} MB"
            self._show(self._bar.n, home)
        elif event == "attempt":
            self._show(0, f"attempt {data['number']}: the one before {data['status']}", now=True)
        elif event == "notice":
            self._bar.write(f"genai4eu: {data['text']}", file=self._out)

    def _show(self, done: float, text: str, now: bool = False) -> None:
        if not now and time.monotonic() - self._drawn < _DRAW_EVERY:
            return
        self._drawn = time.monotonic()
        self._bar.n = done
        self._bar.set_postfix_str(text)

    def clear(self) -> None:
        """Take the bar off the terminal, so that something else can be printed; the next event draws it again."""
        self._bar.clear()

    def close(self) -> None:
        """Leave the bar as it is and go on below it."""
        self._bar.close()


def _said(data: dict[str, Any]) -> str:
    left = "" if data["remaining"] is None else f", {clock(data['remaining'])} left"
    return f"{data['label']} {data['done']:g}/{data['total']:g}{left}".strip()


def clock(seconds: float) -> str:
    """Return a time as a person reads it: ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _drawn_by(stream: TextIO | None) -> Any:
    """Return what draws the bar: a widget for who executes cells of a kernel, letters for all others.

    ``tqdm.auto`` would ask whether ipykernel is imported, which it also is where kernels are only spoken to.
    """
    from IPython import get_ipython

    if stream is not None or not hasattr(get_ipython(), "kernel"):
        return tqdm.tqdm
    from tqdm.notebook import tqdm as widget

    return widget


def _off(stream: TextIO | None) -> bool | None:
    """Return None, tqdm's word for "only on a terminal", unless a notebook draws the bar as a widget."""
    from IPython import get_ipython

    return None if get_ipython() is None or stream is not None else False
