"""Holds a page to what every page must be: no barriers, requests or sideways scrolling. Called by tests of pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

WIDTHS = (320, 1280)
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def looks(page: Page) -> Iterator[str]:
    """Bring a page that is open to each width in both colours; say which."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for colours in COLOURS:
            page.emulate_media(color_scheme=colours)
            yield f"{colours}, {width} px"


def sideways(page: Page) -> int:
    """Return by how many pixels a page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def barriers_in(page: Page, rules: Sequence[str] = (), context: str | None = None) -> list[tuple[str, list[str]]]:
    """Return the rules that a page breaks as it stands, each with the elements that do.

    Parameters
    ----------
    page : Page
        In its state.
    rules : sequence of str
        Tags of axe's rules; without any, all that axe holds a page to of itself.
    context : str, optional
        CSS selector of the part that is looked at.
    """
    # What is not broken is not told of one by one: told of, it takes twice the time.
    options: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [(rule["id"], [node["html"][:160] for node in rule["nodes"]]) for rule in found]


def _note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def without_barriers(browser: Browser, path: Path) -> None:
    """Look at a page on a phone and on a screen, in the light and in the dark."""
    context = browser.new_context(bypass_csp=True)
    shown = context.new_page()
    asked: list[str] = []
    shown.on("request", partial(_note, asked))
    for look in looks(shown):
        shown.goto(path.as_uri())
        assert not (found := barriers_in(shown)), (look, found)
        assert sideways(shown) <= 0, look
    assert not [url for url in asked if not url.startswith(("data:", path.as_uri()))]
    context.close()
