"""Diffusion Policy's replay buffers: Zarr, a folder or a zip of one. Called by :mod:`.readers`.

``data/action`` and one or more low-dimensional arrays of all frames, and ``meta/episode_ends`` that says where each
episode ends (https://github.com/real-stanford/diffusion_policy, ``ReplayBuffer``). Zarr formats 2 and 3.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .recording import RecordingError, first_line, to_frames

RATE = 10.0  # Hz, Push-T's control rate: the format keeps no times


def read_replay(path: Path) -> xr.Dataset:
    """Read a replay buffer; see :func:`.recording.to_frames` for what is returned and raised. Times count at 10 Hz."""
    import zarr
    from zarr.errors import BaseZarrError

    try:
        store = zarr.storage.ZipStore(path, mode="r") if path.is_file() else path
        root: Any = zarr.open_group(store, mode="r")
        data, ends = root["data"], np.asarray(root["meta/episode_ends"][:], dtype=np.int64)
        action = np.asarray(data["action"][:])
        names = ["state"] if "state" in data else sorted(n for n, a in data.arrays() if n != "action" and a.ndim <= 2)
        columns = {n: np.asarray(data[n][:]) for n in names}
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile, BaseZarrError) as error:
        what = "no complete replay buffer with data/action and meta/episode_ends"
        raise RecordingError(f"{path} is {what} ({first_line(error)}): copy it again") from None
    if not columns:
        raise RecordingError(f"{path} has no low-dimensional array beside data/action: export the state")
    _check_ends(path, ends, {"action": action} | columns)
    state = np.concatenate([c.reshape(len(c), -1) for c in columns.values()], 1)
    pieces = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    times = [np.arange(p.stop - p.start) / RATE for p in pieces]
    return to_frames(path, "Diffusion Policy Zarr", [state[p] for p in pieces], [action[p] for p in pieces], times)


def _check_ends(path: Path, ends: Any, columns: dict[str, Any]) -> None:
    if not ends.size or (np.diff(ends, prepend=0) <= 0).any():
        raise RecordingError(f"{path}: meta/episode_ends does not rise from above 0: write the buffer again")
    for name, values in columns.items():
        if len(values) != ends[-1]:
            raise RecordingError(
                f"{path}: data/{name} has {len(values)} frames, episodes end at {ends[-1]}: write the buffer again"
            )
