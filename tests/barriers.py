"""Holds a page to what every page must be: no barriers, requests or sideways scrolling. Called by tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Request, sync_playwright


@contextmanager
def launched(chromium_path: str) -> Iterator[Browser]:
    """Run a browser for the time of a ``with``."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield started
        started.close()


def _note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def without_barriers(browser: Browser, path: Path) -> None:
    """Look at a page on a phone and on a screen, in the light and in the dark."""
    for width, colours in ((320, "dark"), (320, "light"), (1280, "dark"), (1280, "light")):
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=colours, bypass_csp=True)  # type: ignore[arg-type]
        shown = context.new_page()
        asked: list[str] = []
        shown.on("request", partial(_note, asked))
        shown.goto(path.as_uri())
        found = Axe().run(shown).response["violations"]
        assert not found, [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found]
        assert shown.evaluate("document.documentElement.scrollWidth") <= width
        assert not [url for url in asked if not url.startswith(("data:", path.as_uri()))]
        context.close()
