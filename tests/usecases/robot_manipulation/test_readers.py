"""The field's recordings, whole and broken: each fault is one line that names the file and the remedy."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from mcap.writer import CompressionType, Writer

from genai4eu.usecases.robot_manipulation import own
from genai4eu.usecases.robot_manipulation.lerobot import write_lerobot
from genai4eu.usecases.robot_manipulation.own import foretell
from genai4eu.usecases.robot_manipulation.readers import RecordingError, RecordingNotFoundError, load_demonstrations

STATES = [np.arange(12.0).reshape(6, 2), 1 + np.arange(8.0).reshape(4, 2)]
ACTIONS = [np.arange(6.0)[:, None], np.arange(4.0)[:, None]]


def lerobot2(path: Path) -> Path:
    """A dataset of version 2.1: one Parquet file an episode."""
    for i, (state, action) in enumerate(zip(STATES, ACTIONS, strict=True)):
        frame = {"observation.state": list(state), "action": list(action), "timestamp": np.arange(len(state)) / 50}
        frame |= {"frame_index": np.arange(len(state)), "episode_index": i, "index": 0, "task_index": 0}
        file = path / "data" / "chunk-000" / f"episode_{i:06d}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(frame).to_parquet(file)
    features = {"observation.state": {"dtype": "float32", "shape": [2], "names": {"motors": ["shoulder", "elbow"]}}}
    features["action"] = {"dtype": "float32", "shape": [1], "names": None}  # type: ignore[dict-item]
    info = {"codebase_version": "v2.1", "fps": 50, "features": features, "total_episodes": 2, "total_frames": 10}
    (path / "meta").mkdir()
    (path / "meta" / "info.json").write_text(json.dumps(info))
    return path


def minari(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        for i in (1, 0):  # not in order
            group = file.create_group(f"episode_{i}")
            last = np.concatenate([STATES[i], STATES[i][-1:]])
            group.create_dataset("observations/observation", data=last)
            group.create_dataset("observations/picture", data=np.zeros((len(last), 4, 4, 3), np.uint8))
            group["actions"] = ACTIONS[i]
    return path


def robomimic(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        for i in range(2):
            file[f"data/demo_{i}/actions"], file[f"data/demo_{i}/obs/eef"] = ACTIONS[i], STATES[i]
    return path


def replay(path: Path, form: int = 2) -> Path:
    root = zarr.open_group(path, mode="w", zarr_format=form)  # type: ignore[arg-type]
    for name, values in (("state", STATES), ("action", ACTIONS)):
        root.create_array(f"data/{name}", data=np.concatenate(values))
    root.create_array("meta/episode_ends", data=np.array([6, 10]))
    return path


def zipped(path: Path) -> Path:
    with zarr.storage.ZipStore(path, mode="w") as store:
        root = zarr.open_group(store, mode="w", zarr_format=3)
        root.create_array("data/state", data=np.concatenate(STATES))
        root.create_array("data/action", data=np.concatenate(ACTIONS))
        root.create_array("meta/episode_ends", data=np.array([6, 10]))
    return path


def _cdr_joint_state(position: np.ndarray) -> bytes:
    """sensor_msgs/JointState as ROS 2 writes it, little endian."""
    out = bytearray()

    def put(kind: str, *values: float) -> None:
        size = struct.calcsize(kind)
        out.extend(b"\0" * (-len(out) % size) + struct.pack(f"<{len(values)}{kind}", *values))

    def text(word: bytes) -> None:
        put("I", len(word) + 1)
        out.extend(word + b"\0")

    put("i", 7)
    put("I", 5)
    text(b"base")
    put("I", 2)
    text(b"shoulder")
    text(b"elbow")
    put("I", len(position))
    put("d", *position)
    put("I", 0)
    put("I", 0)
    return b"\0\1\0\0" + bytes(out)


def _cdr_array(values: np.ndarray) -> bytes:
    """std_msgs/Float64MultiArray without dimensions, big endian."""
    return (
        b"\0\0\0\0"
        + struct.pack(">III4x", 0, 0, len(values))[:12]
        + b"\0" * 4
        + struct.pack(f">{len(values)}d", *values)
    )


def mcap(path: Path, topics: tuple[str, str] = ("/joint_states", "/arm/commands"), encoding: str = "cdr") -> Path:
    path.mkdir(exist_ok=True)
    for i, (state, action) in enumerate(zip(STATES, ACTIONS, strict=True)):
        with (path / f"{i}.mcap").open("wb") as file:
            writer = Writer(file)
            writer.start("ros2" if encoding == "cdr" else "")
            channels = []
            for topic, kind in zip(
                topics, ("sensor_msgs/msg/JointState", "std_msgs/msg/Float64MultiArray"), strict=True
            ):
                schema = writer.register_schema(kind, "ros2msg" if encoding == "cdr" else "jsonschema", b"{}")
                channels.append(writer.register_channel(topic, encoding, schema))
            for k in range(len(state)):
                if encoding == "cdr":
                    said, did = _cdr_joint_state(state[k]), _cdr_array(action[k])
                else:
                    said, did = (
                        json.dumps({"position": state[k].tolist()}).encode(),
                        json.dumps(action[k].tolist()).encode(),
                    )
                for channel, data, late in zip(channels, (said, did), (1, 0), strict=True):
                    stamp = 10**9 + 20_000_000 * k + 1000 * late
                    writer.add_message(channel, log_time=stamp, publish_time=stamp, data=data)
            writer.finish()  # type: ignore[no-untyped-call]
    return path


MAKERS: dict[str, tuple[Callable[[Path], Path], str, float]] = {
    "lerobot": (lerobot2, "LeRobot v2.1", 0.02),
    "minari.hdf5": (minari, "Minari", 0.05),
    "robomimic.hdf5": (robomimic, "robomimic", 0.05),
    "replay.zarr": (replay, "Diffusion Policy Zarr", 0.1),
    "replay3.zarr": (lambda p: replay(p, 3), "Diffusion Policy Zarr", 0.1),
    "replay.zarr.zip": (zipped, "Diffusion Policy Zarr", 0.1),
    "logs": (mcap, "MCAP", 0.02),
    "json_logs": (lambda p: mcap(p, ("/state", "/action"), "json"), "MCAP", 0.02),
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_format_gives_the_same_frames(name: str, tmp_path: Path) -> None:
    make, kind, step = MAKERS[name]
    read = load_demonstrations(make(tmp_path / name))
    np.testing.assert_array_equal(read["state"], np.concatenate(STATES))
    np.testing.assert_array_equal(read["action"], np.concatenate(ACTIONS))
    assert read["episode"].values.tolist() == [0] * 6 + [1] * 4
    np.testing.assert_allclose(read["time"].values[:3], [0, step, 2 * step], atol=1e-9)
    assert read.attrs["format"] == kind and read["time"].attrs["units"] == "s"


def test_names_of_joints_are_kept(tmp_path: Path) -> None:
    assert load_demonstrations(lerobot2(tmp_path / "a"))["feature"].values.tolist() == ["shoulder", "elbow"]


def test_what_is_written_as_lerobot_is_read_back(robot: SimpleNamespace, tmp_path: Path) -> None:
    write_lerobot(robot.shown, tmp_path / "set", "carry the cube")
    read = load_demonstrations(tmp_path / "set")
    np.testing.assert_allclose(read["state"], robot.shown["state"], atol=1e-6)
    assert read["feature"].values.tolist() == robot.shown["feature"].values.tolist()
    info = json.loads((tmp_path / "set" / "meta" / "info.json").read_text())
    episodes = pd.read_parquet(tmp_path / "set" / "meta" / "episodes")
    assert (info["codebase_version"], info["fps"], info["total_episodes"]) == ("v3.0", 25, 8)
    assert episodes["dataset_to_index"].iloc[-1] == info["total_frames"] == robot.shown.sizes["frame"]
    assert pd.read_parquet(tmp_path / "set" / "meta" / "tasks.parquet").index.tolist() == ["carry the cube"]


def _refused(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        load_demonstrations(path)
    said = str(caught.value)
    assert "\n" not in said and path.name in said and ": " in said
    return said


def test_nothing_there_and_nothing_known(tmp_path: Path) -> None:
    with pytest.raises(RecordingNotFoundError, match=r"there is no recording at .*nowhere"):
        load_demonstrations(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("hello")
    assert "neither HDF5, MCAP nor zipped Zarr" in _refused(tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    assert "holds none of meta/info.json" in _refused(tmp_path / "empty")


@pytest.mark.parametrize("name", ["minari.hdf5", "logs", "replay.zarr.zip"])
def test_cut_short(name: str, tmp_path: Path) -> None:
    made = MAKERS[name][0](tmp_path / name)
    file = made / "0.mcap" if made.is_dir() else made
    file.write_bytes(file.read_bytes()[: int(0.6 * file.stat().st_size)])
    assert any(words in _refused(file) for words in ("cut short or damaged", "neither HDF5"))


def test_broken_lerobot(tmp_path: Path) -> None:
    path = lerobot2(tmp_path / "set")
    file = path / "data" / "chunk-000" / "episode_000001.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:50])
    assert "cut short or no Parquet file" in _refused_below(path, file)
    file.unlink()
    assert "tells of 2 episodes with 10 frames, the data hold 1 with 6" in _refused(path)
    info = path / "meta" / "info.json"
    good = info.read_text()
    info.write_text(good.replace("v2.1", "v1.6"))
    assert "version v1.6 is not read" in _refused_below(path, info)
    info.write_text(good.replace("observation.state", "observation.image"))
    assert "no feature observation.state" in _refused_below(path, info)
    info.write_text("{")
    assert "no LeRobot description" in _refused_below(path, info)


def _refused_below(path: Path, file: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        load_demonstrations(path)
    assert file.name in str(caught.value)
    return str(caught.value)


def test_broken_hdf5(tmp_path: Path) -> None:
    path = robomimic(tmp_path / "demos.hdf5")
    with h5py.File(path, "a") as file:
        del file["data/demo_1/actions"]
    assert "demo_1 has no actions" in _refused(path)
    with h5py.File(path, "w") as file:
        file["something"] = 1
    assert "neither episode_0 (Minari) nor data/demo_0" in _refused(path)
    with h5py.File(path, "w") as file:
        file["data/demo_0/actions"] = ACTIONS[0]
        file["data/demo_0/obs/agentview_image"] = np.zeros((6, 8, 8, 3), np.uint8)
    assert "no low-dimensional observations" in _refused(path)
    with h5py.File(path, "w") as file:
        file["data/demo_0/actions"], file["data/demo_0/obs/eef"] = ACTIONS[0], STATES[1]
    assert "4 states, 6 actions" in _refused(path)
    with h5py.File(path, "w") as file:
        file["data/demo_0/actions"], file["data/demo_0/obs/eef"] = ACTIONS[0], np.full((6, 2), np.nan)
    assert "values that are no numbers" in _refused(path)


def test_broken_replay(tmp_path: Path) -> None:
    path = replay(tmp_path / "a.zarr")
    zarr.open_group(path, mode="a")["meta/episode_ends"][:] = [6, 9]  # type: ignore[index]
    assert "10 frames, episodes end at 9" in _refused(path)
    zarr.open_group(path, mode="a")["meta/episode_ends"][:] = [6, 5]  # type: ignore[index]
    assert "does not rise" in _refused(path)
    del zarr.open_group(path, mode="a")["data/action"]
    assert "no complete replay buffer" in _refused(path)


def test_logs_without_the_right_topics(tmp_path: Path) -> None:
    path = mcap(tmp_path / "a", ("/joint_states", "/camera"))
    with pytest.raises(RecordingError, match=r"0\.mcap has no topic for actions .*only /camera, /joint_states"):
        load_demonstrations(path)
    with pytest.raises(RecordingError, match="holds no joint states, number arrays or JSON messages"):
        load_demonstrations(mcap(tmp_path / "b", encoding="protobuf"))


def _log(path: Path, said: bytes, compression: CompressionType = CompressionType.NONE) -> Path:
    """A JSON log whose states are all ``said``."""
    with path.open("wb") as file:
        writer = Writer(file, compression=compression)
        writer.start("")
        channels = [writer.register_channel(topic, "json", 0) for topic in ("/state", "/action")]
        for k in range(200):
            for channel, data in zip(channels, (said, b"[1, %d]" % k), strict=True):
                writer.add_message(channel, log_time=10**9 + 10**6 * k, publish_time=0, data=data)
        writer.finish()  # type: ignore[no-untyped-call]
    return path


@pytest.mark.parametrize("said", [b"null", b"3", b'[{"a": 1}]', b'["a"]', b"{"])
def test_json_messages_that_hold_no_numbers(said: bytes, tmp_path: Path) -> None:
    assert "a message of /state is not read" in _refused(_log(tmp_path / "log.mcap", said))


@pytest.mark.parametrize("kind", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_log_with_damaged_chunks(kind: CompressionType, tmp_path: Path) -> None:
    path = _log(tmp_path / "log.mcap", b"[1.5, 2.5]", kind)
    assert load_demonstrations(path).sizes["frame"] == 200
    raw = bytearray(path.read_bytes())
    start = raw.index(b"zstd" if kind is CompressionType.ZSTD else b"lz4") + 16
    raw[start : start + 200] = bytes(255 - b for b in raw[start : start + 200])
    path.write_bytes(raw)
    assert "cut short or damaged" in _refused(path)


def test_hdf5_with_damaged_bytes_or_groups_for_arrays(tmp_path: Path) -> None:
    path = tmp_path / "demos.hdf5"
    with h5py.File(path, "w") as file:
        file["data/demo_0/actions/left"], file["data/demo_0/obs/eef"] = ACTIONS[0], STATES[0]
    assert "actions of demo_0 are a group" in _refused(path)
    with h5py.File(path, "w") as file:
        file["data/demo_0"] = ACTIONS[0]
    assert "demo_0 has no obs" in _refused(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("data/demo_0/actions", data=np.random.default_rng(0).random((500, 2)), compression="gzip")
        file["data/demo_0/obs/eef"] = np.random.default_rng(1).random((500, 2))
    whole = path.read_bytes()
    for word in (b"TREE", b"HEAP", b"SNOD"):  # parts of the file's index
        path.write_bytes(whole.replace(word, b"XXXX"))
        assert "cut short or damaged" in _refused(path)


def test_lerobot_tells_what_is_missing(tmp_path: Path) -> None:
    path = lerobot2(tmp_path / "set")
    info = path / "meta" / "info.json"
    good = json.loads(info.read_text())
    info.write_text(json.dumps(good | {"features": ["observation.state", "action"]}))
    assert "features are no objects by name" in _refused_below(path, info)
    info.write_text(json.dumps(good))
    file = path / "data" / "chunk-000" / "episode_000001.parquet"
    frame = pd.read_parquet(file)
    for column in ("timestamp", "action"):
        frame.drop(columns=column).to_parquet(file)
        assert f"has no column {column}: export it" in _refused_below(path, file)
    frame.assign(timestamp="late").to_parquet(file)
    assert "do not fit together" in _refused(path)
    frame.to_parquet(file)
    for one in sorted((path / "data" / "chunk-000").iterdir()):
        whole = pd.read_parquet(one)
        whole.assign(action=[["a", "b"]] * len(whole)).to_parquet(one)
    assert "action holds what is no number: export it" in _refused(path)


def test_times_in_milliseconds_are_no_seconds(tmp_path: Path) -> None:
    path = lerobot2(tmp_path / "set")
    for file in sorted((path / "data" / "chunk-000").iterdir()):
        frame = pd.read_parquet(file)
        frame.assign(timestamp=1000 * frame["timestamp"]).to_parquet(file)
    assert re.search(r"frames lie \d+ s apart, more than 10: give times in seconds", _refused(path))


@pytest.mark.parametrize(
    ("name", "says"),
    [("huge", "actions reach 1e\\+30, beyond"), ("constant", "all actions are the same"), ("short", "one frame alone")],
)
def test_recordings_from_which_nothing_can_be_learnt(name: str, says: str, tmp_path: Path) -> None:
    actions = {"huge": [a * 1e30 / 5 for a in ACTIONS], "constant": [0 * a + 3 for a in ACTIONS], "short": ACTIONS}[
        name
    ]
    path = tmp_path / "demos.hdf5"
    with h5py.File(path, "w") as file:
        for i in range(2):
            most = 1 if name == "short" and i else None
            file[f"data/demo_{i}/actions"], file[f"data/demo_{i}/obs/eef"] = actions[i][:most], STATES[i][:most]
    assert re.search(says, _refused(path))


def test_own_demonstrations_are_refused_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="2 episodes: at least 5"):
        own.read(robomimic(tmp_path / "demos.hdf5"))


def test_foretelling_tells_a_fork_from_a_road(robot: SimpleNamespace) -> None:
    table = foretell(robot.shown, robot.sizes, 0)
    assert table.index.tolist() == ["flow", "nearest neighbour", "perceptron"]
    assert table.loc["perceptron", "spread of draws"] < 1e-9 < 0.1 < table.loc["flow", "spread of draws"]
    assert (table.loc["flow", "error of the nearest"] > 0) and np.isfinite(table.values).all()
    with pytest.raises(RecordingError, match="4 episodes: at least 5"):
        foretell(robot.shown.isel(frame=robot.shown["episode"].values < 4), robot.sizes, 0)
