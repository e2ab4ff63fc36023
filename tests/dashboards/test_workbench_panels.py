"""The workbench's own widgets on a dashboard: visitors sort, sift and look; they start, cancel and open nothing."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import genai4eu
from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.errors import WorkbenchError
from genai4eu.runs.context import BUNDLE_VARIABLE
from genai4eu.runs.record import Record

from ..barriers import barriers_in, sideways
from ..benchmarks.viewers import Visitor
from .conftest import RUN, execute, seal
from .live import private

pytestmark = pytest.mark.slow
ADDRESS = "d/tiny-wave-a1b2/"
PATIENCE = 90_000
OTHER = "20261119-080000-not-published-c0de"
CELLS = [
    ("parameters", "seed: int = 0  # random seed [1] in 0..99"),
    ("", "import genai4eu\ngenai4eu.current_run().metric('peak', 0.5, unit='1')"),
    ("dashboard", "# How did we run it?"),
    (
        "dashboard",
        "import genai4eu, ipywidgets as w\nfrom IPython.display import Markdown, display\n"
        "display(Markdown('It took **2 s**.'))\n"
        "w.IntSlider(2, 0, 9, description='Height')",
    ),
    ("dashboard", "genai4eu.form('climate')"),
    ("dashboard", "genai4eu.targets()"),
    ("dashboard", "genai4eu.table()"),
    ("dashboard", "genai4eu.monitor('latest')"),
]


@pytest.fixture(scope="module")
def _made(executed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house with a dashboard of the four, made where there is a run already."""
    with private(tmp_path_factory.mktemp("panels")) as made:
        other = shutil.copytree(executed, made / "runs" / OTHER)
        told = json.loads((other / "run.json").read_text("utf-8"))
        (other / "run.json").write_text(json.dumps({**told, "id": OTHER}), "utf-8")
        seal(other)
        publish(Record(execute(made / "runs" / RUN, CELLS)))
        return made


@pytest.fixture
def panels(_made: Path, house: Path) -> Iterator[Server]:
    """Its gallery, on a copy: of the run that was there already the live kernels must say nothing."""
    for name in ("runs", "dashboards"):
        shutil.copytree(_made / name, house / name)
    with running(dashboards_root(), viewers=1) as server:
        yield server


def _open(page: Page, server: Server) -> None:
    page.goto(server.address + ADDRESS)
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=PATIENCE)


def _stays_with_the_workbench(page: Page) -> None:
    """Every button that would need it is out of use, and says why; what happens in the browser goes on."""
    for name in ("Run", "Ask them all again", "Look again"):
        button = page.get_by_role("button", name=name, exact=True).first  # a heading that sorts is called so, too
        expect(button).to_have_attribute("aria-disabled", "true")
        button.click(force=True)
    expect(page.get_by_text("checked, and run, in the workbench").first).to_be_visible()
    page.get_by_label("Look for").last.fill("no such run")
    expect(page.get_by_text("0 of 1 run", exact=True)).to_be_visible()
    page.get_by_label("Look for").last.fill("")
    expect(page.get_by_text("1 of 1 run", exact=True)).to_be_visible()


def test_a_visitor_starts_cancels_and_opens_nothing(panels: Server, house: Path) -> None:
    async def scene() -> None:
        one = Visitor(panels.address + ADDRESS)
        await one.attach()
        own = {
            str(told["state"].get("_anywidget_id", "")).rpartition(".")[2]: name for name, told in one.states.items()
        }
        assert {"ParameterForm", "TargetPicker", "RunTable", "RunMonitor"} <= own.keys()
        for kind, content in (
            ("ParameterForm", {"ask": "run", "entered": {"profile": "smoke"}, "target": "genai4eu"}),
            ("RunTable", {"open": OTHER}),
            ("RunTable", {"ask": "runs"}),
            ("RunMonitor", {"ask": "cancel"}),
            ("TargetPicker", {"ask": "targets"}),
        ):
            await one.move(own[kind], workbench=False, runs=[{"id": OTHER}], targets=[{"name": "genai4eu"}])
            await one.say("comm_msg", {"comm_id": own[kind], "data": {"method": "custom", "content": content}})
        await one.learn()
        told = {kind: one.states[name]["state"] for kind, name in own.items() if kind}
        assert not told["ParameterForm"]["outcome"] and not told["RunTable"]["record"]
        assert "Tiny wave" not in json.dumps(one.states)  # the title of the run that was not published
        await one.leave()

    asyncio.run(asyncio.wait_for(scene(), 150))
    assert len(list((house / "runs").iterdir())) == 2, "a visitor started a run"


def test_a_kernel_before_visitors_starts_no_run_whatever_its_author_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BUNDLE_VARIABLE, "/published")
    with pytest.raises(WorkbenchError, match="a published dashboard starts no run"):
        genai4eu.run("climate", profile="smoke")


@pytest.mark.chromium
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_frozen_they_show_what_was_recorded_and_call_for_no_kernel(
    browser: Browser, panels: Server, width: int, colours: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colours, bypass_csp=True)
    page = context.new_page()
    _open(page, panels)
    _stays_with_the_workbench(page)
    assert barriers_in(page) == []
    assert sideways(page) == 0
    assert panels.tier.pid is None
    if (folder := os.environ.get("GENAI4EU_SCREENSHOTS")) is not None:
        page.screenshot(path=f"{folder}/panels-{width}-{colours}.png", full_page=True)
    context.close()


@pytest.mark.chromium
def test_live_they_stay_as_they_were_beside_a_control_that_is_answered(browser: Browser, panels: Server) -> None:
    page = browser.new_page()
    _open(page, panels)
    page.locator(".noUi-handle").first.press("ArrowRight")
    expect(page.locator("html")).to_have_attribute("data-live", "live", timeout=PATIENCE)
    _stays_with_the_workbench(page)
    expect(page.locator(".bound").get_by_text(OTHER).first).to_be_visible()
    page.close()
