"""The TrajectoryPlayer: motions past a keep-out zone, seen from above, to play and to scrub. Called by templates.

Plain arrays in, one small script of our own (``trajectories.js``), nothing fetched. Where no script runs, as on a
frozen page or in an exported notebook, the picture that the caller passes is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets


class TrajectoryPlayer(anywidget.AnyWidget):
    """Fans of motions side by side, which all move at the same time.

    Parameters
    ----------
    panels : sequence of mapping
        One a fan: ``title``; ``ways``, (motion, time, 2) places in ``unit``; ``marked``, (motion) whether a motion
        entered the zone: it is drawn dashed and in another colour.
    zone : tuple of float
        x, y and radius of the keep-out zone in ``unit``.
    goal : tuple of float
        x, y of the goal in ``unit``.
    step : float
        Time between two places in s.
    alt : str
        The finding, then what is drawn, then its range; read aloud to who cannot see it.
    unit : str
        Unit of length.
    fallback : str
        HTML shown where no script runs, for example of :func:`.figures.figure_html`.

    Raises
    ------
    ValueError
        If there is no panel, a panel's arrays do not fit, places are no numbers, or there is no alternative text.
    """

    _esm = Path(__file__).with_name("trajectories.js")
    panels = traitlets.List().tag(sync=True)
    zone = traitlets.List().tag(sync=True)
    goal = traitlets.List().tag(sync=True)
    step = traitlets.Float(0.04).tag(sync=True)
    unit = traitlets.Unicode("cm").tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    #: Which place of the motions is shown; moves with the slider.
    frame = traitlets.Int(0).tag(sync=True)
    #: The picture of a page that runs no script; publishing looks for it under this name.
    value = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        panels: Sequence[Mapping[str, Any]],
        zone: Sequence[float],
        goal: Sequence[float],
        step: float,
        alt: str,
        unit: str = "cm",
        fallback: str = "",
    ) -> None:
        if not panels:
            raise ValueError("there is no motion to play: pass at least one panel")
        if not alt.strip():
            raise ValueError("a player needs alternative text: pass alt='finding, kind of figure, range'")
        shown = [_shown(panel) for panel in panels]
        last = max(len(way) for panel in shown for way in panel["ways"]) - 1
        super().__init__(
            panels=shown, zone=[float(v) for v in zone], goal=[float(v) for v in goal], step=float(step), alt=alt,
            unit=unit, value=fallback, frame=last,
        )  # fmt: skip

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """Add the picture and the words for whoever shows no widgets."""
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:  # no front end that shows widgets was found
            bundle = ({}, {})
        words = {"text/plain": self.alt} | ({"text/html": self.value} if self.value else {})
        return {**bundle[0], **words}, bundle[1]


def _shown(panel: Mapping[str, Any]) -> dict[str, Any]:
    """Return a panel as plain lists, rounded to what a screen shows."""
    title, ways = str(panel["title"]), np.asarray(panel["ways"], dtype=float)
    if ways.ndim != 3 or ways.shape[-1] != 2 or not ways.size:
        shape = " x ".join(map(str, ways.shape))
        raise ValueError(f"{title}: ways are (motion, time, 2), not {shape}")
    if not np.isfinite(ways).all():
        raise ValueError(f"{title}: ways hold values that are no numbers: leave those motions out")
    marked = [bool(m) for m in panel.get("marked", [False] * len(ways))]
    if len(marked) != len(ways):
        raise ValueError(f"{title}: {len(marked)} marks for {len(ways)} ways: give one each")
    return {"title": title, "ways": ways.round(2).tolist(), "marked": marked}
