"""What EN 301 549 asks of every kind of page: axe, keyboard, reflow, spacing of text, motion, colours, targets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from jupyter_server.auth.security import passwd
from playwright.sync_api import Browser, Page

from genai4eu.dashboards.dashboard import Dashboard, dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from ..barriers import COLOURS, WIDTHS, barriers_in, looks, sideways

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
SLUG = "d/tiny-wave-a1b2/"
PAGES = ("", "?q=zebra", SLUG, f"{SLUG}evidence", "accessibility", "sign-in", "no/such/page")
#: WCAG 2.2 AA and what axe knows beside it.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
#: Spacing that a reader may ask for (WCAG 1.4.12).
SPACED = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
#: What is focused: its name, its size and place, and whether it has an outline.
FOCUSED = """() => { const e = document.activeElement, b = e.getBoundingClientRect(), s = getComputedStyle(e);
  return {tag: e.tagName, name: e.outerHTML.slice(0, 120), width: b.width, height: b.height, right: b.right,
    left: b.left, outline: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2}; }"""
#: Links inside a sentence may be smaller than a finger (WCAG 2.5.5, exception for inline targets).
SMALL = """() => [...document.querySelectorAll("a, button, summary, select, input:not([type=hidden])")]
  .filter((e) => e.checkVisibility({checkVisibilityCSS: true}) && e.getClientRects().length && !e.matches(".skip")
    && !e.closest(".prose, .bound, .cards h3"))
  .map((e) => [e.outerHTML.slice(0, 100), e.getBoundingClientRect()])
  .filter(([, b]) => b.height && b.height < 43.5).map(([html, b]) => `${Math.round(b.height)} px: ${html}`)"""


@pytest.fixture(scope="module")
def _window(_chromium: Browser) -> Iterator[Page]:
    """One page for the tests of the file: another context would read all scripts anew."""
    context = _chromium.new_context(bypass_csp=True, locale="en")
    yield context.new_page()
    context.close()


@pytest.fixture
def page(_window: Page) -> Page:
    """A visitor's page as if just opened: 1280 pixels wide, without cookies and wishes."""
    _window.goto("about:blank")
    _window.context.clear_cookies()
    _window.set_viewport_size({"width": 1280, "height": 800})
    _window.emulate_media(color_scheme="light", reduced_motion="null", forced_colors="null")
    return _window


def _narrow(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_barrier_on_any_page(page: Page, gallery: Server, width: int) -> None:
    _narrow(page, width)
    for path in PAGES:
        page.goto(gallery.address + path)
        page.emulate_media(color_scheme="light")
        assert not (found := barriers_in(page, RULES)), (path, found)
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        for colours in COLOURS:  # what lies below a line to press counts too
            page.emulate_media(color_scheme=colours)
            assert not (found := barriers_in(page, RULES)), (path, colours, found)
            assert sideways(page) <= 0, f"{path} scrolls sideways at {width} px"


def _no_barrier(page: Page, what: str) -> None:
    for look in looks(page):
        assert not (found := barriers_in(page, RULES)), (what, look, found)
        assert sideways(page) <= 0, f"{what} scrolls sideways: {look}"


def test_axe_finds_no_barrier_in_what_a_visitor_brings_about(page: Page, record: Record, tmp_path: Path) -> None:
    """A live view, signing in, a wrong password, a dashboard whose day is over: states, which no address shows."""
    published = publish(record)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"IdentityProvider": {"hashed_password": passwd("sesame", "sha256")}}), "utf-8")
    with running(dashboards_root(), config=config, viewers=1) as server:
        page.goto(server.address + SLUG)
        page.wait_for_selector("html[data-widgets=ready]", timeout=90_000)
        page.get_by_role("slider", name="Height (m)").press("ArrowRight")
        page.wait_for_selector("#explore-chip.live", timeout=90_000)
        _no_barrier(page, "the live view")
        page.goto(f"{server.address}sign-in")
        _no_barrier(page, "the sign-in form")
        page.fill("#password", "wrong")
        page.click("main button")
        page.wait_for_selector("#wrong")
        _no_barrier(page, "a wrong password")
        Dashboard(dashboards_root() / published.slug).decide(
            expires=(datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        )
        answer = page.goto(server.address + SLUG)
        assert answer is not None and answer.status == 410
        _no_barrier(page, "an ended dashboard")


@pytest.mark.parametrize("name", ["nl", "de", "fr"])
def test_axe_finds_no_barrier_in_other_languages(page: Page, gallery: Server, name: str) -> None:
    _narrow(page, 320)
    for path in (SLUG, "accessibility"):
        page.goto(f"{gallery.address}{path}?lang={name}")
        assert not barriers_in(page, RULES)
        assert sideways(page) <= 0


@pytest.mark.parametrize("width", [320, 1280])
def test_the_keyboard_reaches_everything_in_sight_and_leaves_it(page: Page, gallery: Server, width: int) -> None:
    _narrow(page, width)
    for path in PAGES:
        page.goto(gallery.address + path)
        seen: list[str] = []
        for _ in range(150):
            page.keyboard.press("Tab")
            at = page.evaluate(FOCUSED)
            if at["tag"] == "BODY":
                break
            assert at["width"] > 0 and at["height"] > 0 and at["right"] > 0 and at["left"] < width, (path, at)
            assert at["outline"], f"{path}: focus cannot be seen on {at['name']}"
            seen.append(at["name"])
        else:
            raise AssertionError(f"{path}: the keyboard does not come out again: {seen[-3:]}")
        assert "skip" in seen[0] and len(seen) >= 4, (path, seen)


def test_the_first_stop_leads_past_the_frame(page: Page, gallery: Server) -> None:
    page.goto(gallery.address + SLUG)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_language_switch_works_with_the_keyboard(page: Page, gallery: Server) -> None:
    page.goto(gallery.address + SLUG)
    page.locator(".languages summary").focus()
    page.keyboard.press("Enter")
    page.locator(".languages a[hreflang=nl]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?lang=nl")
    assert page.evaluate("document.documentElement.lang") == "nl"


def test_text_may_be_spaced_and_doubled(page: Page, gallery: Server) -> None:
    _narrow(page, 640)
    for path in PAGES:
        page.goto(gallery.address + path)
        page.add_style_tag(content=SPACED)
        assert sideways(page) <= 0, f"{path} scrolls sideways with wider text"
        page.add_style_tag(content="html { font-size: 34px !important; }")
        assert sideways(page) <= 0, f"{path} scrolls sideways with text of twice the size"


def test_nothing_moves_for_who_asked_for_that(page: Page, gallery: Server) -> None:
    page.emulate_media(reduced_motion="reduce")
    for path in PAGES:
        page.goto(gallery.address + path)
        moving = """() => [...document.querySelectorAll("*")].map((e) => getComputedStyle(e)).filter((s) =>
          s.animationName !== "none" || s.transitionDuration.split(",").some((d) => parseFloat(d) > 0.001)).length"""
        assert page.evaluate(moving) == 0, path


def test_focus_and_controls_are_seen_in_forced_colours(page: Page, gallery: Server) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(gallery.address + SLUG)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["outline"]
    assert not barriers_in(page, RULES)


@pytest.mark.parametrize("width", [320, 1280])
def test_targets_fit_a_finger(page: Page, gallery: Server, width: int) -> None:
    _narrow(page, width)
    for path in PAGES:
        page.goto(gallery.address + path)
        assert not (small := page.evaluate(SMALL)), (path, small)


def test_the_statement_is_one_link_away_and_names_whom_to_ask(record: Record) -> None:
    publish(record)
    with running(dashboards_root(), contact="access@centre.example") as server:
        for path in PAGES:
            assert "Accessibility statement</a>" in httpx.get(server.address + path).text, path
        said = httpx.get(server.address + "accessibility?lang=de").text
    assert '<a href="mailto:access@centre.example">' in said and "Erklärung zur Barrierefreiheit" in said
    assert "EN 301 549" in said and "Nederlands" in said
