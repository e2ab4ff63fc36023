"""Recorded demonstrations as a dataset of frames, whatever format they came from. Called by the format readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]
LARGEST = 1e9  # no unit that a robot is told or tells in has larger numbers
SLOWEST = 10.0  # s between frames, above which times are in another unit


class RecordingError(ValueError):
    """A recording that cannot be read; the message names the file and the remedy."""


class RecordingNotFoundError(RecordingError, FileNotFoundError):
    """Nothing is at the path."""


def first_line(error: BaseException) -> str:
    """Return what an error says, on one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def to_frames(
    path: Path,
    kind: str,
    states: Sequence[Any],
    actions: Sequence[Any],
    times: Sequence[Any],
    features: Sequence[str] | None = None,
    axes: Sequence[str] | None = None,
) -> xr.Dataset:
    """Join episodes, after looking at every one.

    Parameters
    ----------
    path : Path
        Where they came from, for messages.
    kind : str
        Name of the format.
    states, actions, times : sequence of array
        One an episode: (time, feature), (time, axis) and seconds (time).
    features, axes : sequence of str, optional
        Names where the format has them.

    Returns
    -------
    xarray.Dataset
        ``state`` (frame, feature) and ``action`` (frame, axis), float64, in the recording's own units, which these
        formats do not say; coordinates ``episode`` and ``time`` (s).

    Raises
    ------
    RecordingError
        If there is no episode, or one has fewer than two frames, differing lengths or sizes, values that are no numbers
        or absurdly large, or times that do not rise; or if all actions are the same.
    """
    if not states:
        raise RecordingError(f"{path} holds no episode: record at least one, or give the folder above")
    matrices = [_matrix(path, i, "state", s) for i, s in enumerate(states)]
    moves = [_matrix(path, i, "action", a) for i, a in enumerate(actions)]
    clocks = [np.asarray(t, dtype=np.float64) for t in times]
    for i, (state, move, clock) in enumerate(zip(matrices, moves, clocks, strict=True)):
        _check(path, i, state, move, clock, (matrices[0].shape[1], moves[0].shape[1]))
    if all((move == moves[0][0]).all() for move in moves):
        raise RecordingError(f"{path}: all actions are the same: record what the robot was told, not a constant")
    return xr.Dataset(
        {
            "state": (("frame", "feature"), np.concatenate(matrices)),
            "action": (("frame", "axis"), np.concatenate(moves)),
        },
        coords={
            "episode": ("frame", np.repeat(np.arange(len(moves)), [len(m) for m in moves])),
            "time": ("frame", np.concatenate([clock - clock[0] for clock in clocks]), {"units": "s"}),
            "feature": _names(features, "state", matrices[0].shape[1]),
            "axis": _names(axes, "action", moves[0].shape[1]),
        },
        attrs={"source": path.name, "format": kind},
    )


def _matrix(path: Path, episode: int, what: str, values: Any) -> Array:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise RecordingError(f"{path}, episode {episode}: {what}s are no rows of numbers: export it again") from None
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or not found.size:
        shape = " x ".join(map(str, found.shape))
        raise RecordingError(
            f"{path}, episode {episode}: {what}s of shape {shape}, not (time, numbers): give low-dimensional states"
        )
    return found


def _check(path: Path, episode: int, state: Array, move: Array, clock: Array, sizes: tuple[int, int]) -> None:
    where = f"{path}, episode {episode}"
    if not len(state) == len(move) == len(clock):
        raise RecordingError(f"{where}: {len(state)} states, {len(move)} actions, {len(clock)} times: record it again")
    if len(state) < 2:
        raise RecordingError(f"{where}: one frame alone shows no motion: leave this episode out")
    if (state.shape[1], move.shape[1]) != sizes:
        raise RecordingError(
            f"{where}: states and actions of other sizes than in the first episode: split the recording"
        )
    if not (np.isfinite(state).all() and np.isfinite(move).all()):
        raise RecordingError(f"{where}: values that are no numbers (NaN or infinite): leave this episode out")
    for what, values in (("state", state), ("action", move)):
        if np.abs(values).max() > LARGEST:
            said = f"{np.abs(values).max():.2g}, beyond {LARGEST:.0e}"
            raise RecordingError(f"{where}: {what}s reach {said}: leave this episode out, or a feature such as a time")
    if not np.isfinite(clock).all() or (np.diff(clock) <= 0).any():
        raise RecordingError(f"{where}: times that do not rise: sort the frames, or set the clock")
    if (step := float(np.median(np.diff(clock)))) > SLOWEST:
        raise RecordingError(f"{where}: frames lie {step:g} s apart, more than {SLOWEST:g}: give times in seconds")


def _names(names: Sequence[str] | None, stem: str, count: int) -> list[str]:
    given = [str(n) for n in names or []]
    return given if len(given) == count and len(set(given)) == count else [f"{stem}_{i}" for i in range(count)]
