"""What a visitor with a browser waits for: until a page can be used, and from a touch to Python's answer.

Called by the benchmark of dashboards; a real Chromium, a fresh context for every page, so that nothing is cached.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

#: Notes when a key goes down, and when the picture is another.
_WATCH = """() => {
  const image = document.querySelector('.genai4eu-picture img');
  const first = image.src;
  addEventListener('keydown', () => { window.pressed ??= performance.now(); }, true);
  new MutationObserver(() => {
    const now = document.querySelector('.genai4eu-picture img');
    if (now && now.src !== first) window.answered ??= performance.now();
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
_PATIENCE = 180_000  # ms


@contextmanager
def chromium(path: str) -> Iterator[Any]:
    """Open a browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


def visit(browser: Any, address: str, ready: str) -> dict[str, float]:
    """Open a page, move its slider once, and return the milliseconds: first paint, usable, touch to answer."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    page: Page = context.new_page()
    began = time.perf_counter()
    page.goto(address, timeout=_PATIENCE)
    page.wait_for_selector(ready, state="attached", timeout=_PATIENCE)
    slider = page.locator(".noUi-handle").first
    expect(slider).to_be_visible(timeout=_PATIENCE)
    usable = 1000 * (time.perf_counter() - began)
    page.evaluate(_WATCH)
    slider.press("ArrowRight")
    page.wait_for_function("window.answered", timeout=_PATIENCE)
    answer = page.evaluate("window.answered - window.pressed")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")
    context.close()
    return {"first_paint_ms": paint, "usable_ms": usable, "touch_to_answer_ms": answer}
