"""A progress bar for a run, in a terminal or a notebook, on standard error. Called by the runner as its listener."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from tqdm.auto import tqdm


class Bar:
    """One bar by cells; its text follows what ``run.progress`` says, with the remaining time.

    Parameters
    ----------
    title : str
        What is being run.
    stream : text stream, optional
        Standard error by default; no bar is drawn where it is not a terminal, unless in a notebook.
    """

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self._bar = tqdm(
            total=1, desc=title, unit="cell", file=stream or sys.stderr, bar_format=_FORMAT, disable=_off(stream)
        )

    def __call__(self, event: str, data: dict[str, Any]) -> None:
        """Follow one event of the run."""
        if event == "cell":
            self._bar.total = data["total"]
            self._bar.n = data["index"] + (data["status"] == "completed")
            self._bar.set_postfix_str("")
        elif event == "progress":
            left = "" if data["remaining"] is None else f", {data['remaining']:.0f} s left"
            self._bar.set_postfix_str(f"{data['label']} {data['done']:g}/{data['total']:g}{left}")
        elif event == "collect":
            self._bar.set_postfix_str(f"bringing outputs home {data['done'] / 1e6:.0f}/{data['total'] / 1e6:.0f} MB")

    def close(self) -> None:
        """Leave the bar as it is and go on below it."""
        self._bar.close()


_FORMAT = "{desc} |{bar:20}| {n_fmt}/{total_fmt} cells · {elapsed} {postfix}"


def _off(stream: TextIO | None) -> bool | None:
    """Return None, tqdm's word for "only on a terminal", unless a notebook draws the bar as a widget."""
    from IPython import get_ipython

    return None if get_ipython() is None or stream is not None else False
