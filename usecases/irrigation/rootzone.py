"""AquaCrop's root-zone water, with the same numbers in a fraction of the time. Called by :mod:`.season`.

aquacrop 3.1 spends more than half of a season in ``root_zone_water``, which rounds six storages of every soil layer
five times a day, five of which change only with the depth of the roots. This version keeps those, and rounds the sixth
in one call. A test holds that seasons come out the same bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

#: Where aquacrop has the function by name.
USERS = (
    "aquacrop.solution.harvest_index",
    "aquacrop.solution.irrigation",
    "aquacrop.solution.canopy_cover",
    "aquacrop.solution.transpiration",
    "aquacrop.timestep.run_single_timestep",
)
NAME = "root_zone_water"


class RootZone:
    """Stands in for ``root_zone_water``; remembers the soil that it was called with last."""

    def __init__(self) -> None:
        self._soil: Any = None
        self._kept: dict[tuple[float, float, float], Any] = {}

    def __call__(self, prof: Any, depth: float, th: Any, top: float, least: float, aeration: float) -> tuple[Any, ...]:
        """Take and return what ``aquacrop.solution.root_zone_water`` does."""
        if prof is not self._soil:
            self._soil, self._kept = prof, {}
        key = (round(np.maximum(depth, least), 2), aeration, top)
        if key not in self._kept:
            self._kept[key] = _constants(prof, *key)
        rootdepth, n, factor, constant, surface = self._kept[key]
        w_act = np.float64(max(sum(np.round(factor * th[:n] * prof.dz[:n], 2).tolist()), 0))
        w_s, w_fc, w_wp, w_dry, w_aer = constant
        taw = max(w_fc - w_wp, 0.0)
        depletion = min(w_fc - w_act, taw)
        metre = rootdepth * 1000
        if surface is None:
            top_depletion, top_taw = depletion, taw
        else:
            layers, fc, wp = surface
            act = max(sum((1000 * th[:layers] * prof.dz[:layers]).tolist()), 0)
            top_taw = max(fc - wp, 0)
            top_depletion = min(fc - act, top_taw)
        shares = (w_act / metre, w_s / metre, w_fc / metre, w_wp / metre, w_dry / metre, w_aer / metre)
        return w_act, top_depletion, depletion, top_taw, taw, *shares


def _constants(prof: Any, rootdepth: float, aeration: float, top: float) -> Any:
    """Return what depends on the soil and the depth of the roots alone."""
    n = int(np.argwhere(prof.dzsum >= rootdepth).flatten()[0]) + 1
    over = prof.dzsum[:n] > rootdepth
    factor = np.where(over, 1 - ((prof.dzsum[:n] - rootdepth) / prof.dz[:n]), 1.0) * 1000
    contents = (prof.th_s[:n], prof.th_fc[:n], prof.th_wp[:n], prof.th_dry[:n], prof.th_s[:n] - aeration / 100)
    constant = [np.float64(sum(np.round(factor * c * prof.dz[:n], 2).tolist())) for c in contents]
    surface = None
    if rootdepth > top:
        layers = int(np.sum(prof.dzsum <= round(top, 2)))
        surface = (layers, *(sum((1000 * c[:layers] * prof.dz[:layers]).tolist()) for c in (prof.th_fc, prof.th_wp)))
    return rootdepth, n, factor, constant, surface


@contextmanager
def quick() -> Iterator[None]:
    """Let aquacrop use :class:`RootZone` within, and put its own function back afterwards."""
    modules = [import_module(name) for name in USERS]
    before = [getattr(module, NAME) for module in modules]
    mine = RootZone()
    try:
        for module in modules:
            setattr(module, NAME, mine)
        yield
    finally:
        for module, own in zip(modules, before, strict=True):
            setattr(module, NAME, own)
