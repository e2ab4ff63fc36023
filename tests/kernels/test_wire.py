"""The two WebSocket encodings agree with jupyter_server's, and no wrong signature passes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection import base

from genai4eu.kernels.bridge.wire import BadMessage, Signer, pack_legacy, pack_v1, unpack_legacy, unpack_v1

BUFFERS = st.lists(st.binary(max_size=64), max_size=4)
PARTS = [json.dumps(part).encode() for part in ({"msg_id": "1", "msg_type": "x"}, {}, {"ä": 1}, {"code": "1"})]


@given(BUFFERS)
def test_v1_is_what_jupyter_server_speaks(buffers: list[bytes]) -> None:
    parts = [*PARTS, *buffers]
    assert pack_v1("shell", parts) == base.serialize_msg_to_ws_v1(parts, "shell")
    assert unpack_v1(pack_v1("iopub", parts)) == ("iopub", parts)


@given(BUFFERS)
def test_legacy_is_what_jupyter_server_speaks(buffers: list[bytes]) -> None:
    packed = pack_legacy("shell", [*PARTS, *buffers])
    message = base.deserialize_binary_message(packed) if isinstance(packed, bytes) else json.loads(packed)
    assert message["channel"] == "shell"
    assert message["content"] == {"code": "1"}
    assert [bytes(b) for b in message["buffers"]] == buffers
    answer = base.serialize_binary_message({**message, "buffers": buffers}) if buffers else json.dumps(message)
    channel, parts = unpack_legacy(answer)
    assert (channel, parts[4:]) == ("shell", buffers)
    assert [json.loads(part) for part in parts[:4]] == [json.loads(part) for part in PARTS]


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"\xff" * 80, b"\1\0\0\0\0\0\0\0"])
def test_rubbish_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessage):
        unpack_v1(data)
    with pytest.raises(BadMessage):
        unpack_legacy(data)


def test_signatures() -> None:
    signer = Signer("secret", "hmac-sha256")
    frames = signer.close([b"who"], [*PARTS, b"buffer"])
    assert signer.open(frames) == ([b"who"], [*PARTS, b"buffer"])
    with pytest.raises(BadMessage, match="signature"):
        Signer("other", "hmac-sha256").open(frames)
    with pytest.raises(BadMessage, match="signature"):
        signer.open([*frames[:3], b"{}", *frames[4:]])
    with pytest.raises(BadMessage, match="delimiter"):
        signer.open(PARTS)
