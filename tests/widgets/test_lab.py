"""The panels in a real JupyterLab: beside each other, with keys that Lab would take, in its light and its dark."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from ..barriers import barriers_in

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
_PATIENCE = 90_000  # ms
PICKER = (
    "from genai4eu.widgets import ParameterForm, RunMonitor, RunTable, TargetPicker\n"
    "targets = [{'name': 'here'}, {'name': 'down', 'state': 'gateway down'}, {'name': 'gpu', 'cost': '2 GPU hours'}]\n"
    "picker = TargetPicker(targets, refresh=lambda: [{'name': 'new'}, *targets])\npicker"
)
MONITOR = (
    "looks = iter(range(1, 99))\n"
    "def look():\n"
    "    n = next(looks)\n"
    "    return dict(id='run-1', status='completed' if n > 3 else 'running', over=n > 3, log='line\\n' * n)\n"
    "RunMonitor(look, every=0.5)"
)
TABLE = (
    "RunTable([dict(id=f'run-{n}', parameters={'seed': n}, metrics={'dice': n / 10}) for n in range(4)],\n"
    "         {'dice': {'better': 'higher'}}, show=lambda name: f'<p>the record of {name}</p>')"
)
FORM = (
    "schema = {'properties': {'load': {'type': 'number', 'minimum': 5, 'default': 12.5}}}\n"
    "ParameterForm('Study', schema, lambda v: {'load': 'x will not do'} if v['load'] == 'x' else {}, targets,\n"
    "              lambda values, target, tell: (f'<p>{values} on {target}</p>', 1))"
)


@pytest.fixture
def address(notebook: Callable[..., Path], house: Path) -> Iterator[str]:
    notebook(PICKER, MONITOR, TABLE, FORM, "TargetPicker(targets, 'gpu', words={'legend': 'Another choice'})")
    log = house / "lab.log"
    begin = "import genai4eu.lean; from jupyterlab.labapp import main; main()"  # as -m jupyterlab, a second sooner
    command = [sys.executable, "-P", "-c", begin, "--no-browser", "--allow-root", "--port=0"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={house}"]
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(house / "config")}
    with log.open("wb") as stream:
        server = subprocess.Popen(command, cwd=house, env=environment, stdout=stream, stderr=stream)
    while not (found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text())):
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    yield found[0].replace("/lab?", "/lab/tree/study.ipynb?")
    server.terminate()
    server.wait(30)


def _run_all(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=_PATIENCE)
    page.get_by_text("| Idle").first.wait_for(timeout=_PATIENCE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(".genai4eu-picker").nth(1).wait_for(timeout=_PATIENCE)


def _use(page: Page) -> None:
    """Use all of them with the keyboard; what Python answers is on the page."""
    picker, other = page.locator(".genai4eu-picker").all()
    expect(other.get_by_role("radio", name="gpu")).to_be_checked()
    picker.get_by_role("radio", name="here").focus()
    page.keyboard.press("ArrowDown")  # in Lab the key that goes to the next cell
    expect(picker.get_by_role("radio", name="gpu")).to_be_checked()
    picker.get_by_role("button", name="Ask them all again").press("Enter")
    expect(picker.get_by_role("radio", name="new")).to_be_visible()
    expect(page.locator(".genai4eu-monitor")).to_contain_text("Completed", timeout=30_000)
    table = page.locator(".genai4eu-runtable")
    for number in (1, 3):
        table.get_by_role("checkbox", name=f"Compare run-{number}").press("Space")
    table.get_by_role("button", name="Compare 2 runs").press("Enter")
    expect(table.get_by_text("+0.2 better")).to_be_visible()
    table.get_by_role("button", name="run-3").first.press("Enter")
    expect(table.get_by_text("the record of run-3")).to_be_visible()
    form = page.locator(".genai4eu-form")
    form.get_by_label("load").fill("x")
    form.get_by_role("button", name="Run").press("Enter")
    expect(form.get_by_text("Nothing was started. One value will not do: load.")).to_be_visible()
    form.get_by_label("load").fill("17")
    form.get_by_role("button", name="Run").press("Enter")
    expect(form.get_by_text("{'load': '17'} on here")).to_be_visible()


def _without_barriers(page: Page) -> None:
    for name in ("picker", "monitor", "runtable", "form"):
        page.locator(f".genai4eu-{name}").first.scroll_into_view_if_needed()
        assert not (found := barriers_in(page, context=f".genai4eu-{name}")), found


def test_the_panels_in_jupyterlab(browser: Browser, address: str, house: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    _run_all(page, address)
    _use(page)
    _without_barriers(page)
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.get_by_text("Theme", exact=True).first.hover()
    page.get_by_text("JupyterLab Dark", exact=True).click()
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    _without_barriers(page)
    page.screenshot(path=house / "panels.png")
    assert not errors
