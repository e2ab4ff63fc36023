"""The live answer: a stored policy does a task of the visitor's, a few times. Called by the dashboard's controls.

Needs torch and MuJoCo, but neither scikit-learn nor the template: everything else comes from the record.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import xarray as xr
from matplotlib.figure import Figure

from .evaluate import outcomes
from .figures import draw_answer
from .keep import stored_counts
from .model import FlowPolicy, load_policy
from .rollout import run_policy
from .task import HOME, Task

_ACROSS = "How far from the straight way; beyond 2 cm was never shown."
TIMES = 8  # episodes an answer: what a second has room for


@lru_cache(maxsize=16)
def _policy(outputs: Path, count: int) -> FlowPolicy:
    return load_policy(outputs / "policies" / f"flow-{count}.safetensors")


def carry(
    outputs: Path | str, count: int, radius: float, across: float, noise: float, steps: int, execute: int
) -> xr.Dataset:
    """Let a stored policy carry the cube to the left of the robot, past a zone of the visitor's.

    Parameters
    ----------
    outputs : path
        Outputs of the record.
    count : int
        Which stored policy: demonstrations it was trained on.
    radius : float
        Radius of the zone in cm.
    across : float
        How far the zone stands beside the straight way, in cm; positive is left in the direction of travel.
    noise : float
        Standard deviation in cm of the cube's place as the policy is told it.
    steps : int
        Euler steps from noise to a chunk of actions.
    execute : int
        Actions carried out before the next decision.

    Returns
    -------
    xarray.Dataset
        From :func:`.rollout.run_policy`.
    """
    policy = _policy(Path(outputs), count)
    longest = policy.network.shape["chunk"] // len(policy.frame.low)
    policy = FlowPolicy(policy.network, policy.frame, min(execute, longest), steps)
    # the travel goes along +y, and left of it is -x
    task = Task(HOME, (HOME[0], HOME[1] + 0.30), (HOME[0] - across / 100, HOME[1] + 0.155), radius / 100)
    return run_policy(policy, [task] * TIMES, 0, noise / 100)


def respond(
    outputs: Path | str, radius: float, count: int, across: float, noise: float, steps: int, execute: int
) -> tuple[Figure, str]:
    """Draw the ways of :func:`carry`, whose parameters these are; return figure and alternative text."""
    done = carry(outputs, count, radius, across, noise, steps, execute)
    state = done["state"].values
    words = f"{count} demonstrations, zone {radius:g} cm, noise {noise:g} cm, {steps} solver steps"
    return draw_answer(
        state[..., 0:6], state[:, 0][:, [13, 14, 15, 10, 11]], int(outcomes(done)["success"].sum()), words
    )


def controls(outputs: Path | str, choice: Callable[..., Any], span: Callable[..., Any]) -> dict[str, Any]:
    """Return the dashboard's controls by argument name of :func:`respond`.

    Parameters
    ----------
    outputs : path
        Outputs of the record: only what it stores can be chosen.
    choice, span : callable
        Makers of a choice and of a slider, ``genai4eu.widgets.Choice`` and ``Range``; handed in, so that the science
        needs no widgets.
    """
    counts = {str(n): n for n in stored_counts(Path(outputs))}
    return {
        "radius": span("Zone radius", 3, 10, step=1, value=6, unit="cm", help="How large the keep-out zone is."),
        "count": choice("Demonstrations", counts, value=max(counts.values()), help="How often the task was shown."),
        "across": span("Zone to the side", -4, 4, step=1, value=0, unit="cm", help=_ACROSS),
        "noise": span("Camera noise", 0, 2, step=0.25, value=0, unit="cm", help="Error of the cube's place as told."),
        "steps": span("Solver steps", 1, 20, step=1, value=8, help="From noise to a plan; more cost time."),
        "execute": span("Actions a decision", 1, 8, step=1, value=4, help="Carried out before looking again."),
    }  # fmt: skip
