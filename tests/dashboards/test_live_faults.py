"""Live views when things break: the server or a kernel dies, a figure never ends, nobody moves, all come at once."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.live import PREFIX
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import running
from genai4eu.kernels.warm.settings import UNTIL
from genai4eu.runs.record import Record

from ..benchmarks.viewers import Visitor
from .conftest import RUN, execute
from .live import BY_HAND, SLUG, closed, drawn, eventually, height, play, private

pytestmark = pytest.mark.slow
PATIENCE = 90_000  # ms
#: A wave whose kernel is killed, or computes for ever, where a visitor asks for one of these heights.
KILLED, ENDLESS = 7, 8
HEIGHTS = (3, 4, 5, 6, 9)
FAULTY = [
    (tag, source.replace(
        "def draw(height, colour):\n",
        "def draw(height, colour):\n"
        f"    if height == {KILLED}:\n        import os, signal, threading\n"
        "        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
        f"    while height in ({KILLED}, {ENDLESS}):\n        pass\n",
    ))
    for tag, source in BY_HAND
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A dashboard with those heights."""
    with private(tmp_path_factory.mktemp("faults")) as house:
        publish(Record(execute(house / "runs" / RUN, FAULTY)))
        yield dashboards_root()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files, which all that is started here uses, with a short name."""
    made = Path(tempfile.mkdtemp(prefix="live", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    monkeypatch.setenv("TMPDIR", str(made))
    yield made
    shutil.rmtree(made)


class Served:
    """``genai4eu serve`` as a person starts it.

    Parameters
    ----------
    port : int
        0 takes a free one.
    """

    def __init__(self, port: int = 0, *options: str) -> None:
        command = [str(Path(sys.executable).with_name("genai4eu")), "serve", "--port", str(port), "--no-browser"]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        said = re.search(r"http://\S+?:(\d+)/", self.process.stdout.readline())
        assert said, self.process.communicate()
        self.address, self.port = said[0], int(said[1])

    def below(self) -> list[psutil.Process]:
        """Return all that it started, also what is no child of its any more."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        tiers = {str(p.pid) for p in found}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process not in found and process.environ().get(UNTIL) in tiers:
                    found.append(process)
        return found

    def end(self, number: int) -> str:
        """End it by a signal, and return what it said."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[1]


@pytest.fixture
def serve(root: Path, folder: Path) -> Iterator[Any]:
    """Start servers, which end with the test."""
    started: list[Served] = []

    def start(*arguments: Any) -> Served:
        started.append(Served(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGTERM)


def _nothing_left(left: list[psutil.Process], folder: Path) -> None:
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive
    assert not list(folder.glob(f"{PREFIX}*"))


def test_a_killed_server_leaves_nothing_and_its_pages_go_on_with_the_next_one(serve: Any, folder: Path) -> None:
    first = serve()

    async def before() -> list[Visitor]:
        five = [Visitor(f"{first.address}d/{SLUG}/") for _ in range(5)]
        await asyncio.gather(*(one.attach() for one in five))
        assert all(await asyncio.gather(*(drawn(one, value) for value, one in zip(HEIGHTS, five, strict=True))))
        return five

    async def whole() -> None:
        five = await before()
        left = first.below()
        assert sum("ipykernel" in " ".join(p.cmdline()) for p in left) >= 5
        first.end(signal.SIGKILL)
        assert [await closed(one) for one in five] == [None] * 5  # it broke off: their pages try to come back
        await asyncio.to_thread(_nothing_left, left, folder)
        second = await asyncio.to_thread(serve, first.port)
        assert second.address == first.address
        for one in five:
            await one.connect()
            assert await closed(one) == 4410  # the next one knows nothing of their sessions, so they ask anew
        await asyncio.gather(*(one.attach() for one in five))
        assert all(await asyncio.gather(*(drawn(one, value) for value, one in zip(HEIGHTS, five, strict=True))))
        left = second.below()
        said = await asyncio.to_thread(second.end, signal.SIGINT)
        assert "Traceback" not in said, said
        await asyncio.to_thread(_nothing_left, left, folder)

    play(whole())


@pytest.mark.parametrize("places", [9, 30])
def test_twenty_who_come_in_the_same_second_are_served_or_queued_in_order(
    root: Path, bare_template: dict[str, str], monkeypatch: pytest.MonkeyPatch, places: int
) -> None:
    for name, value in bare_template.items():  # forty kernels are forked
        monkeypatch.setenv(name, value)
    with running(root, viewers=places) as cold:

        async def scene() -> None:
            twenty = [Visitor(f"{cold.address}d/{SLUG}/") for _ in range(20)]
            first = await asyncio.gather(*(one.ask() for one in twenty))
            waiting = sorted(told["place"] for told in first if told["state"] == "queue")
            assert waiting == list(range(1, max(0, 20 - places) + 1))
            assert all(told["state"] in ("live", "starting", "queue") for told in first), first
            order: list[int] = []
            line = sorted(
                range(20), key=lambda i: first[i].get("place", 0)
            )  # those who wait in the order of their places

            async def stay(number: int) -> None:
                one, told = twenty[number], first[number]
                while told["state"] in ("starting", "queue"):
                    last = told.get("place", 0)
                    told = await one.ask(told["ticket"])
                    assert told.get("place", 0) <= last, "somebody was put back"
                assert told["state"] == "live", told
                if first[number].get("place"):
                    order.append(number)
                one.session, one.cells = told["session"], told["cells"]
                await one.connect()
                await one.learn()
                assert await drawn(one, 3)
                assert len(cold.reception.sessions) <= places
                await one.leave()

            await asyncio.gather(*(stay(number) for number in range(20)))
            places_of = [first[number]["place"] for number in order]
            # two whose kernels come at the same moment may hear of it in either order, no more than that
            assert all(abs(place - at) <= 2 for at, place in enumerate(places_of, 1)), places_of
            assert len(line) == 20 and len(cold.reception.sessions) == 0

        play(scene())


@pytest.mark.parametrize("value", [KILLED, ENDLESS])
def test_a_kernel_that_dies_or_never_ends_in_a_figure_is_nobody_elses_trouble(root: Path, value: int) -> None:
    with running(root, viewers=2) as server:

        async def scene() -> None:
            one, other = (Visitor(f"{server.address}d/{SLUG}/") for _ in range(2))
            await asyncio.gather(one.attach(), other.attach())
            data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
            await one.say("comm_msg", {"comm_id": height(one), "data": data})
            assert await drawn(other, 3)
            if value == KILLED:
                assert await closed(one) == 4410
            else:
                await one.leave()  # the only way out of it, beside the idle time
            await eventually(lambda: len(server.reception.sessions) == 1, "the place was not given back")
            third = Visitor(f"{server.address}d/{SLUG}/")
            await third.attach()
            assert await drawn(third, 4) and await drawn(other, 5)
            await asyncio.gather(other.leave(), third.leave())

        play(scene())


def test_who_does_nothing_gives_the_kernel_back(root: Path) -> None:
    with running(root, viewers=1, idle=3) as server:

        async def scene() -> None:
            one, other = (Visitor(f"{server.address}d/{SLUG}/") for _ in range(2))
            await one.attach()
            told = await other.ask()
            assert told["state"] == "queue"
            assert await closed(one) == 4410
            while told["state"] != "live":
                told = await other.ask(told["ticket"])
            assert len(server.reception.sessions) == 1

        play(scene())


def test_kernels_are_the_first_to_go_where_memory_runs_out(root: Path) -> None:
    """The system ends what weighs most by this number, so an eater is ended before the server, and alone."""
    with running(root, viewers=1) as server:

        async def scene() -> None:
            one = Visitor(f"{server.address}d/{SLUG}/")
            await one.attach()
            assert server.tier.pid is not None
            own = int(Path("/proc/self/oom_score_adj").read_text("ascii"))
            for process in psutil.Process(server.tier.pid).children(recursive=True):
                assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text("ascii")) > own
            await one.leave()

        play(scene())


@pytest.mark.parametrize("moment", ["cold start", "kernel comes", "reserve is prepared", "live"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_any_moment_without_a_trace(serve: Any, folder: Path, moment: str, number: int) -> None:
    server = serve()

    async def scene() -> None:
        one = Visitor(f"{server.address}d/{SLUG}/")
        if moment == "cold start":
            asking: Any = asyncio.ensure_future(one.ask())
            await eventually(lambda: bool(server.below()), "no tier came")
        elif moment == "kernel comes":
            asking = asyncio.ensure_future(one.ask())
            await eventually(lambda: bool(list(folder.glob(f"{PREFIX}*/viewer-*"))), "no kernel came")
        else:
            await one.attach()
            assert await drawn(one, 3)
            asking = asyncio.ensure_future(asyncio.sleep(0))
            if moment == "reserve is prepared":
                await eventually(lambda: len(list(folder.glob(f"{PREFIX}*/viewer-*"))) == 2, "no reserve came")
        left = server.below()
        said = await asyncio.to_thread(server.end, number)
        assert server.process.returncode == 0 and "Traceback" not in said and "rror" not in said, said
        await asyncio.gather(asking, return_exceptions=True)
        await asyncio.to_thread(_nothing_left, left, folder)

    play(scene())


def _live(page: Page, address: str, presses: int) -> None:
    page.goto(f"{address}d/{SLUG}/")
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=PATIENCE)
    for _ in range(presses):
        page.get_by_role("slider", name="Height (m)").press("ArrowRight")
    expect(page.locator("#explore-chip")).to_have_text("Live", timeout=PATIENCE)
    _shows(page, 2 + presses)


def _shows(page: Page, value: int) -> None:
    picture = page.locator(".genai4eu-picture img")
    expect(picture).to_have_attribute("alt", f"A wave of {value} m; line", timeout=PATIENCE)


@pytest.mark.chromium
def test_in_a_browser_who_does_nothing_is_told_and_goes_on_at_the_next_touch(browser: Browser, root: Path) -> None:
    with running(root, idle=4) as server:
        page = browser.new_page()
        _live(page, server.address, 2)
        page.get_by_role("radio", name="orange").check()
        expect(page.locator("#explore-chip")).to_have_text("Paused", timeout=PATIENCE)
        expect(page.locator("#explore-status")).not_to_be_empty()
        assert len(server.reception.sessions) == 0
        _shows(page, 4)
        page.get_by_role("slider", name="Height (m)").press("ArrowRight")
        _shows(page, 5)
        expect(page.get_by_role("radio", name="orange")).to_be_checked()
        page.close()


@pytest.mark.chromium
def test_in_browsers_pages_outlive_a_killed_server(browser: Browser, serve: Any, folder: Path) -> None:
    first = serve()
    pages = [browser.new_page() for _ in range(2)]
    for presses, page in enumerate(pages, 1):
        _live(page, first.address, presses)
    left = first.below()
    first.end(signal.SIGKILL)
    for page in pages:
        expect(page.locator("html")).to_have_attribute("data-live", "lost", timeout=PATIENCE)
    _nothing_left(left, folder)
    serve(first.port)
    for presses, page in enumerate(pages, 1):
        expect(page.locator("#explore-chip")).to_have_text("Paused", timeout=PATIENCE)
        _shows(page, 2 + presses)
        page.get_by_role("slider", name="Height (m)").press("ArrowRight")
        _shows(page, 3 + presses)
        page.close()
