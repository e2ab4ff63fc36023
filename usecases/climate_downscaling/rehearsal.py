"""What the dashboard needs of no record, made before kernels are forked: its modules, and a picture of its kind."""

from __future__ import annotations

import io

import numpy as np

from ..generative.rehearsal import rehearse as rehearse_all
from . import figures, keep, live, report  # noqa: F401  # what the dashboard part imports
from .exceedance import exceedance_figure
from .units import DAY


def rehearse() -> None:
    """Draw the chance of rain that nobody measured."""
    rehearse_all()
    rain = (40 * np.random.default_rng(0).random((4, 32, 32), np.float32) / DAY).astype(np.float32)
    whole = (slice(0, 32), slice(0, 32))
    fig, _ = exceedance_figure(rain[0, ::4, ::4], rain[0], rain, 20, whole, "Everywhere", 100, 1000)
    fig.savefig(io.BytesIO(), format="png", dpi=100)
