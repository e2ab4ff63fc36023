"""What learners make of states, and what they make actions from. All methods get these same inputs and targets.

In the task of this study places are taken relative to each other and turned so that the way from the zone to the goal
points along x: what was learned for one place and direction then holds for all. Called by :mod:`.model` and
:mod:`.baseline`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from .environment import STATE, TABLE
from .rollout import HISTORY

Array = NDArray[np.float64]


def relative(states: Array) -> Array:
    """Return what matters of states, whatever the place on the table and the direction of travel.

    Parameters
    ----------
    states : ndarray, shape (..., 16)
        In the order of :data:`.environment.STATE`.

    Returns
    -------
    ndarray, shape (..., 19)
        In the task's frame: vectors from tool to cube, goal and zone, from cube to goal and zone, velocity; then
        radius, clearance of the tool, heights of tool and cube above the table, vertical velocity and opening; in m
        and m/s.
    """
    tool, cube, velocity = states[..., 0:3], states[..., 3:6], states[..., 7:10]
    goal, zone, radius = states[..., 10:12], states[..., 13:15], states[..., 15:16]
    place, held = tool[..., :2], cube[..., :2]
    vectors = [held - place, goal - place, zone - place, goal - held, zone - held, velocity[..., :2]]
    turned = [turn(v, -heading(states)) for v in vectors]
    clearance = np.linalg.norm(zone - place, axis=-1, keepdims=True) - radius
    heights = [tool[..., 2:3] - TABLE, cube[..., 2:3] - TABLE]
    rest = [radius, clearance, *heights, cube[..., 2:3] - tool[..., 2:3], velocity[..., 2:3], states[..., 6:7]]
    return np.concatenate([*turned, *rest], -1)


def heading(states: Array) -> Array:
    """Return the direction (...) from the zone to the goal in rad."""
    off = states[..., 10:12] - states[..., 13:15]
    return np.asarray(np.arctan2(off[..., 1], off[..., 0]))


def turn(vectors: Array, angle: Array) -> Array:
    """Return vectors (..., 2 or more) with x and y turned by ``angle`` (...) in rad."""
    c, s, turned = np.cos(angle), np.sin(angle), vectors.copy()
    turned[..., 0] = c * vectors[..., 0] - s * vectors[..., 1]
    turned[..., 1] = s * vectors[..., 0] + c * vectors[..., 1]
    return turned


@dataclass
class Frame:
    """Turns histories into inputs, and chunks of actions into targets and back.

    Attributes
    ----------
    mean, spread : ndarray, shape (inputs,)
        Of the training inputs, which are standardised with them.
    low, high : ndarray, shape (axes,)
        Limits of the actions that were shown.
    task : bool
        Whether states are those of :data:`.environment.STATE`; others are only standardised.
    """

    mean: Array
    spread: Array
    low: Array
    high: Array
    task: bool

    def inputs(self, history: Array) -> NDArray[np.float32]:
        """Return inputs (n, inputs) of the last states (n, 2, feature)."""
        return ((_flat(history, self.task) - self.mean) / self.spread).astype(np.float32)

    def targets(self, history: Array, chunk: Array) -> NDArray[np.float32]:
        """Return targets (n, horizon * axes) of chunks (n, horizon, axes): turned, or scaled to -1..1."""
        if self.task:
            made = turn(chunk, -heading(history[:, -1])[:, None])
        else:
            made = 2 * (chunk - self.low) / (self.high - self.low) - 1
        return made.reshape(len(chunk), -1).astype(np.float32)

    def actions(self, history: Array, target: Array) -> Array:
        """Return chunks (n, horizon, axes) of targets (n, horizon * axes), within the limits."""
        chunk = np.asarray(target, dtype=np.float64).reshape(len(history), -1, len(self.low))
        if self.task:
            chunk = turn(chunk, heading(history[:, -1])[:, None])
        else:
            chunk = self.low + (chunk + 1) / 2 * (self.high - self.low)
        return np.clip(chunk, self.low, self.high)


def _flat(history: Array, task: bool) -> Array:
    return (relative(history) if task else history).reshape(len(history), -1)


def prepare(shown: xr.Dataset, horizon: int) -> tuple[Frame, NDArray[np.float32], NDArray[np.float32]]:
    """Return what all learners learn from.

    Parameters
    ----------
    shown : xarray.Dataset
        ``state`` (frame, feature), ``action`` (frame, axis), coordinate ``episode``.
    horizon : int
        Actions in a chunk.

    Returns
    -------
    frame : Frame
    inputs : ndarray, shape (frame, inputs)
    targets : ndarray, shape (frame, horizon * axes)
    """
    history, chunks = windows(shown, horizon)
    task = tuple(shown["feature"].values.tolist()) == STATE
    flat, actions = _flat(history, task), shown["action"].values
    low, high = (
        (-np.ones(4), np.ones(4)) if task else (actions.min(0), np.maximum(actions.max(0), actions.min(0) + 1e-9))
    )
    frame = Frame(flat.mean(0), flat.std(0) + 1e-6, low, high, task)
    return frame, frame.inputs(history), frame.targets(history, chunks)


def windows(shown: xr.Dataset, horizon: int) -> tuple[Array, Array]:
    """Cut demonstrations into what a decision sees and what it should answer.

    Returns
    -------
    histories : ndarray, shape (frame, 2, feature)
        Before an episode's start its first state is repeated.
    chunks : ndarray, shape (frame, horizon, axis)
        Beyond an episode's end its last action is repeated, as Chi et al. 2023 do.
    """
    states, actions, episode = shown["state"].values, shown["action"].values, shown["episode"].values
    number = np.arange(len(episode))
    begins = np.searchsorted(episode, episode, "left")
    ends = np.searchsorted(episode, episode, "right") - 1
    past = np.maximum(number[:, None] + np.arange(1 - HISTORY, 1), begins[:, None])
    ahead = np.minimum(number[:, None] + np.arange(horizon), ends[:, None])
    return states[past], actions[ahead]
