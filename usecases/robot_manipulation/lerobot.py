"""LeRobot datasets, version 2.x and 3.0, read and written with pyarrow. Called by :mod:`.readers` and :mod:`.keep`.

A folder with ``meta/info.json`` (version, frames a second, features with shapes and names) and Parquet files below
``data/``: one an episode in 2.x, several episodes a file in 3.0
(https://huggingface.co/docs/lerobot/lerobot-dataset-v3).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .recording import RecordingError, first_line, to_frames

STATE_KEY, ACTION_KEY = "observation.state", "action"


def read_lerobot(folder: Path) -> xr.Dataset:
    """Read a LeRobot dataset; see :func:`.recording.to_frames` for what is returned and raised."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    info = _info(folder)
    files = sorted((folder / "data").rglob("*.parquet"))
    if not files:
        raise RecordingError(f"{folder} has no Parquet file below data/: copy the dataset again, with its data")
    wanted = ["episode_index", "frame_index", "timestamp", STATE_KEY, ACTION_KEY]
    parts = []
    for file in files:
        try:
            missing = set(wanted) - set(pq.read_schema(file).names)
            if not missing:
                parts.append(pq.read_table(file, columns=wanted))
        except (OSError, pa.ArrowException) as error:
            raise RecordingError(
                f"{file} is cut short or no Parquet file ({first_line(error)}): copy it again"
            ) from None
        if missing:
            raise RecordingError(
                f"{file} has no column {', '.join(sorted(missing))}: export it with LeRobot 2.0 or newer"
            )
    try:
        whole = pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        raise RecordingError(
            f"{folder}: its Parquet files do not fit together ({first_line(error)}): export it again"
        ) from None
    table = whole.to_pandas().sort_values(["episode_index", "frame_index"], kind="stable")
    _check_counts(folder, info, len(table), table["episode_index"].nunique())
    groups = [group for _, group in table.groupby("episode_index")]
    states, actions = ([_rows(folder, key, g[key]) for g in groups] for key in (STATE_KEY, ACTION_KEY))
    times = [group["timestamp"].to_numpy() for group in groups]
    features, axes = (_feature_names(info, key) for key in (STATE_KEY, ACTION_KEY))
    return to_frames(folder, f"LeRobot {info['codebase_version']}", states, actions, times, features, axes)


def _info(folder: Path) -> dict[str, Any]:
    path = folder / "meta" / "info.json"
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        version, features = str(info["codebase_version"]), info["features"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordingError(
            f"{path} is no LeRobot description ({first_line(error)}): copy the dataset again"
        ) from None
    if not version.startswith(("v2", "v3")):
        raise RecordingError(f"{path}: version {version} is not read, only 2.x and 3.0: convert it with LeRobot")
    if not isinstance(features, dict) or not all(isinstance(f, dict) for f in features.values()):
        raise RecordingError(f"{path}: features are no objects by name: export it with LeRobot 2.0 or newer")
    for key in (STATE_KEY, ACTION_KEY):
        if key not in features:
            raise RecordingError(
                f"{path}: there is no feature {key}: record the robot's state, pictures alone do not do"
            )
    return dict(info)


def _check_counts(folder: Path, info: dict[str, Any], frames: int, episodes: int) -> None:
    said = (info.get("total_frames", frames), info.get("total_episodes", episodes))
    if said != (frames, episodes):
        raise RecordingError(
            f"{folder}: meta/info.json tells of {said[1]} episodes with {said[0]} frames, the data hold {episodes} "
            f"with {frames}: copy the dataset again"
        )


def _rows(folder: Path, key: str, column: Any) -> list[Any]:
    try:
        return [np.asarray(row, dtype=np.float64) for row in column]
    except (TypeError, ValueError):
        raise RecordingError(f"{folder}: {key} holds what is no number: export it with LeRobot 2.0 or newer") from None


def _feature_names(info: dict[str, Any], key: str) -> list[str] | None:
    names = info["features"][key].get("names")
    if isinstance(names, dict):  # {"motors": [...]}, as older exporters write it
        names = next(iter(names.values()), None)
    return list(names) if isinstance(names, list) else None


def write_lerobot(shown: xr.Dataset, folder: Path, task: str) -> None:
    """Write frames of demonstrations as a LeRobot 3.0 dataset without pictures.

    Parameters
    ----------
    shown : xarray.Dataset
        ``state`` (frame, feature) and ``action`` (frame, axis), coordinates ``episode`` and ``time``.
    folder : Path
        Made if absent.
    task : str
        What the robot was told to do.
    """
    import pandas as pd

    episode, time = shown["episode"].values, shown["time"].values
    lengths = np.bincount(episode)
    columns: dict[str, Any] = {
        STATE_KEY: list(shown["state"].values.astype(np.float32)),
        ACTION_KEY: list(shown["action"].values.astype(np.float32)),
        "timestamp": time.astype(np.float32),
        "frame_index": np.concatenate([np.arange(n) for n in lengths]),
        "episode_index": episode.astype(np.int64),
        "index": np.arange(len(episode)),
        "task_index": np.zeros(len(episode), np.int64),
    }
    ends = np.cumsum(lengths)
    about = {
        "episode_index": np.arange(len(lengths)), "tasks": [[task]] * len(lengths), "length": lengths,
        "dataset_from_index": ends - lengths, "dataset_to_index": ends,
    } | {f"{part}/{kind}_index": 0 for part in ("data", "meta/episodes") for kind in ("chunk", "file")}  # fmt: skip
    _parquet(pd.DataFrame(columns), folder / "data" / "chunk-000" / "file-000.parquet")
    _parquet(pd.DataFrame(about), folder / "meta" / "episodes" / "chunk-000" / "file-000.parquet")
    _parquet(pd.DataFrame({"task_index": [0]}, index=[task]), folder / "meta" / "tasks.parquet", index=True)
    _json(_description(shown, lengths), folder / "meta" / "info.json")
    _json({key: _statistics(np.stack(columns[key])) for key in (STATE_KEY, ACTION_KEY)}, folder / "meta" / "stats.json")


def _description(shown: xr.Dataset, lengths: Any) -> dict[str, Any]:
    named = {STATE_KEY: shown["feature"].values.tolist(), ACTION_KEY: shown["axis"].values.tolist()}
    features = {k: {"dtype": "float32", "shape": [len(n)], "names": n} for k, n in named.items()}
    scalars = {"timestamp": "float32"} | dict.fromkeys(("frame_index", "episode_index", "index", "task_index"), "int64")
    time = shown["time"].values
    return {
        "codebase_version": "v3.0",
        "robot_type": "fetch",
        "fps": round(1 / float(time[1] - time[0])),
        "total_episodes": len(lengths),
        "total_frames": int(lengths.sum()),
        "total_tasks": 1,
        "chunks_size": 1000,
        "splits": {"train": f"0:{len(lengths)}"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
        "features": features | {k: {"dtype": kind, "shape": [1], "names": None} for k, kind in scalars.items()},
    }


def _statistics(values: Any) -> dict[str, list[float]]:
    kinds = {"min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0)}
    return {k: v.astype(float).tolist() for k, v in kinds.items()} | {"count": [len(values)]}


def _parquet(frame: Any, path: Path, index: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, engine="pyarrow", index=index)


def _json(data: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2), encoding="utf-8")
