"""What a visitor sees, in a real Chromium: the frozen page without a kernel, the live view, barriers in neither."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.live.tier import _PASSED
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.kernels.warm import client
from genai4eu.kernels.warm.variables import fixed
from genai4eu.runs.record import Record

from .live import by_hand, one_by_hand, swift

__all__ = ["by_hand", "one_by_hand", "swift"]

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
_PATIENCE = 90_000  # ms; the first live view of a computer starts a server and a kernel


@pytest.fixture(scope="module")
def chromium_path(whole_chromium_path: str) -> str:
    """Chromium as visitors have it: a page that is closed tells its server, which ends its kernel."""
    return whole_chromium_path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=False)
    yield page
    page.close()


def _hosts(page: Page) -> set[str]:
    """Return a set that fills with the host of every request the page makes."""
    seen: set[str] = set()
    page.on("request", lambda request: seen.add(httpx.URL(request.url).host))
    return seen


def _kernels(server: Server) -> list[psutil.Process]:
    """Return the kernels below the live tier."""
    if server.tier.pid is None:
        return []
    below = psutil.Process(server.tier.pid).children(recursive=True)
    return [p for p in below if any("ipykernel" in part for part in p.cmdline())]


def _open(page: Page, server: Server) -> Locator:
    """Open the dashboard; return its slider once the widgets are there."""
    page.goto(server.address + "d/tiny-wave-a1b2/")
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=_PATIENCE)
    return page.get_by_role("slider", name="Height (m)")


def _go_live(page: Page, server: Server) -> None:
    _open(page, server).press("ArrowRight")
    expect(page.locator("#explore-chip")).to_have_text("Live", timeout=_PATIENCE)
    expect(_picture(page)).to_have_attribute("alt", "A wave of 3 m; line", timeout=_PATIENCE)


def _picture(page: Page) -> Locator:
    return page.locator(".genai4eu-picture img")


def test_the_frozen_page_needs_no_kernel_and_no_other_host(page: Page, server: Server) -> None:
    seen, errors = _hosts(page), []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(server.address)
    page.get_by_role("link", name="Does a higher wave carry further?").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Does a higher wave carry further?")
    expect(page.get_by_alt_text("The wave peaks at 1 m")).to_be_visible()
    page.get_by_role("link", name="See the evidence").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Evidence")
    assert seen == {"127.0.0.1"} and server.tier.pid is None and not errors


def test_the_frozen_page_can_be_read_without_scripts(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.address + "d/tiny-wave-a1b2/")
    expect(page.get_by_text("What this does not show")).to_be_visible()
    expect(page.get_by_alt_text("A wave of 2 m; line")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    context.close()


def test_widgets_stand_on_the_frozen_page_as_they_were_recorded(page: Page, server: Server) -> None:
    """They take their pictures' place, name themselves, and start no kernel; nor does what moves no setting."""
    slider = _open(page, server)
    expect(slider).to_have_attribute("aria-valuenow", re.compile("^2"))
    expect(page.get_by_role("radio", name="blue")).to_be_checked()
    expect(_picture(page)).to_have_attribute("alt", "A wave of 2 m; line")
    assert page.locator("img[alt='A wave of 2 m; line']:visible").count() == 1
    expect(page.locator("#explore-chip")).to_have_text("Recorded result")
    slider.focus()
    page.keyboard.press("Tab")
    page.locator("#explore-heading").click()
    assert server.tier.pid is None


def test_a_touch_brings_a_kernel_that_answers_in_the_same_place(page: Page, server: Server) -> None:
    seen = _hosts(page)
    slider = _open(page, server)
    before = _picture(page).get_attribute("src")
    page.evaluate("document.querySelector('.genai4eu-explorer').dataset.mark = 'the same'")
    slider.press("ArrowRight")
    expect(_picture(page)).to_have_attribute("alt", "A wave of 3 m; line", timeout=_PATIENCE)
    expect(page.locator("#explore-chip")).to_have_text("Live")
    assert _picture(page).get_attribute("src") != before
    assert page.evaluate("document.querySelector('.genai4eu-explorer').dataset.mark") == "the same", "drawn anew"
    page.get_by_role("radio", name="orange").check()
    slider.press("ArrowRight")
    expect(_picture(page)).to_have_attribute("alt", "A wave of 4 m; line")
    assert seen == {"127.0.0.1"} and not page.context.cookies()
    (kernel,) = _kernels(server)
    _leaves_no_secret(kernel, server)
    page.close()
    kernel.wait(timeout=30)


def test_what_is_changed_while_the_kernel_comes_is_not_lost(page: Page, swift: Server) -> None:
    slider = _open(page, swift)
    for _ in range(4):
        slider.press("ArrowRight")
    page.get_by_role("radio", name="orange").check()
    expect(_picture(page)).to_have_attribute("alt", "A wave of 6 m; line", timeout=_PATIENCE)
    expect(slider).to_have_attribute("aria-valuenow", re.compile("^6"))
    expect(page.get_by_role("radio", name="orange")).to_be_checked()


def test_a_lost_connection_comes_back_to_the_same_state(page: Page, swift: Server) -> None:
    _go_live(page, swift)
    kernel = _kernels(swift)[0]
    page.evaluate("genai4eu.exchange.socket.socket.close()")
    expect(page.locator("html")).to_have_attribute("data-live", "lost")
    page.get_by_role("slider", name="Height (m)").press("ArrowRight")
    expect(_picture(page)).to_have_attribute("alt", "A wave of 4 m; line", timeout=_PATIENCE)
    expect(page.locator("#explore-chip")).to_have_text("Live")
    assert _kernels(swift) == [kernel]


def test_after_its_kernel_died_a_page_goes_on_where_it_was(page: Page, swift: Server) -> None:
    _go_live(page, swift)
    page.get_by_role("radio", name="orange").check()
    kernel = _kernels(swift)[0]
    kernel.kill()
    expect(page.locator("#explore-chip")).to_have_text("Paused", timeout=_PATIENCE)
    expect(_picture(page)).to_have_attribute("alt", "A wave of 3 m; line")
    page.get_by_role("slider", name="Height (m)").press("ArrowRight")
    expect(_picture(page)).to_have_attribute("alt", "A wave of 4 m; line", timeout=_PATIENCE)
    expect(page.get_by_role("radio", name="orange")).to_be_checked()
    assert _kernels(swift)[0] != kernel


def _leaves_no_secret(kernel: psutil.Process, server: Server) -> None:
    """Check the kernel's surroundings: the bundle is told, our secret and the visitor's request are not."""
    environment = kernel.environ()
    assert Path(environment["GENAI4EU_BUNDLE"]) == dashboards_root() / "tiny-wave-a1b2/versions/1"
    assert not any(server.tier.secret in value for value in environment.values())
    assert not any(server.tier.secret in part for p in (kernel, *kernel.parents()[:2]) for part in p.cmdline())
    assert not {name for name in environment if name.startswith(("VOILA_REQUEST", "QUERY_", "HTTP_"))}
    assert Path(kernel.cwd()).is_relative_to(server.tier.socket.parent)


def test_going_back_to_the_recorded_result_frees_the_kernel(page: Page, swift: Server) -> None:
    _go_live(page, swift)
    kernel = _kernels(swift)[0]
    page.get_by_role("button", name="Back to the recorded result").click()
    expect(_picture(page)).to_have_attribute("alt", "A wave of 2 m; line")
    expect(page.get_by_role("slider", name="Height (m)")).to_have_attribute("aria-valuenow", re.compile("^2"))
    kernel.wait(timeout=30)


def test_a_full_house_says_which_place_in_the_queue(browser: Browser, by_hand: Path) -> None:
    with running(by_hand, viewers=1) as server:
        first, second = browser.new_page(), browser.new_page()
        _go_live(first, server)
        slider = _open(second, server)
        slider.press("ArrowRight")
        expect(second.locator("html")).to_have_attribute("data-live", "queue", timeout=_PATIENCE)
        expect(second.locator("#explore-status")).to_contain_text("1")
        expect(_picture(second)).to_be_visible()
        assert len(_kernels(server)) == 1
        first.close()
        expect(_picture(second)).to_have_attribute("alt", "A wave of 3 m; line", timeout=_PATIENCE)
        second.close()


def test_missing_software_is_said_and_the_page_stays(
    page: Page, record: Record, change: Callable[[str, Callable[[Any], None]], Record], caplog: pytest.LogCaptureFixture
) -> None:
    path = record.notebook_path
    text = path.read_text("utf-8").replace("use_style()\\n", 'use_style()\\n",\n    "import no_such_package\\n', 1)
    assert "no_such_package" in text
    path.write_text(text, encoding="utf-8")
    change("run.json", lambda info: None)  # seals what was written
    publish(record)
    with running(dashboards_root(), viewers=1) as server:
        slider = _open(page, server)
        slider.press("ArrowRight")
        told = page.locator("#explore-status")
        expect(told).to_contain_text("lacks the software no_such_package", timeout=_PATIENCE)
        assert "no live view of tiny-wave-a1b2: no_such_package is not installed here" in caplog.text
        expect(slider).to_have_attribute("aria-valuenow", re.compile("^2"))
        expect(_picture(page)).to_have_attribute("alt", "A wave of 2 m; line")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_server(
    page: Page, by_hand: Path, genai4eu: Callable[..., object], number: signal.Signals
) -> None:
    command = [str(Path(sys.executable).with_name("genai4eu")), "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address
        page.goto(address[0] + "d/tiny-wave-a1b2/")
        page.get_by_role("slider", name="Height (m)").press("ArrowRight")
        expect(page.locator("#explore-chip")).to_have_text("Live", timeout=_PATIENCE)
        started = psutil.Process(process.pid).children(recursive=True)
        assert any("ipykernel" in " ".join(p.cmdline()) for p in started)
        process.send_signal(number)
        process.wait(timeout=30)
        _gone, alive = psutil.wait_procs(started, timeout=30)
        assert not alive


def test_long_choices_wrap_on_a_phone(browser: Browser, record: Record, change: Callable[..., Record]) -> None:
    text = record.notebook_path.read_text("utf-8")
    assert "'orange'" in text
    name = "B: orange, as the sun is in the evening on the western coast"
    record.notebook_path.write_text(text.replace("'orange'", f"'{name}'"), encoding="utf-8")
    change("run.json", lambda info: None)  # seals what was written
    publish(record)
    with running(dashboards_root(), viewers=1) as server:
        page = browser.new_page(viewport={"width": 320, "height": 800})
        _go_live(page, server)
        label = page.locator(".widget-radio-box label", has_text=name)
        box = label.bounding_box()
        assert box is not None and box["x"] + box["width"] <= 320
        assert label.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.close()


def test_a_visitor_tries_it_live_on_a_warm_kernel(page: Page, published: Published, monkeypatch: Any) -> None:
    runtime = dashboards_root().parent / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("GENAI4EU_WARM", "on")
    for name in [name for name in os.environ if fixed(name) and name not in _PASSED]:
        monkeypatch.delenv(name)  # earlier tests import libraries that set variables of their own
    try:
        with running(dashboards_root()) as server:
            _go_live(page, server)
            page.get_by_role("slider", name="Height (m)").press("ArrowRight")
            expect(_picture(page)).to_have_attribute("alt", "A wave of 4 m; line")
            (own,) = client.status()  # the live tier's: it started one for itself, and waited until it served
            assert own["kernels_started"] >= 1 and not _kernels(server)
    finally:
        client.stop()


def test_a_dashboard_whose_code_may_not_run_is_shown_as_it_was_and_its_controls_are_closed(
    page: Page, published: Published, server: Server
) -> None:
    (published.folder / "live.ipynb").unlink()  # as where a bundle of another centre is not trusted
    page.goto(f"{server.address}d/{published.slug}/")
    expect(page.locator("html")).to_have_attribute("data-live", "closed", timeout=_PATIENCE)
    expect(page.get_by_role("radio", name="blue")).to_be_disabled()
    expect(_picture(page)).to_have_attribute("alt", "A wave of 2 m; line")
    expect(page.locator("#explore-status")).to_contain_text("nothing on this page goes live")
    assert server.tier.pid is None
