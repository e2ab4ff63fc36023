"""What the dashboard needs of no record, made before kernels are forked: modules, and the simulations of the robot."""

from __future__ import annotations

from ..generative.rehearsal import rehearse as rehearse_all
from . import figures, keep, live, report  # noqa: F401  # what the dashboard part imports
from .rollout import simulations
from .task import draw_task


def rehearse() -> None:
    """Make the simulations that an answer needs, and move each."""
    import numpy as np

    rehearse_all()
    for env in simulations(live.TIMES):
        env.reset(options={"task": draw_task("test", np.random.default_rng(0))})
        env.step(np.zeros(4))
