"""Live views on real kernels, spoken to without a browser: what a page may do, what a forged one cannot, what ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from tornado.websocket import WebSocketClosedError

from genai4eu.dashboards.access import admission
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.live import tickets
from genai4eu.dashboards.live.tier import PREFIX
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from ..benchmarks.viewers import Visitor, packed
from .conftest import RUN, seal

pytestmark = pytest.mark.slow
SLUG, OTHER = "tiny-wave-a1b2", "tiny-wave-b2c3"
LARGEST = 4 << 20


@pytest.fixture(scope="module")
def root(executed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two dashboards of the small run."""
    house = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("RUNS", "DASHBOARDS", "SCRATCH"):
            patch.setenv(f"GENAI4EU_{variable}", str(house / variable.lower()))
        for variable in ("JUPYTER_DATA_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(variable, str(house / variable.lower()))
        for run in (RUN, RUN.replace("a1b2", "b2c3")):
            copy = shutil.copytree(executed, house / "runs" / run)
            told = json.loads((copy / "run.json").read_text("utf-8"))
            (copy / "run.json").write_text(json.dumps({**told, "id": run}), "utf-8")
            seal(copy)
            publish(Record(copy))
        yield dashboards_root()


@pytest.fixture(scope="module")
def link(root: Path) -> str:
    """The first dashboard's place by its link."""
    return f"l/{admission.add_link(Dashboard(root / SLUG))}"


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with running(root, viewers=9) as started:
        yield started


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 150))


def visitor(server: Server, place: str = f"d/{SLUG}") -> Visitor:
    return Visitor(f"{server.address}{place}/")


async def eventually(what: Callable[[], bool], sentence: str) -> None:
    for _ in range(300):
        if what():
            return
        await asyncio.sleep(0.1)
    pytest.fail(sentence)


async def closed(one: Visitor) -> int | None:
    """Read until the connection ends, and return why it did."""
    while await asyncio.wait_for(one.read(), 60) is not None:
        pass
    return one.socket.close_code if one.socket else None


def height(one: Visitor) -> str:
    """Return the id of the slider's model."""
    return next(name for name, told in one.shown() if told["state"].get("max") == 10)


async def drawn(one: Visitor, value: float) -> bool:
    """Move the slider, and tell whether the kernel drew that wave."""
    return f"A wave of {value:g} m; line" in json.dumps(await one.move(height(one), value=value))


def test_looking_at_every_page_starts_no_kernel(root: Path, link: str) -> None:
    with running(root, viewers=2) as quiet, httpx.Client(base_url=quiet.address) as client:
        pages = ["", "accessibility", "kiosk", f"d/{SLUG}/", f"d/{SLUG}/evidence", f"{link}/", f"d/{SLUG}/qr.svg"]
        pages += [f"d/{SLUG}/{name}" for name in ("notebook.ipynb", "parameters.json", "record.zip")]
        assert [client.get(path).status_code for path in pages] == [200] * len(pages)
        assert client.get(f"d/{SLUG}/live/").status_code == 405
        assert client.get(f"d/{SLUG}/live/{'A' * 32}").status_code == 410
        time.sleep(1.5)  # longer than a round of the reception, which would prepare a kernel for a touched dashboard
        assert quiet.tier.pid is None


def test_a_slider_is_answered_and_a_page_that_left_frees_its_kernel_at_once(server: Server) -> None:
    async def scene() -> None:
        one = visitor(server)
        await one.attach()
        assert await drawn(one, 7)
        assert not any(key in json.dumps(one.told) for key in ("kernel", "Traceback"))
        await one.leave()
        assert len(server.reception.sessions) == 0
        assert httpx.get(one.address + f"live/{one.session}").status_code == 410

    play(scene())


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


def test_a_lost_connection_keeps_its_state_and_is_not_kept_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        one = visitor(server)
        await one.attach()
        assert await drawn(one, 9)
        one.drop()
        session = next(iter(server.reception.sessions))
        await eventually(lambda: session.away is not None, "the server did not notice the loss")
        await one.connect()
        await one.learn()
        assert one.states[height(one)]["state"]["value"] == 9
        one.drop()
        await eventually(lambda: session.away is not None, "the server did not notice the loss")
        monkeypatch.setattr("genai4eu.dashboards.live.sessions.GRACE", 0.5)
        await eventually(lambda: len(server.reception.sessions) == 0, "a page that never came back kept its kernel")
        await one.connect()
        assert await closed(one) == 4410

    play(scene())


def _kernels(server: Server) -> list[psutil.Process]:
    assert server.tier.pid is not None
    below = psutil.Process(server.tier.pid).children(recursive=True)
    return [p for p in below if any("ipykernel" in part for part in p.cmdline())]


@pytest.mark.parametrize("what", ["kernels", "tier"])
def test_after_a_death_the_page_is_told_and_the_next_visitor_gets_a_kernel(server: Server, what: str) -> None:
    async def scene() -> None:
        one = visitor(server)
        await one.attach()
        assert server.tier.pid is not None and _kernels(server)
        for pid in [p.pid for p in _kernels(server)] if what == "kernels" else [server.tier.pid]:
            os.kill(pid, signal.SIGKILL)
        assert await closed(one) == 4410
        assert len(server.reception.sessions) == 0
        await one.attach()
        assert await drawn(one, 5)
        await one.leave()

    play(scene())


def test_eight_come_at_once_and_none_sees_the_others_moves(server: Server) -> None:
    async def scene() -> None:
        eight = [visitor(server) for _ in range(8)]
        await asyncio.gather(*(one.attach() for one in eight))
        assert len({one.session for one in eight}) == 8
        assert all(await asyncio.gather(*(drawn(one, value) for value, one in enumerate(eight, 3))))
        for value, one in enumerate(eight, 3):
            await one.learn()
            assert one.states[height(one)]["state"]["value"] == value
        await asyncio.gather(*(one.leave() for one in eight))

    play(scene())


def test_one_place_is_given_in_order_tickets_expire_and_the_stop_leaves_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", tempfile.mkdtemp(prefix="live", dir="/tmp"))
    with running(root, viewers=1) as narrow:

        async def scene() -> None:
            first, second, third, fourth = (visitor(narrow) for _ in range(4))
            await first.attach()
            waiting = [await one.ask() for one in (second, third, fourth)]
            assert [(told["state"], told["place"]) for told in waiting] == [("queue", n) for n in (1, 2, 3)]
            assert (await visitor(narrow, f"d/{OTHER}").ask(waiting[0]["ticket"]))["place"] == 4, (
                "a ticket of elsewhere"
            )
            monkeypatch.setattr(tickets, "KEPT", 0.5)  # nobody asks: the second goes, whoever asks moves up
            moved = await third.ask(waiting[1]["ticket"])
            assert (moved["state"], moved["place"]) == ("queue", 1) and moved["ticket"] == waiting[1]["ticket"]
            monkeypatch.setattr(tickets, "KEPT", 30)
            told, _ = await asyncio.gather(third.ask(moved["ticket"]), first.leave())
            while told["state"] != "live":
                told = await third.ask(moved["ticket"])
            assert len(narrow.reception.sessions) == 1
            late = await fourth.ask(waiting[2]["ticket"])
            assert late["ticket"] != waiting[2]["ticket"], "an expired ticket is a new wish"
            third.session, third.cells = told["session"], told["cells"]
            await third.connect()
            await third.learn()
            assert await drawn(third, 3)

        play(scene())
        assert narrow.tier.pid is not None
        left = [psutil.Process(narrow.tier.pid), *psutil.Process(narrow.tier.pid).children(recursive=True)]
        assert len(left) > 1 and list(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))
    _, alive = psutil.wait_procs(left, timeout=15)
    assert not alive
    Path(tempfile.gettempdir()).rmdir()  # empty


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
