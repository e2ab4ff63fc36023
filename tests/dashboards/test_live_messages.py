"""The filter before a viewer's kernel: what widgets need passes, nothing else does, however it is dressed."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1

from genai4eu.dashboards.live.messages import LARGEST, Allowance, RefusedMessage, checked, joined

HEADER = {"msg_id": "a", "msg_type": "comm_msg", "session": "s", "username": "", "version": "5.3", "date": ""}
MOVE = {"comm_id": "c", "data": {"method": "update", "state": {"value": 3}, "buffer_paths": []}}


def frame(header: Any = HEADER, content: Any = MOVE, channel: str = "shell", buffers: tuple[bytes, ...] = ()) -> bytes:
    """A message as jupyter_server itself would write it."""
    bodies: tuple[Any, ...] = (header, {}, {}, content)
    parts = [json.dumps(part).encode() for part in bodies]
    made: bytes = serialize_msg_to_ws_v1([*parts, *buffers], channel)
    return made


def kind(name: str, **content: Any) -> bytes:
    return frame({**HEADER, "msg_type": name}, content or MOVE)


@pytest.mark.parametrize("name", ["comm_msg", "comm_close", "comm_info_request", "kernel_info_request"])
def test_what_widgets_say_passes_and_means_the_same(name: str) -> None:
    passed = checked(frame({**HEADER, "msg_type": name}, buffers=(b"\x00\xff", b"")))
    channel, parts = deserialize_msg_from_ws_v1(passed)
    assert channel == "shell" and json.loads(parts[0]) == {**HEADER, "msg_type": name}
    assert json.loads(parts[3]) == MOVE and [bytes(part) for part in parts[4:]] == [b"\x00\xff", b""]


@pytest.mark.parametrize(
    "name",
    [
        "execute_request", "input_reply", "shutdown_request", "interrupt_request", "debug_request", "complete_request",
        "inspect_request", "history_request", "is_complete_request", "create_subshell_request", "usage_request",
        "Comm_msg", "comm_msg ", "", "comm_msg\x00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("channel", ["shell", "control", "stdin", "iopub", ""])
def test_nothing_that_executes_code_passes_on_any_channel(name: str, channel: str) -> None:
    with pytest.raises(RefusedMessage):
        checked(frame({**HEADER, "msg_type": name}, {"code": "1", "msg_type": "comm_msg"}, channel))


def test_the_kind_is_the_headers_alone_and_what_else_a_header_holds_is_left_out() -> None:
    twice = b'{"msg_id": "a", "msg_type": "execute_request", "msg_type": "comm_msg", "x": 1}'
    passed = checked(serialize_msg_to_ws_v1([twice, b'{"msg_type": "x"}', b"{}", json.dumps(MOVE).encode()], "shell"))
    _, parts = deserialize_msg_from_ws_v1(passed)
    assert bytes(parts[0]) == b'{"msg_id": "a", "msg_type": "comm_msg"}' and bytes(parts[1]) == b"{}"
    with pytest.raises(RefusedMessage):
        checked(frame({**HEADER, "msg_type": ["comm_msg"]}))
    with pytest.raises(RefusedMessage):
        checked(frame({**HEADER, "msg_type": "execute_request"}, {**MOVE, "msg_type": "comm_msg"}))


@pytest.mark.parametrize("target", ["jupyter.widget", "", "debug", None, ["jupyter.widget.control"]])
def test_a_page_opens_no_comm_but_the_one_that_asks_for_states(target: object) -> None:
    with pytest.raises(RefusedMessage):
        checked(kind("comm_open", comm_id="c", target_name=target, data={}))
    assert checked(kind("comm_open", comm_id="c", target_name="jupyter.widget.control", data={}))


def _damaged() -> list[Any]:
    whole = frame()
    count = int.from_bytes(whole[:8], "little")
    offsets = list(struct.unpack_from(f"<{count}Q", whole, 8))
    rest = whole[8 * (count + 1) :]

    def with_offsets(*changed: int, many: int | None = None) -> bytes:
        return struct.pack(f"<{len(changed) + 1}Q", len(changed) if many is None else many, *changed) + rest

    swapped = [offsets[0], offsets[2], offsets[1], *offsets[3:]]
    return [
        "", "text", '{"header": {"msg_type": "execute_request"}, "channel": "shell"}', b"", b"1234567", whole[:-1],
        whole + b"x", whole[:30], with_offsets(*swapped), with_offsets(*offsets, many=2**63),
        with_offsets(*offsets, many=0), with_offsets(*offsets[:5]), with_offsets(0, *offsets[1:]),
        with_offsets(*offsets[:-1], 2**62), frame(header=[]), frame(header="x"), frame(content=[]), frame(content=None),
        joined([b"shell", b"{", b"{}", b"{}", b"{}"]), joined([b"shell", b"[" * 100_000, b"{}", b"{}", b"{}"]),
        joined([b"shell", b"\xff", b"{}", b"{}", b"{}"]), frame({"msg_type": "comm_msg"}), frame({**HEADER, "date": 1}),
        frame(buffers=(b"",) * 65), frame(buffers=(b"x" * LARGEST,)),
    ]  # fmt: skip


@pytest.mark.parametrize("damaged", _damaged())
def test_a_damaged_frame_is_refused(damaged: str | bytes) -> None:
    with pytest.raises(RefusedMessage):
        checked(damaged)


def test_an_allowance_is_used_up_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("genai4eu.dashboards.live.messages.time.monotonic", lambda: now)
    allowance = Allowance(messages=10, size=1000, seconds=2)
    assert all(allowance.take(1) for _ in range(20)) and not allowance.take(1)
    now += 1
    assert allowance.take(1), "a second brings ten more"
    now += 10
    assert not allowance.take(2001), "no message is larger than all that may come at once"
