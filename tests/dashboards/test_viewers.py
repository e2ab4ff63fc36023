"""Viewers on a dashboard, in a real Chromium: a picture on the frozen page, the viewer itself in the live view."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import httpx
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect, sync_playwright

from genai4eu.dashboards.server import Server

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
_PATIENCE = 90_000  # ms; the first live view of a computer starts a server and a kernel
_SOFTWARE = ["use-angle=swiftshader", "enable-unsafe-swiftshader", "ignore-gpu-blocklist"]  # WebGL without a card
_QUIET = ["no-sandbox", "disable-background-networking", "disable-component-update", "disable-sync", "no-first-run"]
STILL = (
    "still = \"<figure><img alt='{alt}' width='9' height='9' "
    "src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></figure>\"\n"
)
VIEWERS = {
    "volume": (
        "Two lesions of 8 mL; planes, 0 to 1.",
        "import numpy as np\nfrom genai4eu.widgets import VolumeViewer\n"
        "cube = np.zeros((8, 9, 10)); cube[2:6, 3:6, 3:7] = 1\n"
        "VolumeViewer(cube, {alt!r}, cube > 0.5, {{1: 'lesion'}}, (5, 4, 4), fallback=still)",
    ),
    "structure": (
        "LiF: a cell of two atoms.",
        "from genai4eu.widgets import StructureViewer\n"
        "salt = dict(name='LiF', lattice=[[4, 0, 0], [0, 4, 0], [0, 0, 4]], elements=['Li', 'F'], alt={alt!r},\n"
        "            places=[[0, 0, 0], [0.5, 0.5, 0.5]])\n"
        "StructureViewer([salt], fallback=still)",
    ),
}


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = [f"--{name}" for name in (*_QUIET, *_SOFTWARE)]
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


def _cells(alt: str, source: str) -> list[tuple[str, str]]:
    shown = STILL.format(alt=alt) + source.format(alt=alt)
    answer = "from IPython.display import Markdown\nMarkdown('Yes, in 2 of 2.')"
    return [
        ("parameters", "seed: int = 0"),
        ("dashboard", "# Is it there?"),
        ("dashboard", answer),
        ("dashboard", shown),
    ]


def _live(page: Page, server: Server) -> FrameLocator:
    page.get_by_role("button", name="Try it live").click()
    expect(page.locator("#explore-chip")).to_have_text("Live", timeout=_PATIENCE)
    return page.frame_locator("#explore-live iframe")


def _drawn_height(canvas: Locator) -> float:
    """Return what share of a canvas's height is drawn on, by a screenshot."""
    picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L")).astype(int)
    rows = np.flatnonzero((abs(picture - picture[2, 2]) > 40)[2:-2, 2:-2].any(1))
    return float(np.ptp(rows)) / len(picture) if len(rows) else 0.0


def _watched(page: Page) -> tuple[set[str], list[str]]:
    """Return what fills with the host of every request, and with every error that the browser tells."""
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda request: hosts.add(httpx.URL(request.url).host))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    return hosts, errors


@pytest.mark.parametrize("name", sorted(VIEWERS))
def test_a_viewer_is_a_picture_until_it_is_live(
    name: str, browser: Browser, served: Callable[[list[tuple[str, str]]], Server]
) -> None:
    alt, source = VIEWERS[name]
    server = served(_cells(alt, source))
    for width in (1280, 320):
        page = browser.new_page(viewport={"width": width, "height": 900})
        hosts, errors = _watched(page)
        page.goto(server.address + "d/tiny-wave-a1b2/")
        expect(page.get_by_role("img", name=alt)).to_be_visible()
        assert page.locator("canvas").count() == 0 and (server.tier.pid is None or width == 320)
        frame = _live(page, server)
        expect(frame.locator("canvas").first).to_be_visible(timeout=_PATIENCE)
        assert name != "structure" or _drawn_height(frame.locator("canvas").first) > 0.4, "a cell is lost in its frame"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
        assert hosts <= {"127.0.0.1", ""} and not errors, (hosts, errors)
        page.close()
