"""Robot logs in MCAP: ROS 2 (CDR) joint states and number arrays, or JSON messages. Called by :mod:`.readers`.

One topic holds states and one actions; each file is one episode, a folder many. Actions are the newest at the time of
each state (https://mcap.dev/spec). CDR is decoded for ``sensor_msgs/JointState``, ``std_msgs/Float64MultiArray`` and
``Float32MultiArray``, by the wire format of OMG's DDS-XTYPES (plain CDR, both byte orders).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from .recording import RecordingError, first_line, to_frames

#: The start of a topic's name says what it holds; the first that matches is taken.
STATES, ACTIONS = ("joint_state", "state", "observation"), ("action", "command", "cmd")


def read_mcap(path: Path) -> xr.Dataset:
    """Read a log, or a folder of logs; see :func:`.recording.to_frames` for what is returned and raised."""
    files = [path] if path.is_file() else sorted(path.glob("*.mcap"))
    parts = [_episode(file) for file in files]
    return to_frames(path, "MCAP", *(list(p) for p in zip(*parts, strict=True)))


def _episode(path: Path) -> tuple[Any, Any, Any]:
    """Return states, the newest action at the time of each, and times in s."""
    topics = _messages(path)
    state, action = _pick(path, topics, STATES, "states"), _pick(path, topics, ACTIONS, "actions")
    times, acted = (np.array([t for t, _ in topics[name]], dtype=np.int64) for name in (state, action))
    newest = np.searchsorted(acted, times, "right") - 1
    kept = newest >= 0  # before the first action nothing was decided
    if not kept.any():
        raise RecordingError(f"{path}: no {action} before the last {state}: record both at the same time")
    states = [topics[state][i][1] for i in np.flatnonzero(kept)]
    actions = [topics[action][i][1] for i in newest[kept]]
    return states, actions, (times[kept] - times[kept][0]) / 1e9


def _messages(path: Path) -> dict[str, list[tuple[int, list[float]]]]:
    """Return (time in ns, numbers) by topic, in the order of time; topics of other types are left out."""
    from mcap.reader import make_reader

    found: dict[str, list[tuple[int, list[float]]]] = {}
    try:
        with path.open("rb") as file:
            for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
                decode = _decoder(channel.message_encoding, schema.name if schema else "")
                if decode:
                    numbers = _decoded(decode, message.data, path, channel.topic)
                    found.setdefault(channel.topic, []).append((message.log_time, numbers))
    except RecordingError:
        raise
    # every decompressor raises errors of its own kind (zstandard, lz4, mcap, struct): the user gets one line
    except Exception as error:
        raise RecordingError(f"{path} is cut short or damaged ({first_line(error)}): try `mcap recover`") from error
    if not found:
        raise RecordingError(f"{path} holds no joint states, number arrays or JSON messages: record or convert them")
    return found


def _decoded(decode: Callable[[bytes], list[float]], data: bytes, path: Path, topic: str) -> list[float]:
    try:
        return decode(data)
    except (ValueError, TypeError, struct.error, RecursionError) as error:
        raise RecordingError(f"{path}: a message of {topic} is not read ({first_line(error)}): leave it out") from None


def _pick(path: Path, topics: dict[str, Any], words: tuple[str, ...], what: str) -> str:
    for word in words:
        for topic in sorted(topics):
            if topic.strip("/").split("/")[-1].startswith(word):
                return topic
    raise RecordingError(
        f"{path} has no topic for {what} (a name such as {words[0]}), only {', '.join(sorted(topics))}: rename it"
    )


def _decoder(encoding: str, schema: str) -> Callable[[bytes], list[float]] | None:
    if encoding == "json":
        return _from_json
    kinds = {"JointState": _joint_state, "Float64MultiArray": _array("d"), "Float32MultiArray": _array("f")}
    return kinds.get(schema.split("/")[-1]) if encoding == "cdr" else None


def _from_json(data: bytes) -> list[float]:
    """Return the numbers of a message: a list itself, or its ``position`` or ``data``, or all its numbers by name.

    Raises
    ------
    ValueError
        If it is anything else, such as ``null`` or a list of objects.
    """
    message = json.loads(data)
    if isinstance(message, dict):
        inner = next((message[k] for k in ("position", "data") if isinstance(message.get(k), list)), None)
        message = inner or [v for _, v in sorted(message.items()) if isinstance(v, int | float)]
    if not isinstance(message, list) or not all(isinstance(v, int | float) for v in message):
        raise ValueError("JSON that is neither numbers by name nor a list of numbers")
    return [float(v) for v in message]


class _Cdr:
    """Reads plain CDR: a header of four bytes, then values aligned to their size, counted from after the header."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 4 or data[0] or data[1] not in (0, 1):
            raise ValueError("no plain CDR")
        self.data, self.at, self.order = data[4:], 0, "<" if data[1] else ">"

    def numbers(self, kind: str, count: int = 1) -> list[Any]:
        size = struct.calcsize(kind)
        self.at += -self.at % size
        if self.at + size * count > len(self.data):
            raise ValueError("a message ends too early")
        values = struct.unpack_from(f"{self.order}{count}{kind}", self.data, self.at)
        self.at += size * count
        return list(values)

    def text(self) -> None:
        (length,) = self.numbers("I")
        self.at += length

    def sequence(self, kind: str) -> list[Any]:
        (length,) = self.numbers("I")
        return self.numbers(kind, length) if length else []


def _joint_state(data: bytes) -> list[float]:
    """Return positions, or velocities where there are none, of ``sensor_msgs/JointState``."""
    cdr = _Cdr(data)
    cdr.numbers("I", 2)  # header.stamp
    cdr.text()  # header.frame_id
    for _ in range(cdr.numbers("I")[0]):
        cdr.text()
    return cdr.sequence("d") or cdr.sequence("d")


def _array(kind: str) -> Callable[[bytes], list[float]]:
    def decode(data: bytes) -> list[float]:
        cdr = _Cdr(data)
        for _ in range(cdr.numbers("I")[0]):  # layout.dim: label, size, stride
            cdr.text()
            cdr.numbers("I", 2)
        cdr.numbers("I")  # layout.data_offset
        return cdr.sequence(kind)

    return decode
