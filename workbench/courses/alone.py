"""Execute a dashboard part with nothing but a record, as a visitor's kernel does. Called by the checks of exercises."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from ..runs.context import RUN_DIR_VARIABLE


@dataclass
class Seen:
    """What the dashboard part did when it was executed alone.

    Attributes
    ----------
    names : dict
        Its variables.
    figures : list of tuple
        The arguments of each call of ``genai4eu.widgets.figure``: figure, alternative text, title.
    error : Exception or None
        What stopped it.
    """

    names: dict[str, Any] = field(default_factory=dict)
    figures: list[tuple[Any, str, str]] = field(default_factory=list)
    error: Exception | None = None


def alone(cells: Iterable[tuple[str, str]], keep: Callable[[Path], object]) -> Seen:
    """Execute cells in a space of their own, where ``genai4eu.open_run`` finds one record.

    Parameters
    ----------
    cells : iterable of (str, str)
        Name and source of each.
    keep : callable
        Writes what the study part keeps into the folder that it is given.
    """
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, _recorded(Path(folder), seen):
        (Path(folder) / "outputs").mkdir()
        keep(Path(folder) / "outputs")
        try:
            for name, source in cells:
                exec(compile(source, f"<{name}>", "exec"), seen.names)
        except Exception as error:  # noqa: BLE001  # whatever a participant's code raises is the check's to explain
            seen.error = error
    return seen


@contextlib.contextmanager
def _recorded(folder: Path, seen: Seen) -> Iterator[None]:
    """Let ``open_run`` find a folder, and note figures instead of showing them."""
    import matplotlib.pyplot as plt

    from genai4eu import widgets

    def figure(fig: Any, alt: Any = "", title: Any = "", **_more: Any) -> None:
        alt, title = (next(iter(t.values()), "") if isinstance(t, Mapping) else t or "" for t in (alt, title))
        seen.figures.append((fig, alt, title))

    before, open_before = os.environ.get(RUN_DIR_VARIABLE), set(plt.get_fignums())
    os.environ[RUN_DIR_VARIABLE] = str(folder)
    try:
        with mock.patch.object(widgets, "figure", figure):
            yield
    finally:
        if before is None:
            del os.environ[RUN_DIR_VARIABLE]
        else:
            os.environ[RUN_DIR_VARIABLE] = before
        for number in set(plt.get_fignums()) - open_before:
            plt.close(number)
