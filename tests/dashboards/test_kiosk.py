"""The experience centre's screen, in a real Chromium: the tour, its end by a touch, its return, and no way out."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Frame, Page, expect

from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from ..barriers import barriers_in
from .conftest import RUN
from .live import private

#: How many dashboards are shown one after the other; 500 where someone wants to know.
CYCLES = int(os.environ.get("GENAI4EU_CYCLES", "24"))
SLUGS = ("tiny-wave-a1b2", "tiny-wave-a1b3")


@pytest.fixture(scope="module")
def _two(executed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two dashboards, to be copied."""
    with private(tmp_path_factory.mktemp("two")) as house:
        for number in SLUGS:
            publish(Record(shutil.copytree(executed, house / "runs" / f"{RUN[:-1]}{number[-1]}")))
        return dashboards_root()


@pytest.fixture
def two(_two: Path, house: Path) -> Iterator[Server]:
    """A gallery with two dashboards."""
    with running(shutil.copytree(_two, dashboards_root()), viewers=1) as server:
        yield server


@pytest.fixture
def page(browser: Browser, two: Server) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    yield page
    page.close()


def _shown(page: Page) -> Frame:
    """Return the frame in sight."""
    expect(page.locator("iframe:not(.coming)")).to_have_count(1, timeout=30_000)
    handle = page.locator("iframe:not(.coming)").element_handle()
    frame = handle.content_frame() if handle else None
    assert handle is not None and frame is not None
    handle.dispose()  # who holds the node of a frame that is gone holds that frame
    return frame


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("seconds=0", "seconds must be a whole number from 5"),
        ("seconds=a", "seconds must be"),
        ("idle=-1", "idle must be"),
        ("seconds=" + "9" * 400, "seconds must be"),
        ("show=../x", "no dashboard called ../x"),
        ("show=<script>", "no dashboard called &lt;script&gt;"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(two: Server, query: str, says: str) -> None:
    answer = httpx.get(f"{two.address}kiosk?{query}")
    assert answer.status_code == 400 and says in answer.text


def test_a_dashboard_that_is_not_there_is_not_found(two: Server) -> None:
    assert httpx.get(f"{two.address}kiosk?show=no-such").status_code == 404


def test_one_that_is_not_there_keeps_the_others_from_nobody(two: Server) -> None:
    there, withdrawn = SLUGS
    Dashboard(dashboards_root() / withdrawn).decide(withdrawn=True)
    told = BeautifulSoup(httpx.get(f"{two.address}kiosk?show=no-such,{withdrawn},{there}").text, "html.parser")
    tour = told.find(id="tour")
    assert tour and [stop["address"] for stop in json.loads(tour.text)["stops"]] == [f"d/{there}/"]
    assert httpx.get(f"{two.address}kiosk?show={withdrawn}").status_code == 404


def test_without_dashboards_the_tour_says_so(tmp_path: Any) -> None:
    with running(tmp_path) as server:
        told = BeautifulSoup(httpx.get(server.address + "kiosk").text, "html.parser")
    assert "The tour begins when" in told.get_text()
    assert told.select_one(".guide[hidden]"), "there is nothing to go on to"


@pytest.mark.chromium
@pytest.mark.slow
def test_the_tour_goes_round_and_captions_what_it_points_at(page: Page, two: Server) -> None:
    page.goto(f"{two.address}kiosk?seconds=8&show={','.join(SLUGS)}")
    first = _shown(page).url
    expect(page.locator("#caption")).to_contain_text("The question")
    expect(page.locator("#caption")).to_contain_text("The answer", timeout=30_000)
    expect(page.locator("#caption")).to_contain_text("What the picture shows", timeout=30_000)
    expect(page.locator("#caption")).to_contain_text(re.compile(r"shows\s*\S"))
    place = _shown(page).locator(".main-figure img").first.bounding_box()
    guide = page.locator(".guide").bounding_box()
    assert place and guide and place["y"] >= 0 and place["y"] + place["height"] <= guide["y"], "the picture is whole"
    expect(page.locator("#place")).to_have_text("2 of 2", timeout=45_000)
    assert SLUGS[0] in first and SLUGS[1] in _shown(page).url
    expect(page.locator("#place")).to_have_text("1 of 2", timeout=45_000)
    assert page.evaluate("history.length") <= 2, "going back would lead through every dashboard"
    assert two.tier.pid is None, "a tour costs no kernel"


@pytest.mark.chromium
@pytest.mark.slow
def test_a_touch_stops_the_tour_and_the_next_visitor_finds_all_as_it_was(page: Page, two: Server) -> None:
    page.goto(f"{two.address}kiosk?seconds=5&idle=10&show={','.join(SLUGS)}")
    frame = _shown(page)
    expect(frame.locator("html")).to_have_attribute("data-widgets", "ready", timeout=30_000)
    frame.get_by_role("slider", name="Height (m)").press("ArrowRight")
    expect(page.locator("#place")).to_contain_text("You are trying it yourself")
    page.wait_for_timeout(6000)
    assert SLUGS[0] in _shown(page).url, "the tour went on under a visitor's hands"
    expect(page.locator("#place")).to_contain_text("seconds", timeout=15_000)
    expect(page.locator("#place")).to_have_text("1 of 2", timeout=30_000)
    again = _shown(page)
    expect(again.locator("html")).to_have_attribute("data-widgets", "ready", timeout=30_000)
    expect(again.get_by_role("slider", name="Height (m)")).to_have_attribute("aria-valuenow", re.compile("^2"))


@pytest.mark.chromium
@pytest.mark.slow
def test_nothing_leads_away(page: Page, two: Server) -> None:
    page.goto(f"{two.address}kiosk?seconds=600&show={SLUGS[0]}")
    frame = _shown(page)
    addresses = (page.url, frame.url)
    links = frame.locator("a[href]")
    assert links.count() > 0
    for number in range(links.count()):
        links.nth(number).dispatch_event("click")
    assert page.locator("a[href]").count() == 0
    page.wait_for_timeout(300)
    assert (page.url, _shown(page).url) == addresses and len(page.context.pages) == 1
    assert not frame.evaluate(
        "document.body.dispatchEvent(new MouseEvent('contextmenu', {cancelable: true, bubbles: true}))"
    )


@pytest.mark.chromium
@pytest.mark.slow
def test_a_stopped_tour_stays_until_it_is_told_to_go_on(page: Page, two: Server) -> None:
    page.goto(f"{two.address}kiosk?seconds=5&show={','.join(SLUGS)}")
    _shown(page)
    page.get_by_role("button", name="Stop the tour").click()
    page.wait_for_timeout(6500)
    assert SLUGS[0] in _shown(page).url
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#place")).to_have_text("2 of 2", timeout=30_000)
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("#place")).to_have_text("1 of 2", timeout=30_000)


@pytest.mark.chromium
@pytest.mark.slow
def test_without_a_network_the_tour_goes_on(page: Page, two: Server) -> None:
    page.goto(f"{two.address}kiosk?seconds=600&show={','.join(SLUGS)}")
    _shown(page)
    page.wait_for_function("navigator.serviceWorker.controller")
    for number in (1, 0):  # each is kept when it is shown
        page.evaluate(f"genai4euKiosk.show({number})")
        expect(page.locator("#place")).to_have_text(f"{number + 1} of 2", timeout=30_000)
        expect(_shown(page).locator("html")).to_have_attribute("data-widgets", "ready", timeout=30_000)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#place")).to_have_text("1 of 2", timeout=30_000)
    page.evaluate("genai4euKiosk.show(1)")
    expect(page.locator("#place")).to_have_text("2 of 2", timeout=30_000)
    expect(_shown(page).get_by_alt_text("The wave peaks at 1 m")).to_be_visible()
    page.context.set_offline(False)


@pytest.mark.chromium
@pytest.mark.slow
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_screen_has_no_barrier_and_large_type(browser: Browser, two: Server, width: int, colours: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=colours, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{two.address}kiosk?seconds=600")
    expect(_shown(page).locator("html")).to_have_attribute("data-widgets", "ready", timeout=30_000)
    assert not (found := barriers_in(page)), found
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.locator("button").all():
        box = button.bounding_box()
        assert box is not None and min(box["width"], box["height"]) >= 44
    if width == 1280:
        sizes = _shown(page).evaluate(
            "Array.from(document.querySelectorAll('p, h1, h2, dd, label, .widget-label')).filter(e => e.offsetParent)"
            ".map(e => [parseFloat(getComputedStyle(e).fontSize) * document.body.currentCSSZoom, e.outerHTML])"
        )
        assert sizes and min(sizes)[0] >= 24, min(sizes)
    context.close()


@pytest.mark.chromium
@pytest.mark.slow
def test_it_does_not_grow_from_round_to_round(page: Page, two: Server) -> None:
    page.goto(f"{two.address}kiosk?seconds=600&show={','.join(SLUGS)}")
    _shown(page)
    protocol = page.context.new_cdp_session(page)

    def counts(rounds: int) -> dict[str, int]:
        for number in range(rounds):
            page.evaluate(f"genai4euKiosk.show({number + 1})")
            expect(page.locator("#place")).to_have_text(f"{(number + 1) % 2 + 1} of 2", timeout=30_000)
            expect(_shown(page).locator("html")).to_have_attribute("data-widgets", "ready", timeout=30_000)
        for _ in range(3):
            protocol.send("HeapProfiler.collectGarbage")
            page.wait_for_timeout(200)
        heap: int = protocol.send("Runtime.getHeapUsage")["usedSize"]
        return {**protocol.send("Memory.getDOMCounters"), "heap": heap}

    before = counts(6)
    for rounds in (CYCLES // 10, CYCLES // 2 - CYCLES // 10, CYCLES - CYCLES // 2):
        after = counts(rounds)
        print(rounds, after)  # with -s, for who wants to know
        for name in ("documents", "nodes", "jsEventListeners"):
            assert after[name] <= before[name] * 1.2, (name, before, after)
        assert after["heap"] <= before["heap"] * 1.2 + 2e6, (before, after)
