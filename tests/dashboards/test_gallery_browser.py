"""The gallery in a real Chromium: it is searched without a reload, tells screen readers, and works without script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running

from ..barriers import barriers_in, looks, sideways
from .test_gallery import Add, add

__all__ = ["add"]

pytestmark = [pytest.mark.chromium, pytest.mark.slow]


@pytest.fixture
def gallery(add: Add, published: Published) -> Iterator[Server]:
    """Thirty dashboards of two sectors."""
    for number in range(28):
        add(f"wave-{number:04d}")
    add("soil-0001", sector="agrifood", question="How much water does maize need?")
    with running(dashboards_root()) as server:
        yield server


def test_typing_narrows_the_list_at_once(browser: Browser, gallery: Server) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(gallery.address)
    page.evaluate("window.stayed = true")
    expect(page.locator(".card")).to_have_count(24)
    expect(page.get_by_role("button", name="Show", exact=True)).to_be_hidden()
    page.get_by_label("Search").press_sequentially("mai")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 dashboard")
    assert page.url.endswith("?q=mai") and page.evaluate("window.stayed")
    page.get_by_label("Search").fill("nothing like it")
    expect(page.get_by_role("status")).to_contain_text("0 dashboards. No dashboard has all of this.")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".card")).to_have_count(24)
    expect(page.get_by_label("Search")).to_have_value("")
    page.get_by_label("Sector").select_option("agrifood")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_label("Sector").select_option("")
    page.get_by_role("link", name="Next page").click()
    expect(page.locator(".card")).to_have_count(6)
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    page.reload()
    expect(page.locator(".card")).to_have_count(6)
    assert not errors
    page.close()


def test_a_server_that_is_away_is_told_and_the_list_stays(browser: Browser, gallery: Server) -> None:
    page = browser.new_page()
    page.goto(gallery.address)
    page.route("**/?q=*", lambda route: route.abort())
    page.get_by_label("Search").fill("maize")
    expect(page.get_by_role("status")).to_contain_text("could not be loaded")
    expect(page.get_by_role("button", name="Show", exact=True)).to_be_visible()
    expect(page.locator(".card")).to_have_count(24)
    page.unroute_all()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".card")).to_have_count(1)
    page.close()


def test_without_script_the_form_does_it(browser: Browser, gallery: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(gallery.address)
    page.get_by_label("Search").fill("maize")
    page.get_by_label("Sector").select_option("agrifood")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("link", name="Show all").click()
    expect(page.locator(".card")).to_have_count(24)
    context.close()


def test_there_are_no_barriers(browser: Browser, gallery: Server) -> None:
    page = browser.new_page()
    page.goto(gallery.address)
    for look in looks(page):
        assert not (found := barriers_in(page)), (look, found)
        assert sideways(page) <= 0, look
