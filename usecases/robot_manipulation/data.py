"""Demonstrations by the scripted expert, made in seconds, and what the expert itself reaches. Called by the study part.

Training demonstrations are made with disturbances: the hand is pushed by about a centimetre a step, while the action
that the expert meant is what is recorded (DART, Laskey et al. 2017, arXiv:1703.09327). So learners see how to come back
to the way, which is what small sets of clean demonstrations never show. Whatever failed is shown to nobody.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..generative.training import Progress
from .environment import ACTION, CUBE, GOAL, REACHED, STATE, STEP
from .expert import Expert
from .rollout import LIMIT, episodes, simulations
from .task import SPLITS, Task, draw_task

Array = NDArray[np.float64]
PUSH = 0.2  # standard deviation of the disturbance, in actions of 5 cm
MARGINS = (0.03, 0.045)  # m that the expert keeps from the zone


def demonstrations(count: int, seed: int, progress: Progress | None = None) -> xr.Dataset:
    """Make demonstrations.

    Parameters
    ----------
    count : int
        Successful episodes, on training placements.
    seed : int
        The same seed gives the same episodes; the first ones are the same whatever the count.
    progress : callable, optional
        Called with (done, total, label).

    Returns
    -------
    xarray.Dataset
        Frames of all episodes one after the other, as robot-learning formats keep them: ``state`` (frame, feature),
        ``action`` (frame, axis), with coordinates ``episode`` and ``time`` (s) of each frame. Attribute ``tried``: how
        many episodes it took.
    """
    states: list[Array] = []
    actions: list[Array] = []
    tried = 0
    while len(states) < count:
        rng = np.random.default_rng([seed, SPLITS.index("train"), 7, tried])
        task = draw_task("train", rng)
        tried += 1
        seen, done = _show(task, rng, PUSH)
        if _fine(seen):
            states.append(seen[:-1])
            actions.append(done)
            if progress and (len(states) % 10 == 0 or len(states) == count):
                progress(len(states), count, "showing the task")
    return frames(states, actions).assign_attrs(tried=tried)


def run_expert(tasks: list[Task], seed: int, progress: Progress | None = None) -> xr.Dataset:
    """Let the expert do tasks undisturbed: the reference. Returns episodes as :func:`.rollout.run_policy` does."""
    states, actions = [], []
    for number, task in enumerate(tasks):
        seen, done = _show(task, np.random.default_rng([seed, 99, number]), 0.0, whole=True)
        states.append(seen)
        actions.append(done)
        if progress and (number % 10 == 9 or number + 1 == len(tasks)):
            progress(number + 1, len(tasks), "trying the expert")
    return episodes(np.stack(states), np.stack(actions), tasks)


def _show(task: Task, rng: np.random.Generator, push: float, whole: bool = False) -> tuple[Array, Array]:
    """Return states (time + 1, 16) and the actions meant (time, 4) of one episode; ``whole`` goes on to the limit."""
    env = simulations(1)[0]
    expert = Expert(int(rng.choice([-1, 1])), float(rng.uniform(*MARGINS)))
    states: list[Array] = [env.reset(options={"task": task})[0]]
    actions: list[Array] = []
    while len(actions) < LIMIT and (whole or not expert.done):
        action = expert.act(states[-1])
        pushed = action + push * np.array([*rng.standard_normal(3), 0.0])
        states.append(env.step(pushed)[0])
        actions.append(action)
    return np.array(states), np.array(actions)


def _fine(states: Array) -> bool:
    """Whether the cube ended at its goal and neither it nor the tool was in the zone."""
    apart = np.linalg.norm(np.stack([states[:, 0:2], states[:, 3:5]]) - states[:, 13:15], axis=-1)
    at_goal = np.linalg.norm(states[-1, CUBE] - states[-1, GOAL]) < REACHED
    return bool(at_goal and (apart > states[:, 15]).all())


def frames(states: list[Array], actions: list[Array]) -> xr.Dataset:
    """Return episodes of different lengths as one dataset of frames; see :func:`demonstrations`."""
    lengths = [len(a) for a in actions]
    return xr.Dataset(
        {
            "state": (("frame", "feature"), np.concatenate(states), {"units": "m", "long_name": "tool_v* in m/s"}),
            "action": (("frame", "axis"), np.concatenate(actions), {"units": "0.05 m"}),
        },
        coords={
            "episode": ("frame", np.repeat(np.arange(len(lengths)), lengths)),
            "time": ("frame", np.concatenate([STEP * np.arange(n) for n in lengths]), {"units": "s"}),
            "feature": list(STATE),
            "axis": list(ACTION),
        },
    )


def first(shown: xr.Dataset, count: int) -> xr.Dataset:
    """Return the frames of the first ``count`` episodes."""
    return shown.isel(frame=shown["episode"].values < count)
