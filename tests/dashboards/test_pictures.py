"""Every page as a visitor sees it, at a desk's width and a phone's: none is empty, none scrolls sideways.

With ``GENAI4EU_PICTURES`` a folder, the pictures are kept there, as the README shows them; with
``GENAI4EU_PICTURES_RUNS`` a folder of records, of those instead of the tests' small run::

    GENAI4EU_PICTURES=docs/pictures GENAI4EU_PICTURES_RUNS=runs python -P -m pytest tests/dashboards/test_pictures.py
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from genai4eu.dashboards.dashboard import all_dashboards, dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from ..chromium import FLAT, SOFTWARE
from ..pictures import keep

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
SIZES = {1280: 800, 320: 640}
PAGES = ("gallery", "frozen", "live", "evidence", "kiosk")
_PATIENCE = 120_000


@pytest.fixture(scope="module")
def browser_options() -> tuple[str, ...]:
    """What draws volumes and crystals, where the records may have some: it takes the pages twice the time."""
    return SOFTWARE if os.environ.get("GENAI4EU_PICTURES_RUNS") else FLAT


@pytest.fixture
def shown(record: Record) -> Iterator[tuple[Server, str]]:
    """A gallery, and which of its dashboards is looked at."""
    given = os.environ.get("GENAI4EU_PICTURES_RUNS")
    records = [Record(p) for p in sorted(Path(given).iterdir()) if (p / "run.json").is_file()] if given else [record]
    for one in records:
        publish(one)
    slugs = [d.slug for d in all_dashboards(dashboards_root())]
    with running(dashboards_root(), viewers=1) as server:
        yield server, next((s for s in slugs if s.startswith("climate")), slugs[0])


def _ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=_PATIENCE)


def _open(page: Page, name: str, address: str, slug: str) -> None:
    """Bring a page into the state that its name says."""
    paths = {"gallery": "", "evidence": f"d/{slug}/evidence", "kiosk": f"kiosk?seconds=600&show={slug}"}
    page.goto(f"{address}{paths.get(name, f'd/{slug}/')}")
    if name in ("frozen", "live"):
        _ready(page)
    if name == "live":
        page.locator("#explore .noUi-handle").first.press("ArrowRight")
        expect(page.locator("#explore-chip")).to_have_class("chip live", timeout=_PATIENCE)
        expect(page.locator(".genai4eu-busy")).to_have_count(0, timeout=_PATIENCE)
        page.locator("#explore").scroll_into_view_if_needed()
        page.evaluate("scrollTo(0, document.getElementById('explore').getBoundingClientRect().top + scrollY - 16)")
    if name == "kiosk":
        expect(page.locator("iframe:not(.coming)")).to_have_count(1, timeout=_PATIENCE)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(300)


def test_every_page_is_seen(browser: Browser, shown: tuple[Server, str]) -> None:
    server, slug = shown
    for width, height in SIZES.items():
        page = browser.new_page(viewport={"width": width, "height": height})
        for name in PAGES:
            _open(page, name, server.address, slug)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            grey = np.asarray(picture.convert("L")).astype(int)
            assert (abs(grey - np.median(grey)) > 60).mean() > 0.01, f"{name} at {width} px is empty"
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} scrolls at {width} px"
            keep(name, width, picture)
        page.close()
