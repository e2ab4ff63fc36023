"""The ScenarioBoard: what-if controls with outcome bars and a frontier, each with its spread. Called by templates.

Plain tables in, one small script of our own (``board.js``), nothing fetched. The controls are the Explorer's. Where no
script runs, as on a frozen page, the picture that the caller passes is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import traitlets

from .controls import Control
from .explorer import Explorer
from .scenarios import Outcome, Table, bars, frontier, rows, sentence


class Board(anywidget.AnyWidget):
    """The board's drawing: bars of one scenario and the frontier of all. Made by the ScenarioBoard alone."""

    _esm = Path(__file__).with_name("board.js")
    bars = traitlets.List().tag(sync=True)
    points = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)
    best = traitlets.Int(-1).tag(sync=True)
    axes = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)
    #: The scenario that a visitor picked on the frontier.
    picked = traitlets.Int(-1).tag(sync=True)
    #: The picture of a page that runs no script; publishing looks for it under this name.
    value = traitlets.Unicode("").tag(sync=True)


class ScenarioBoard(Explorer):
    """What-if controls, the outcomes of the chosen scenario as bars, and the frontier that all scenarios make.

    Parameters
    ----------
    scenarios : table or callable
        A table has a column for each setting and outcome, one row a scenario: a mapping of names to columns, or a
        ``pandas.DataFrame``. An outcome's spread stands in columns ``NAME_low`` and ``NAME_high``. A callable is asked
        with one keyword argument a control and answers with such a table, for example from a trained model; what it
        raises is shown as a sentence. Of a table, the rows are shown that agree with all controls but ``along``.
    controls : mapping of str to Range or Choice
        By setting, the most important first; three are in sight.
    outcomes : mapping of str to Outcome
        By column, in the order of the bars.
    along : str
        The setting that the frontier follows.
    axes : tuple of str
        Outcomes on the frontier's horizontal and vertical axis.
    best : str, optional
        The outcome whose highest value is marked on the frontier.
    spread : str
        What the spread is: ``"10th to 90th percentile of years"``.
    note : str
        What the visitor should know of how the numbers came about.
    fallback : str
        HTML shown where no script runs, for example of :func:`.figures.figure_html`, for the initial settings.
    words : mapping of str to mapping of str to str, optional
        Words of the controls in further languages, as of :class:`.explorer.Explorer`.

    Raises
    ------
    ValueError
        If ``along`` is no control, or an axis, or ``best``, is no outcome.
    """

    def __init__(
        self,
        scenarios: Table | Callable[..., Table],
        controls: Mapping[str, Control],
        outcomes: Mapping[str, Outcome],
        along: str,
        axes: tuple[str, str],
        best: str = "",
        spread: str = "",
        note: str = "",
        fallback: str = "",
        words: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        if along not in controls:
            raise ValueError(f"the frontier follows {along!r}, which is no control: choose among {', '.join(controls)}")
        for name in (*axes, *([best] if best else [])):
            if name not in outcomes:
                raise ValueError(f"{name!r} is no outcome: choose among {', '.join(outcomes)}")
        if not callable(scenarios):
            rows(scenarios, {}, along, outcomes)  # so that a wrong table is refused here, and not said on the page
        self._scenarios, self._outcomes, self._along = scenarios, dict(outcomes), along
        self._axes, self._best, self._spread, self._note, self._fallback = axes, best, spread, note, fallback
        super().__init__(self._answer, words=words, **controls)
        self._picture.observe(self._pick, names="picked")

    def _blank(self) -> ipywidgets.DOMWidget:
        return Board(value=self._fallback)

    def _answer(self, **settings: Any) -> list[dict[str, Any]]:
        """Return the scenarios of these settings, one row each, in the order of the frontier."""
        asked = self._scenarios
        table = asked(**settings) if callable(asked) else asked
        return rows(table, {} if callable(asked) else settings, self._along, self._outcomes)

    def _show(self, drawn: Any) -> None:
        setting, (x, y) = self.values[self._along], self._axes
        chosen = next((i for i, row in enumerate(drawn) if row[self._along] == setting), None)
        if chosen is None:
            raise ValueError(f"no scenario is known for {self._controls[self._along].text(setting)}.")
        best = max(range(len(drawn)), key=lambda i: drawn[i][self._best]) if self._best else -1
        control = self._controls[self._along]
        named = [control.text(row[self._along]) for row in drawn]
        told, short = f"{control.label} {named[chosen]}", {name: self._outcomes[name] for name in (y, x)}
        title, full = sentence(told, drawn[chosen], short, False), sentence(told, drawn[chosen], self._outcomes)
        goal = f"Highest {self._outcomes[self._best].label.lower()} at {named[best]}." if self._best else ""
        board: Any = self._picture
        with board.hold_sync():
            board.bars = bars(drawn, chosen, self._outcomes)
            board.points = [
                {**point, "name": name, "at": row[self._along]}
                for point, name, row in zip(frontier(drawn, x, y, self._outcomes), named, drawn, strict=True)
            ]
            board.axes = {"x": self._outcomes[x].named, "y": self._outcomes[y].named}
            board.words = {
                "title": title, "goal": goal, "spread": self._spread, "note": self._note, "along": control.label,
                "alt": self._alt(full, goal, drawn),
            }  # fmt: skip
            board.chosen, board.best, board.picked = chosen, best, -1

    def _alt(self, title: str, goal: str, drawn: list[dict[str, Any]]) -> str:
        """Return the finding, then what is drawn, then its range."""
        x, y = (self._outcomes[name] for name in self._axes)
        reach = [float(row[self._axes[0]]) for row in drawn]
        band = f" with a band, {self._spread}" if self._spread else ""
        return (
            f"{title} {goal} {y.label} by {x.label.lower()} for {len(drawn)} scenarios{band}, "
            f"from {x.text(min(reach))} to {x.text(max(reach))}."
        )

    def _pick(self, change: Any) -> None:
        """Move the control to the scenario that was picked on the frontier."""
        if 0 <= change.new < len(self._picture.points):
            self._widgets[self._along].value = self._picture.points[change.new]["at"]

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Add the answer to the words for whoever shows no widgets."""
        data = super()._repr_mimebundle_(**options)
        return {**data, "text/plain": f"{self._picture.words.get('alt', '')} {data['text/plain']}".strip()}
