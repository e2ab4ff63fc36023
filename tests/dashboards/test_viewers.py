"""Viewers on a dashboard, in a real Chromium: they draw what was recorded, with no kernel; pictures without script."""

from __future__ import annotations

import io
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from genai4eu.dashboards.serving.server import Server

from ..barriers import barriers_in
from ..chromium import SOFTWARE

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
_PATIENCE = 90_000  # ms; the first live view of a computer starts a server and a kernel
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
def browser_options() -> tuple[str, ...]:
    return SOFTWARE


def _cells(alt: str, source: str) -> list[tuple[str, str]]:
    shown = STILL.format(alt=alt) + source.format(alt=alt)
    answer = "from IPython.display import Markdown\nMarkdown('Yes, in 2 of 2.')"
    return [
        ("parameters", "seed: int = 0"),
        ("dashboard", "# Is it there?"),
        ("dashboard", answer),
        ("dashboard", shown),
    ]


def _drawn_height(canvas: Locator) -> float:
    """Return what share of a canvas's height is drawn on, by a screenshot."""
    picture = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("L")).astype(int)
    rows = np.flatnonzero((abs(picture - picture[2, 2]) > 40)[2:-2, 2:-2].any(1))
    return float(np.ptp(rows)) / len(picture) if len(rows) else 0.0


def _eventually_drawn(page: Page, canvas: Locator) -> float:
    """Return the share that is drawn on; a scene appears some frames after its canvas."""
    for _ in range(40):
        if (share := _drawn_height(canvas)) > 0.4:
            break
        page.wait_for_timeout(250)
    return share


def _watched(page: Page) -> tuple[set[str], list[str]]:
    """Return what fills with the host of every request, and with every error that the browser tells."""
    hosts: set[str] = set()
    errors: list[str] = []
    page.on("request", lambda request: hosts.add(httpx.URL(request.url).host))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    return hosts, errors


@pytest.mark.parametrize("name", sorted(VIEWERS))
def test_a_viewer_draws_what_was_recorded_and_needs_no_kernel(
    name: str, browser: Browser, served: Callable[[list[tuple[str, str]]], Server]
) -> None:
    alt, source = VIEWERS[name]
    server = served(_cells(alt, source))
    page = browser.new_page()
    hosts, errors = _watched(page)
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(server.address + "d/tiny-wave-a1b2/")
        expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=_PATIENCE)
        canvas = page.locator("canvas").first
        expect(canvas).to_be_visible(timeout=_PATIENCE)
        assert page.locator(".recorded img:visible").count() == 0, "the picture stands beside its viewer"
        assert name != "structure" or _eventually_drawn(page, canvas) > 0.4, "a cell is lost in its frame"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not (found := barriers_in(page)), found
        assert hosts <= {"127.0.0.1", ""} and not errors, (hosts, errors)
        assert server.tier.pid is None
    page.close()


def test_without_scripts_a_viewer_is_its_picture(
    browser: Browser, served: Callable[[list[tuple[str, str]]], Server]
) -> None:
    alt, source = VIEWERS["structure"]
    server = served(_cells(alt, source))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address + "d/tiny-wave-a1b2/")
    expect(page.get_by_role("img", name=alt)).to_be_visible()
    context.close()


PLAIN = [
    ("parameters", "seed: int = 0"),
    ("dashboard", "# How much is it?"),
    (
        "dashboard",
        "from IPython.display import Markdown, display\nimport ipywidgets as w\n"
        "display(Markdown('It is **2 m**.'))\n"
        "a, b = w.IntSlider(2, 0, 9, description='Height'), w.IntSlider(2, 0, 9, description='Follows')\n"
        "link = w.jslink((a, 'value'), (b, 'value'))\nbutton, said = w.Button(description='Say it'), w.Output()\n"
        "def say(_):\n    with said:\n        print('height', a.value)\n"
        "button.on_click(say)\ndisplay(w.VBox([a, b, button, said]))",
    ),
    ("dashboard", "w.interact(lambda x: x * 10, x=w.IntSlider(3, 0, 9, description='Times ten'))"),
]


def test_plain_widgets_links_buttons_and_outputs_come_alive(
    browser: Browser, served: Callable[[list[tuple[str, str]]], Server]
) -> None:
    server = served(PLAIN)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(server.address + "d/tiny-wave-a1b2/")
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=_PATIENCE)
    handles = page.locator(".noUi-handle")
    expect(page.locator(".widget-output").last).to_contain_text("30")
    handles.nth(2).press("ArrowRight")
    expect(page.locator(".widget-output").last).to_contain_text("40", timeout=_PATIENCE)
    handles.nth(0).press("ArrowRight")
    expect(handles.nth(1)).to_have_attribute("aria-valuenow", "3.0")
    page.get_by_role("button", name="Say it").click()
    expect(page.locator(".widget-output").first).to_contain_text("height 3")
    page.close()
