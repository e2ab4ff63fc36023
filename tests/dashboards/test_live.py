"""Live views on real kernels, spoken to without a browser: what a visitor gets, who waits, what ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import pytest

from genai4eu.dashboards.live import PREFIX, tickets
from genai4eu.dashboards.serving.server import Server, running

from .live import OTHER, SLUG, closed, drawn, eventually, height, link, play, root, server, visitor

__all__ = ["link", "root", "server"]

pytestmark = pytest.mark.slow


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
        await eventually(lambda: len(server.reception.sessions) == 0, "a session outlived its kernel")
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
            while waiting[2]["ticket"] in [ticket.key for ticket in narrow.reception.tickets]:
                moved = await third.ask(moved["ticket"])  # which keeps the third's
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
