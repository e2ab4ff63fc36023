"""What the dashboard needs of no record, made before kernels are forked: its modules, and an untrained segmenter."""

from __future__ import annotations

import numpy as np

from ..generative.rehearsal import rehearse as rehearse_all
from . import figures, keep, live, report, volume  # noqa: F401  # what the dashboard part imports
from .segmenter import Segmenter, predict


def rehearse() -> None:
    """Let a segmenter look at noise."""
    rehearse_all()
    predict(Segmenter(), np.random.default_rng(0).random((1, 64, 64), np.float32))
