"""What a page may say to its live view, and what a forged one cannot: nothing is executed, no other page is reached."""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import pytest
from tornado.websocket import WebSocketClosedError

from genai4eu.dashboards.serving.server import Server

from ..benchmarks.viewers import Visitor, packed
from .live import OTHER, SLUG, closed, drawn, height, link, play, root, server, visitor

__all__ = ["link", "root", "server"]

pytestmark = pytest.mark.slow

LARGEST = 4 << 20


def _forged(code: str) -> list[tuple[str, str | bytes]]:
    """Frames that would write a file if anyone executed them."""
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    header = {
        "msg_id": "a",
        "msg_type": "execute_request",
        "session": "s",
        "username": "",
        "version": "5.3",
        "date": "",
    }
    whole = packed(header, content)
    dressed = packed({**header, "msg_type": "comm_msg"}, {**content, "msg_type": "execute_request"}, channel="control")
    text = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
    count = struct.unpack_from("<Q", whole)[0]
    offsets = list(struct.unpack_from(f"<{count}Q", whole, 8))
    swapped = [offsets[0], offsets[2], offsets[1], *offsets[3:]]
    shifted = struct.pack(f"<{count + 1}Q", count, *swapped) + whole[8 * (count + 1) :]
    return [
        ("plain", whole),
        ("on the control channel", packed(header, content, channel="control")),
        ("a kind in the content alone", packed(header, {**content, "msg_type": "comm_msg"})),
        ("a kind in the header alone, on control", dressed),
        ("JSON text", json.dumps(text)),
        ("JSON in bytes", json.dumps(text).encode()),
        ("offsets swapped", shifted),
        ("cut", whole[:-1]),
        ("too large", packed({**header, "msg_type": "comm_msg"}, {"comm_id": "x", "data": "x" * LARGEST})),
    ]


def test_forged_messages_close_the_connection_and_execute_nothing(server: Server, tmp_path: Path) -> None:
    written = tmp_path / "executed"
    forged = _forged(f"open({str(written)!r}, 'w').close()")

    async def scene() -> None:
        one = visitor(server)
        await one.attach()
        assert await drawn(one, 4)
        for name, frame in forged:
            assert one.socket is not None
            with contextlib.suppress(WebSocketClosedError):  # what is too large is not even read to its end
                await one.socket.write_message(frame, binary=isinstance(frame, bytes))
            # the code of what is too large may be lost with the rest of the connection
            assert await closed(one) in ((1009, None) if name == "too large" else (1008,)), name
            await one.connect()  # the session has not ended: its page may have been innocent
            await one.learn()
            assert one.states[height(one)]["state"]["value"] == 4, name
        assert not written.exists()
        session = next(iter(server.reception.sessions))
        loop = session.kernel._reading.get_loop()  # the same message behind our filter meets another: the tier's own
        asyncio.run_coroutine_threadsafe(session.kernel.say(forged[0][1]), loop).result(10)  # type: ignore[arg-type]
        assert await drawn(one, 5) and not written.exists()
        await one.leave()

    play(scene())


def test_a_connection_speaks_the_one_protocol_and_comes_from_our_own_pages(server: Server) -> None:
    async def scene() -> None:
        one = visitor(server)
        await one.attach()
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
        binary = {"Sec-WebSocket-Protocol": "v1.kernel.websocket.jupyter.org"}
        address = one.address + f"live/{one.session}"
        async with httpx.AsyncClient() as client:
            for more, expected in (
                ({"Origin": one.origin}, 400),
                ({"Origin": one.origin, "Sec-WebSocket-Protocol": "json"}, 400),
                ({"Origin": "http://127.0.0.1:1", **binary}, 403),
                ({"Origin": "null", **binary}, 403),
            ):
                assert (await client.get(address, headers={**upgrade, **more})).status_code == expected, more
        for origin in ("http://127.0.0.1:1", "null", "https://evil.example"):
            assert (await one.post("live/", Origin=origin)).code == 403
            assert (await one.post(f"live/{one.session}/leave", Origin=origin)).code == 403
        assert await drawn(one, 6)
        await one.leave()

    play(scene())


def test_a_session_opens_nothing_elsewhere(server: Server, link: str) -> None:
    async def scene() -> None:
        one = visitor(server)
        await one.attach()
        for place in (f"d/{OTHER}", link):
            stranger = visitor(server, place)
            stranger.session = one.session
            assert httpx.get(stranger.address + f"live/{one.session}").status_code == 410
            await stranger.connect()
            assert await closed(stranger) == 4410
            await stranger.post(f"live/{one.session}/leave")
        for place in ("d/no-such-wave", "l/" + "M" * 43):
            assert httpx.get(f"{server.address}{place}/live/{one.session}").status_code == 404
            assert (await visitor(server, place).post("live/")).code == 404
        assert await drawn(one, 8)
        await one.leave()

    play(scene())


@pytest.mark.parametrize("body", ["[]", "{", '{"ticket": 1}', '"x"', '{"ticket": "' + "x" * 2000 + '"}', "[" * 900])
def test_a_question_that_is_none_is_refused(server: Server, body: str) -> None:
    headers = {"Origin": server.address.rstrip("/")}
    assert httpx.post(f"{server.address}d/{SLUG}/live/", content=body, headers=headers).status_code == 400


def test_what_a_page_does_to_its_widgets_reaches_no_other_page(server: Server) -> None:
    async def scene() -> None:
        one, two = visitor(server), visitor(server)
        await asyncio.gather(one.attach(), two.attach())
        mark = "<img src=x onerror=raven()>"
        wrong = {"_esm": mark, "_view_module": mark, "_dom_classes": [mark], "value": mark, "layout": "IPY_MODEL_none"}
        for model in list(one.states):
            for name, value in wrong.items():
                await one.move(model, **{name: value})
        await two.learn()
        assert "raven" in json.dumps(await _states(one)), "nothing was changed: this shows nothing"
        assert "raven" not in json.dumps(two.states) and not any(b"raven" in frame for frame in two.frames)
        assert await drawn(two, 6)
        late = visitor(server)
        await late.attach()
        assert "raven" not in json.dumps([late.states, late.cells])
        await asyncio.gather(*(page.leave() for page in (one, two, late)))

    play(scene())


async def _states(one: Visitor) -> Any:
    await one.learn()
    return one.states
