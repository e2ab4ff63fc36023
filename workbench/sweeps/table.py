"""The table of a sweep while it runs: on a terminal it lives, elsewhere there is a line for each point that is over.

Called by ``sweep`` as its follower; writes to standard error.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .folder import State, counts
from .pool import Follower
from .request import Request

COLOURS = {
    "completed": "green", "running": "cyan", "failed": "red", "died": "red", "refused": "red", "timeout": "yellow",
    "cancelled": "yellow", "preempted": "yellow", "pending": "dim",
}  # fmt: skip
_BAR = 24
#: Columns that point, status, progress and time need beside the parameters.
_BESIDE = 46


@contextmanager
def following(asked: Request) -> Iterator[Follower]:
    """Draw a sweep for the time of a ``with``."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:  # no thread of its own
        yield Drawing(live, asked.points.varied)


class Lines:
    """One plain line for each point that is over, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[int] | None = None

    def __call__(self, states: list[State], said: dict[int, dict[str, Any]]) -> None:
        """Tell what has come to its end since the last call."""
        over = {state.index for state in states if state.over}
        if self._told is None:
            self._told = {s.index for s in states if s.status == "completed"}
        for index in sorted(over - self._told):
            self._told.add(index)
            state = states[index]
            print(f"{len(self._told)}/{len(states)} {sentence(state)}", file=sys.stderr, flush=True)


def sentence(state: State) -> str:
    """Say in a line how a point ended."""
    took = "" if state.duration is None else f" in {span(state.duration)}"
    why = f": {state.error}" if state.error else ""
    run = f" ({state.run})" if state.run else ""
    return f"{state.status}{took}: {values(state)}{run}{why}"


def values(state: State) -> str:
    """Return a point's values in a line."""
    return " ".join(f"{name}={shown(value)}" for name, value in state.parameters.items()) or "the notebook's own values"


def shown(value: Any) -> str:
    """Return a value as a table has it."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


class Drawing:
    """The living table: running points, the latest that ended, those that went wrong; below it the whole."""

    def __init__(self, live: Live, varied: list[str]) -> None:
        self._live = live
        self._varied = varied
        self._began = time.monotonic()
        self._before: int | None = None
        self._drawn = 0.0

    def __call__(self, states: list[State], said: dict[int, dict[str, Any]]) -> None:
        """Draw, at most four times a second; the last drawing has nothing running."""
        if self._before is None:
            self._before = sum(s.status == "completed" for s in states)
        if said and time.monotonic() - self._drawn < 0.25:
            return
        self._drawn = time.monotonic()
        self._live.update(self.picture(states, said), refresh=True)

    def picture(self, states: list[State], said: dict[int, dict[str, Any]]) -> Group:
        """Return all that is to be seen."""
        height = max(3, self._live.console.height - 5)
        rows = window(states, height)
        names = self._names(rows)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("point", *names, "status", "progress", "time"):
            table.add_column(heading, no_wrap=True, overflow="ellipsis", justify="left")
        for state in rows:
            cells = [str(state.index), *(shown(state.parameters.get(n, "")) for n in names), state.status]
            about = said.get(state.index, {})
            table.add_row(
                *map(Text, [*cells, progress(state, about), _time(state, about)]), style=COLOURS.get(state.status)
            )
        return Group(table, self._whole(states))

    def _names(self, states: list[State]) -> list[str]:
        """Return the varied parameters that there is room for, one at least."""
        room = self._live.console.width - _BESIDE
        widths = [
            2 + max(len(name), *(len(shown(s.parameters.get(name, ""))) for s in states)) for name in self._varied
        ]
        fitting = sum(total <= room for total in itertools.accumulate(widths))
        return self._varied[: max(1, fitting)]

    def _whole(self, states: list[State]) -> Text:
        """Return the line about all points: a bar, how many of each status, the remaining time."""
        over = sum(s.over for s in states)
        full = round(_BAR * over / len(states))
        words = " · ".join(f"{number} {status}" for status, number in counts(states).items())
        text = Text("━" * full, "green") + Text("━" * (_BAR - full), "dim")
        return text.append(f" {over}/{len(states)} · {words}{self._left(states)}", style="default")

    def _left(self, states: list[State]) -> str:
        done = sum(s.status == "completed" for s in states) - (self._before or 0)
        to_do = sum(not s.over for s in states)
        passed = time.monotonic() - self._began
        if not to_do:
            return f" · {span(passed)}"
        return f" · about {span(passed / done * to_do)} left" if done else ""


def window(states: list[State], height: int) -> list[State]:
    """Return the points that are worth the room: running, gone wrong, latest completed, next; in their order."""
    running = [s for s in states if s.status == "running"]
    wrong = [s for s in states if s.over and s.status != "completed"]
    completed = [s for s in states if s.status == "completed"]
    pending = [s for s in states if s.status == "pending"]
    first = [*running, *wrong[-(height // 3 or 1) :]][:height]
    room = height - len(first)
    after = pending[: max(room // 3, room - len(completed))]
    before = completed[-(room - len(after)) :] if room > len(after) else []
    return sorted([*before, *first, *after], key=lambda s: s.index)


def progress(state: State, about: dict[str, Any]) -> str:
    """Return how far a run has come: its cells, and what it says of the long one; of a run that is over, why."""
    if state.over:
        return state.error or ""
    cell, own = about.get("cell"), about.get("progress")
    parts = [about["queue"]] if about.get("queue") else []
    parts += [f"cell {cell['index'] + 1}/{cell['total']}"] if cell else []
    if own and own["total"]:
        left = f", {span(own['remaining'])} left" if own.get("remaining") else ""
        parts.append(f"{own['label']} {100 * own['done'] / own['total']:.0f} %{left}".strip())
    return " · ".join(parts)


def _time(state: State, about: dict[str, Any]) -> str:
    if state.duration is not None and state.over:
        return span(state.duration)
    return span(time.monotonic() - about["since"]) if "since" in about else ""


def span(seconds: float) -> str:
    """Return a time in words that are short."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
