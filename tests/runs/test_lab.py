"""JupyterLab as a scientist meets it: our folder, our kernels, a template run from top to bottom. Real Chromium."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Browser, Page

from genai4eu.kernels.connect import connect
from genai4eu.kernels.gateway import process
from genai4eu.lab import fill

pytestmark = [pytest.mark.slow, pytest.mark.chromium]


@pytest.fixture
def lab(house: Path) -> Iterator[str]:
    """``genai4eu lab`` with a connected gateway; yields its address, then presses Ctrl-C and looks for leftovers."""
    fill(house / "lab")
    template = house / "lab" / "health_imaging.ipynb"
    template.write_text(template.read_text().replace('profile: str = \\"default\\"', 'profile: str = \\"smoke\\"'))
    assert 'profile: str = \\"smoke\\"' in template.read_text()
    log = house / "lab.log"
    with process.start(house / "gateway") as gateway, log.open("wb") as stream:
        connect("factory", gateway.url, gateway.token_file)
        command = [str(Path(sys.executable).with_name("genai4eu")), "lab", "--port", "0", "--no-browser"]
        server = subprocess.Popen(command, cwd=house, stdout=stream, stderr=stream)
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+", log.read_text())):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found[0]
        family = psutil.Process(server.pid).children(recursive=True)
        server.send_signal(signal.SIGINT)
        server.wait(60)
        _, alive = psutil.wait_procs(family, timeout=30)
        assert not alive


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 1280, "height": 900})


def test_targets_are_offered_and_a_template_runs_from_top_to_bottom(lab: str, page: Page, house: Path) -> None:
    hosts: set[str | None] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page.goto(lab.replace("quickstart.ipynb", "health_imaging.ipynb"))
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    _targets_are_offered(page)
    _nothing_of_other_tools(page, (house / "lab.log").read_text())
    page.get_by_role("tab", name="health_imaging.ipynb").click()
    page.get_by_text("GenAI4EU (warm) | Idle").wait_for(timeout=60_000)  # its kernel is ready
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=240_000)
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')", timeout=30_000)
    cells = json.loads((house / "lab" / "health_imaging.ipynb").read_text())["cells"]
    errors = [o for c in cells if c["cell_type"] == "code" for o in c["outputs"] if o["output_type"] == "error"]
    assert not errors, errors[0]["evalue"]
    assert all(c["execution_count"] for c in cells if c["cell_type"] == "code")
    page.screenshot(path=str(house / "lab.png"))
    assert hosts <= {"127.0.0.1", None, ""}


def _targets_are_offered(page: Page) -> None:
    """Hold the launcher to offering local and connected kernels."""
    page.keyboard.press("Control+Shift+L")
    launcher = page.locator(".jp-Launcher")
    launcher.get_by_text("factory · Python 3").first.wait_for(timeout=60_000)
    assert launcher.get_by_text("factory · GenAI4EU (warm)").first.is_visible()
    assert launcher.get_by_text("GenAI4EU (warm)", exact=True).first.is_visible()


def _nothing_of_other_tools(page: Page, log: str) -> None:
    """Hold Lab to what the workbench needs: nbgrader's and notebook's extensions cost memory and add menus."""
    address = re.sub(r"/lab.*", "/{}", page.url)
    found = {name: page.request.get(address.format(name)).status for name in ("lab", *OTHERS)}
    assert found == {"lab": 200, **dict.fromkeys(OTHERS, 404)}
    assert "nbgrader" not in log and "http://127.0.0.1" in log
    config = json.loads(page.locator("#jupyter-config-data").inner_text())
    assert {"@jupyter/nbgrader", "@jupyter-notebook/lab-extension"} <= set(config["disabledExtensions"])
    assert page.get_by_role("menuitem", name="Nbgrader").count() == 0


#: Where nbgrader's and notebook's extensions answer in a server that has them.
OTHERS = ("formgrader", "assignments", "courses", "nbgrader_version", "tree", "notebooks/quickstart.ipynb")
#: No cell shows the star of one that runs or waits, and the last has its number.
DONE = """() => {
  const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent);
  return prompts.length > 0 && prompts.every(p => /\\[\\d+\\]/.test(p));
}"""
