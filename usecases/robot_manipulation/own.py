"""Own demonstrations: how well the flow policy and simpler learners foretell what was done. Called by *Your own data*.

Without the robot nothing can be carried out, so this is open loop: a fifth of the episodes is set aside, and each
learner is asked in their states what the demonstrator did. It tells whether a recording is read as meant, and whether
it shows more than one way; it does not tell success.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from ..generative.training import Progress
from .baseline import train_neighbours, train_perceptron
from .features import windows
from .model import train_policy
from .readers import load_demonstrations
from .recording import RecordingError
from .rollout import Policy
from .sizes import Sizes

MOST, DRAWS, STEPS = 2000, 8, 600  # states asked, chunks drawn in each, gradient steps
FEWEST = 5  # episodes, of which one is set aside


def read(path: str | Path) -> xr.Dataset:
    """Read demonstrations that :func:`foretell` can use.

    Called before any training, so that nothing is lost by a recording that cannot be used.

    Raises
    ------
    RecordingError
        If it cannot be read, or has fewer than five episodes.
    """
    shown = load_demonstrations(path)
    _episodes(shown)
    return shown


def foretell(shown: xr.Dataset, sizes: Sizes, seed: int, progress: Progress | None = None) -> pd.DataFrame:
    """Train on four fifths of the episodes, and foretell the actions of the rest.

    Parameters
    ----------
    shown : xarray.Dataset
        From :func:`read`.
    sizes : Sizes
        Sizes of the networks; at most 600 gradient steps are taken.
    seed : int
        Chooses the episodes, and seeds the training.

    Returns
    -------
    pandas.DataFrame
        A row a learner: root mean square error of a chunk, in standard deviations of the actions: of the mean of eight
        drawn chunks, of the nearest of them, and how far they are spread. Learners that do not draw have one number.

    Raises
    ------
    RecordingError
        With fewer than five episodes.
    """
    count = _episodes(shown)
    order = np.random.default_rng([seed, 5]).permutation(count)
    held = np.isin(shown["episode"].values, order[: max(1, count // 5)])
    taught = shown.isel(frame=~held)
    small = dataclasses.replace(sizes, steps=min(sizes.steps, STEPS))
    learners: dict[str, Policy] = {
        "flow": train_policy(taught, small, seed, progress, "training on your data"),
        "nearest neighbour": train_neighbours(taught, small),
        "perceptron": train_perceptron(taught, small, seed),
    }
    histories, chunks = windows(shown.isel(frame=held), small.horizon)
    asked = slice(None, None, max(1, len(histories) // MOST))
    spread = shown["action"].values.std(0) + 1e-9
    return pd.DataFrame(
        {name: _errors(p, histories[asked], chunks[asked] / spread, spread) for name, p in learners.items()}
    ).T


def _episodes(shown: xr.Dataset) -> int:
    count = int(shown["episode"].max()) + 1
    if count < FEWEST:
        raise RecordingError(
            f"{shown.attrs.get('source', 'the recording')} has {count} episodes: at least {FEWEST} are needed"
        )
    return count


def _errors(policy: Policy, histories: np.ndarray, truth: np.ndarray, spread: np.ndarray) -> dict[str, float]:
    draws = range(DRAWS if policy.draws else 1)
    drawn = np.stack([policy.plan(histories, np.random.default_rng(i)) for i in draws]) / spread
    each = np.sqrt(((drawn - truth) ** 2).mean((2, 3)))  # (draw, state)
    return {
        "error of the mean": float(np.sqrt(((drawn.mean(0) - truth) ** 2).mean())),
        "error of the nearest": float(np.sqrt((each.min(0) ** 2).mean())),
        "spread of draws": float(np.sqrt(drawn.var(0).mean())),
    }
