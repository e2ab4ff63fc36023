"""The RunMonitor: it follows without holding up the kernel, ends with the run, and asks before it cancels."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from genai4eu.widgets import RunMonitor

from .conftest import each_look, look, open_panel, without_barriers

CELLS = [
    {"index": 0, "status": "completed", "duration": 0.01, "name": "# Study"},
    {"index": 1, "status": "completed", "duration": 65.2, "name": "import genai4eu"},
    {"index": 2, "status": "running", "duration": None, "name": "train(<b>)"},
    {"index": 3, "status": "pending", "duration": None, "name": "run.metric('dice', d)"},
]
RUN: dict[str, Any] = {
    "id": "20261127-120000-study-a1b2", "title": "Can synthetic scans help?", "status": "running", "over": False,
    "target": "genai4eu", "started": "2026-11-27T12:00:00+00:00", "duration": 75.0, "cells": CELLS,
    "progress": {"label": "training", "done": 30, "total": 40, "remaining": 21.4},
    "metrics": [{"name": "dice", "value": 0.84}, {"name": "time", "value": 12.5, "unit": "s"}, {"name": "bias"}],
    "log": "epoch 1: loss <0.5>\n" * 30,
}  # fmt: skip
DONE = {**RUN, "status": "completed", "over": True, "progress": None, "record": "runs/20261127-120000-study-a1b2",
        "cells": [{**c, "status": "completed"} for c in CELLS]}  # fmt: skip


def test_it_looks_from_a_thread_until_the_run_is_over() -> None:
    seen = [RUN, {**RUN, "status": "pending", "waits": "place 3"}, OSError("disk <gone>"), {**DONE, "log": "x" * 9000}]
    troubles: list[str] = []
    threads: set[str] = set()

    def now() -> dict[str, Any]:
        threads.add(threading.current_thread().name)
        found = seen.pop(0)
        if isinstance(found, OSError):
            raise found
        assert isinstance(found, dict)
        return found

    monitor = RunMonitor(now, every=0.01)
    monitor.observe(lambda change: troubles.append(change.new), names="trouble")
    assert monitor.wait(10) and not seen
    assert monitor.run["status"] == "completed" and len(monitor.run["log"]) == 8000
    assert troubles[0] == "How it is now could not be found out: disk <gone>" and troubles[-1] == ""
    assert threads == {"MainThread", f"monitor {RUN['id']}"}
    monitor._thread.join(10)
    assert not monitor._thread.is_alive()


def test_it_can_be_stopped_and_a_finished_run_starts_nothing() -> None:
    monitor = RunMonitor(lambda: RUN, every=0.01)
    monitor.close()
    monitor._thread.join(10)
    assert not monitor._thread.is_alive()
    finished = RunMonitor(lambda: DONE)
    assert finished.wait(0) and finished._thread.ident is None


def test_what_cannot_be_looked_at_is_an_error_at_once() -> None:
    with pytest.raises(KeyError, match="status"):
        RunMonitor(lambda: {"id": "x"})


def test_cancelling_is_done_beside_the_kernel_and_tells_what_stands_against_it() -> None:
    state, begun, may = [RUN], threading.Event(), threading.Event()

    def cancel() -> None:
        begun.set()
        assert may.wait(10)
        if state[0] is RUN:
            state[0] = {**DONE, "status": "cancelled"}
            raise RuntimeError("it is carried out elsewhere")

    monitor = RunMonitor(lambda: RUN, cancel, every=60)
    monitor._told(monitor, {"ask": "cancel"}, [])
    assert begun.wait(10) and monitor.cancelling
    monitor._told(monitor, {"ask": "cancel"}, [])  # twice is once
    may.set()
    _join("cancel")
    assert monitor.trouble == "It could not be cancelled: it is carried out elsewhere" and not monitor.cancelling
    monitor._look = lambda: state[0]
    monitor._told(monitor, {"ask": "cancel"}, [])
    _join("cancel")
    assert monitor.run["status"] == "cancelled" and not monitor.trouble
    monitor.stop()


def _join(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith(name):
            thread.join(10)


def test_without_a_script_a_table_is_left() -> None:
    failed = {**DONE, "status": "failed", "error": "ValueError: <b>"}
    bundle = RunMonitor(lambda: failed, words={"status": "Stand"})._repr_mimebundle_()[0]
    assert "<caption>Can synthetic scans help?</caption>" in bundle["text/html"]
    assert '<th scope="row">Stand</th><td>failed</td>' in bundle["text/html"]
    assert "ValueError: &lt;b&gt;" in bundle["text/html"] and "<td>12.5 s</td>" in bundle["text/html"]
    assert bundle["text/plain"] == f"{RUN['id']}: failed (ValueError: <b>)"


@pytest.mark.chromium
@pytest.mark.slow
def test_it_is_followed_and_cancelled_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    monitor = RunMonitor(lambda: RUN, lambda: None, every=600)
    for page, width, colours in each_look(browser):
        faults = open_panel(page, tmp_path, monitor)
        expect(page.get_by_text("Cell 3 of 4 · training 30 of 40 · about 21 s left")).to_be_visible()
        expect(page.get_by_role("progressbar")).to_have_js_property("value", 2.75 / 4)
        assert page.locator("pre").evaluate("n => n.scrollTop + n.clientHeight >= n.scrollHeight - 1")
        page.locator("summary", has_text="Cells").press("Enter")
        expect(page.get_by_role("row", name="train(<b>)")).to_contain_text("running")
        page.screenshot(path=tmp_path / f"monitor-{width}-{colours}.png", full_page=True)
        without_barriers(page, faults)
        cancel = page.get_by_role("button", name="Cancel the run")
        cancel.press("Enter")
        expect(page.get_by_role("alertdialog")).to_be_visible()
        expect(page.get_by_role("button", name="Let it run")).to_be_focused()
        page.keyboard.press("Escape")
        expect(cancel).to_be_focused()
        assert page.evaluate("window.sent") == []
        page.keyboard.press("Enter")
        without_barriers(page, faults)
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("window.sent") == [{"ask": "cancel"}]
        page.evaluate("window.tell({ cancelling: true })")
        expect(page.get_by_text("It is being cancelled…")).to_be_visible()
        page.evaluate(
            "window.tell({ cancelling: false, run: { ...window.state.run, over: true, status: 'cancelled', "
            "error: 'it was cancelled', record: 'runs/x' } })"
        )
        expect(page.get_by_role("status").first).to_have_text("Cancelled")
        expect(page.get_by_role("button", name="Cancel the run")).to_have_count(0)
        expect(page.get_by_role("progressbar")).to_have_count(0)
        page.screenshot(path=tmp_path / f"over-{width}-{colours}.png", full_page=True)
        without_barriers(page, faults)
    monitor.stop()


@pytest.mark.chromium
@pytest.mark.slow
def test_frozen_it_says_of_when_it_is_and_what_needs_a_kernel(browser: Browser, tmp_path: Path) -> None:
    monitor = RunMonitor(lambda: RUN, lambda: None, every=600)
    page = look(browser, 320, "light")
    faults = open_panel(page, tmp_path, monitor, frozen=True)
    expect(page.get_by_text("nothing follows it here")).to_be_visible()
    page.get_by_role("button", name="Cancel the run").press("Enter")
    expect(page.get_by_text("To cancel it, a kernel must be running here.")).to_be_visible()
    assert page.evaluate("window.sent") == []
    without_barriers(page, faults)
    monitor.stop()
