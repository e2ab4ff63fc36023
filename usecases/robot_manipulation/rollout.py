"""Many episodes side by side: the simulator's turn, then the policy's. Called by the study part and the live answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..generative.training import Progress, reproducible
from .environment import ACTION, CUBE, STATE, STEP, KeepOutEnv
from .task import Task

Array = NDArray[np.float64]
LIMIT = 50  # actions an episode: 2 s, twice what a demonstration takes
HISTORY = 2  # states that a policy is told: the last two (Chi et al. 2023)
ABREAST = 32  # simulations at once; each maps 14 MB of address space


class Policy(Protocol):
    """Whoever decides."""

    execute: int
    draws: bool  #: whether it draws, so that the same state may get another answer

    def plan(self, history: Array, generator: np.random.Generator) -> Array:
        """Return a chunk of actions (episode, horizon, 4) for the last states (episode, :data:`HISTORY`, 16)."""
        ...


_FLEET: list[KeepOutEnv] = []


def simulations(count: int) -> list[KeepOutEnv]:
    """Return ``count`` simulations over one model, made once a process; at most :data:`ABREAST`."""
    while len(_FLEET) < count:
        _FLEET.append(_FLEET[0].twin() if _FLEET else KeepOutEnv())
    return _FLEET[:count]


def run_policy(
    policy: Policy,
    tasks: Sequence[Task],
    seed: int,
    noise: float = 0.0,
    progress: Progress | None = None,
    label: str = "trying a policy",
) -> xr.Dataset:
    """Let a policy do tasks.

    Parameters
    ----------
    policy : Policy
        Decides every ``policy.execute`` actions.
    tasks : sequence of Task
        One episode each.
    seed : int
        Seeds what the policy draws and the noise; the same seed gives the same episodes.
    noise : float
        Standard deviation in m of the cube's place as the policy is told it.
    progress : callable, optional
        Called with (episodes done, all, label).

    Returns
    -------
    xarray.Dataset
        From :func:`episodes`.
    """
    parts = []
    # MuJoCo lets go of the interpreter while it computes: as many simulations at a time as there are processors
    with ThreadPoolExecutor(min(os.cpu_count() or 2, ABREAST)) as pool, reproducible(seed):
        for start in range(0, len(tasks), ABREAST):
            some = tasks[start : start + ABREAST]
            parts.append(_abreast(policy, some, np.random.default_rng([seed, start]), noise, pool))
            if progress:
                progress(start + len(some), len(tasks), label)
    return episodes(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]), tasks)


def _abreast(
    policy: Policy, tasks: Sequence[Task], rng: np.random.Generator, noise: float, pool: ThreadPoolExecutor
) -> tuple[Array, Array]:
    """Return states (episode, LIMIT + 1, 16) and actions (episode, LIMIT, 4)."""
    fleet = simulations(len(tasks))
    now = np.stack([env.reset(options={"task": task})[0] for env, task in zip(fleet, tasks, strict=True)])
    states: list[Array] = [now]
    actions: list[Array] = []
    told = np.repeat(_seen(now, noise, rng)[:, None], HISTORY, 1)
    while len(actions) < LIMIT:
        chunk = policy.plan(told, rng)
        for action in np.moveaxis(chunk[:, : policy.execute], 1, 0)[: LIMIT - len(actions)]:
            now = np.stack(list(pool.map(_step, fleet, action)))
            told = np.concatenate([told[:, 1:], _seen(now, noise, rng)[:, None]], 1)
            states.append(now)
            actions.append(action)
    return np.stack(states, 1), np.stack(actions, 1)


def _step(env: KeepOutEnv, action: Array) -> Array:
    return env.step(action)[0]


def _seen(states: Array, noise: float, rng: np.random.Generator) -> Array:
    """Return states with the cube's place as a camera of that noise would see it."""
    if not noise:
        return states
    seen = states.copy()
    seen[:, CUBE] += noise * rng.standard_normal((len(states), 3))
    return seen


def episodes(states: Array, actions: Array, tasks: Sequence[Task]) -> xr.Dataset:
    """Return episodes of one length as a dataset.

    Parameters
    ----------
    states : ndarray, shape (episode, time + 1, 16)
        In the units of :data:`.environment.UNITS`.
    actions : ndarray, shape (episode, time, 4)
        In units of 5 cm; the gripper's -1 shuts, 1 opens.
    tasks : sequence of Task
        One an episode.

    Returns
    -------
    xarray.Dataset
        ``state`` (episode, time, feature), ``action`` (episode, step, axis), with time in s.
    """
    times = STEP * np.arange(states.shape[1])
    return xr.Dataset(
        {
            "state": (("episode", "time", "feature"), states, {"units": "m", "long_name": "state; tool_v* in m/s"}),
            "action": (("episode", "step", "axis"), actions, {"units": "0.05 m"}),
        },
        coords={
            "time": ("time", times, {"units": "s"}),
            "feature": list(STATE),
            "axis": list(ACTION),
            "radius": ("episode", [task.radius for task in tasks], {"units": "m"}),
        },
    )
