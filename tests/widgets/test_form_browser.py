"""The form in a real Chromium, live: used with the keyboard alone, on a wide and a narrow screen, without barriers."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect, sync_playwright

from genai4eu.kernels import local

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
STUDY = (
    ("parameters", 'epochs: int = 12  # training epochs in 1..200\nload: float = 12.5  # lesion load [mL] in 5..40\n'
     'profile: str = "default"  # sizes in {smoke, default}'),
    "import time, genai4eu\nrun = genai4eu.current_run()\nfor n in range(4):\n"
    "    run.progress(n + 1, 4, 'training')\n    time.sleep(0.5)\nrun.metric('dice', 0.84)",
)  # fmt: skip
_PATIENCE = 60_000  # ms


@pytest.fixture
def address(notebook: Callable[..., Path], house: Path) -> Iterator[str]:
    """Serve a notebook with the form of another one, as stock Voila does."""
    local.ensure()
    notebook(*STUDY)
    page = notebook("import genai4eu\ngenai4eu.form('study.ipynb')", name="page.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "voila", str(page), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with (house / "voila.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=house, env=os.environ, stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}/"
    server.terminate()
    server.wait(30)


def _here_alone(route: Route) -> None:
    """Let no request out: Voila's own page asks other hosts for fonts and formulas."""
    url = urlsplit(route.request.url)
    route.continue_() if url.hostname in ("127.0.0.1", None) else route.abort()


def _open(page: Page, address: str) -> None:
    page.route("**/*", _here_alone)
    for _ in range(240):
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", urlsplit(address).port or 0)) == 0:
                break
        page.wait_for_timeout(250)
    page.goto(address)
    expect(page.get_by_role("button", name="Run")).to_be_visible(timeout=_PATIENCE)


def _check_page(page: Page, width: int) -> None:
    found = Axe().run(page, context=".genai4eu-form").response["violations"]
    assert not found, [(v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def _use(page: Page) -> None:
    """Give a wrong value, read the error, mend it, and run; the mouse is not touched."""
    epochs: Any = page.get_by_label("epochs")
    epochs.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("999")
    page.keyboard.press("Tab")
    sentence = page.get_by_text("999 will not do: give a whole number from 1 to 200.")
    expect(sentence).to_be_visible()
    expect(epochs).to_have_attribute("aria-invalid", "true")
    described = (epochs.get_attribute("aria-describedby") or "").split()
    texts = [page.locator(f"#{name}").text_content() for name in described]
    assert texts == ["Training epochs. A whole number from 1 to 200.", sentence.text_content()]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("20")
    for _ in range(5):  # load, profile, target, button
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Run":
            break
    expect(sentence).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"training \d of 4"))).to_be_visible(timeout=_PATIENCE)
    expect(page.get_by_text("completed in")).to_be_visible(timeout=_PATIENCE)
    expect(page.get_by_role("cell", name="0.84")).to_be_visible()


def test_the_form_in_a_browser(chromium_path: str, address: str, house: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox", "--disable-gpu"])
        for width in (1280, 320):
            page = browser.new_page(viewport={"width": width, "height": 900})
            _open(page, address)
            _check_page(page, width)
            _use(page)
            _check_page(page, width)
            page.screenshot(path=house / f"form-{width}.png")
            page.close()
        browser.close()
    assert len(list((house / "runs").glob("*/run.json"))) == 2
