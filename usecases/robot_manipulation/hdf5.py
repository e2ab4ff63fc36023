"""Demonstrations in HDF5: Minari's and robomimic's layouts. Called by :mod:`.readers`.

Minari (https://minari.farama.org/content/dataset_standards/): ``episode_N`` with ``actions`` (T) and ``observations``
(T + 1), an array or a group of arrays. robomimic (https://robomimic.github.io/docs/datasets/overview.html):
``data/demo_N`` with ``actions`` (T) and a group ``obs`` of arrays (T).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .recording import RecordingError, first_line, to_frames

USUAL_RATE = 20.0  # Hz, robomimic's and Minari's usual control rate, where the file says none


def read_hdf5(path: Path) -> xr.Dataset:
    """Read a Minari or robomimic file; see :func:`.recording.to_frames` for what is returned and raised.

    Times count at the rate that Minari's attribute ``control_freq`` or ``fps`` says, else at 20 Hz.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            if any(name.startswith("episode_") for name in file):
                return _read(path, file, "Minari", "episode_", "observations")
            if "data" in file and isinstance(file["data"], h5py.Group):
                return _read(path, file["data"], "robomimic", "demo_", "obs")
    except RecordingError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:  # what h5py raises for damaged files
        raise RecordingError(f"{path} is cut short or damaged ({first_line(error)}): copy or export it again") from None
    raise RecordingError(
        f"{path} has neither episode_0 (Minari) nor data/demo_0 (robomimic): export it in one of these layouts"
    )


def _read(path: Path, group: Any, kind: str, stem: str, seen: str) -> xr.Dataset:
    import h5py

    names = sorted((n for n in group if n.startswith(stem)), key=lambda n: _number(path, n, stem))
    rate = _rate(path, group)
    states, actions, features = [], [], None
    for name in names:
        for part in (seen, "actions"):
            if not isinstance(group[name], h5py.Group) or part not in group[name]:
                raise RecordingError(f"{path}: {name} has no {part}: export it again, with observations and actions")
        if not isinstance(group[name]["actions"], h5py.Dataset):
            raise RecordingError(f"{path}: actions of {name} are a group: export them as one array (time, numbers)")
        actions.append(group[name]["actions"][()])
        values, features = _flat(path, name, group[name][seen])
        # Minari keeps the last observation, after which nothing was done
        states.append(values[: len(actions[-1])] if kind == "Minari" else values)
    times = [np.arange(len(a)) / rate for a in actions]
    return to_frames(path, kind, states, actions, times, features)


def _number(path: Path, name: str, stem: str) -> int:
    number = name.removeprefix(stem)
    if not number.isdigit():
        raise RecordingError(f"{path}: {name} is no number of an episode: rename it")
    return int(number)


def _rate(path: Path, group: Any) -> float:
    for name in ("control_freq", "fps"):
        if name in group.attrs:
            rate = float(group.attrs[name])
            if not rate > 0:
                raise RecordingError(f"{path}: {name} is {rate:g}: set it to the control rate in Hz")
            return rate
    return USUAL_RATE


def _flat(path: Path, name: str, found: Any) -> tuple[Any, list[str] | None]:
    """Return observations as (time, numbers); of a group all but pictures, in the order of their names."""
    import h5py

    if isinstance(found, h5py.Dataset):
        return found[()], None
    kept: dict[str, Any] = {}
    found.visititems(lambda key, item: kept.__setitem__(key, item) if _is_low(item) else None)
    if not kept:
        raise RecordingError(f"{path}: {name} has no low-dimensional observations: export states beside pictures")
    columns = {key: np.asarray(item[()], dtype=np.float64).reshape(len(item), -1) for key, item in sorted(kept.items())}
    lengths = {len(c) for c in columns.values()}
    if len(lengths) > 1:
        raise RecordingError(f"{path}: {name} has observations of different lengths: export it again")
    labels = [f"{key}_{i}" for key, c in columns.items() for i in range(c.shape[1])]
    return np.concatenate(list(columns.values()), 1), labels


def _is_low(item: Any) -> bool:
    return hasattr(item, "dtype") and item.dtype.kind in "fiu" and item.ndim in (1, 2) and item.dtype != np.uint8
