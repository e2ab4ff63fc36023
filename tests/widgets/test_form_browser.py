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
from playwright.sync_api import Browser, Page, Route, expect

from genai4eu.kernels import local
from genai4eu.widgets import ParameterForm

from ..barriers import barriers_in
from .conftest import each_look, open_panel, without_barriers

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
    begin = "import genai4eu.lean; from voila.app import main; main()"  # as -m voila, a second sooner
    command = [sys.executable, "-P", "-c", begin, str(page), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
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
    assert not (found := barriers_in(page, context=".genai4eu-form")), found
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
    for _ in range(6):  # load, profile, target, button
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Run":
            break
    expect(sentence).to_have_count(0)
    expect(page.get_by_role("radio", name="GenAI4EU (warm)")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"training \d of 4"))).to_be_visible(timeout=_PATIENCE)
    expect(page.get_by_text("completed in")).to_be_visible(timeout=_PATIENCE)
    expect(page.get_by_role("cell", name="0.84")).to_be_visible()


def test_the_form_in_a_browser(browser: Browser, address: str, house: Path) -> None:
    for width in (1280, 320):
        page = browser.new_page(viewport={"width": width, "height": 900})
        _open(page, address)
        _check_page(page, width)
        _use(page)
        _check_page(page, width)
        page.screenshot(path=house / f"form-{width}.png")
        page.close()
    assert len(list((house / "runs").glob("*/run.json"))) == 2


def _schema() -> dict[str, Any]:
    return {
        "properties": {
            "profile": {"enum": ["smoke", "default", "gpu"], "default": "default", "description": "sizes"},
            "epochs": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 200}, {"type": "null"}], "default": None},
            "load": {"type": "number", "minimum": 5, "maximum": 40, "default": 12.5, "x-unit": "mL"},
            "day": {"type": "string", "format": "date", "default": "2026-01-02"},
            "model": {"enum": list("abcde"), "default": "c", "description": "what is trained"},
            "note": {"type": "string", "default": "two\nlines"},
        }
    }


def _filled() -> ParameterForm:
    targets = [{"name": "genai4eu", "title": "GenAI4EU (warm)", "where": "this computer", "cost": "nothing is charged"},
               {"name": "lisbon", "state": "gateway down"}]  # fmt: skip
    form = ParameterForm("Can <synthetic> scans help?", _schema(), lambda values: {}, targets, lambda *_: ("", None))
    form.faults = {"load": "<x> will not do: give a number from 5 to 40."}
    form.refused = ["load", "epochs"]
    form.tell(0.4, "cell 3 of 12")
    form.outcome = "<p><strong>completed in 12 s</strong></p><table><tr><th>dice</th><td>0.84</td></tr></table>"
    return form


def test_it_looks_well_and_frozen_says_what_needs_a_kernel(browser: Browser, tmp_path: Path) -> None:
    for page, width, colours in each_look(browser):
        faults = open_panel(page, tmp_path, _filled())
        expect(page.get_by_text("Nothing was started. 2 values will not do: load, epochs.")).to_be_visible()
        page.screenshot(path=tmp_path / f"form-{width}-{colours}.png", full_page=True)
        without_barriers(page, faults)
        page.get_by_label("load (mL)").fill("17")
        page.keyboard.press("Enter")  # starts nothing
        assert page.evaluate("window.sent") == []
        page.get_by_label("day").fill("")
        page.get_by_role("radio", name="smoke").check()
        page.get_by_label("model").select_option("e")
        page.get_by_label("note").fill("one")
        page.get_by_role("button", name="Run").press("Enter")
        (sent,) = page.evaluate("window.sent")
        assert sent["entered"] == {
            "profile": "smoke", "epochs": "", "load": "17", "day": None, "model": "e", "note": "one",
        }  # fmt: skip
        faults = open_panel(page, tmp_path, _filled(), frozen=True)
        expect(page.get_by_text("this page shows what can be set").first).to_be_visible()
        page.get_by_role("button", name="Run").press("Enter")
        assert page.evaluate("window.sent") == []
        without_barriers(page, faults)
