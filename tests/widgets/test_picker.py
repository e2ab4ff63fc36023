"""The TargetPicker: what it is told, what it refuses, what is left without a script, and chosen from in Chromium."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from genai4eu.widgets import TargetPicker

from .conftest import each_look, look, open_panel, without_barriers

TARGETS: list[dict[str, Any]] = [
    {"name": "genai4eu", "title": "GenAI4EU (warm)", "where": "this computer", "queue": "none", "cost": "no charge"},
    {"name": "lisbon-genai4eu", "title": "lisbon · GenAI4EU", "where": "https://gateway.lisbon.example:8888",
     "state": "gateway down"},
    {"name": "gpu", "title": "GenAI4EU (Slurm · boost · GPU a100:1 · 2:00:00)", "where": "Slurm, partition boost",
     "queue": "1 of your jobs runs, 2 wait, first at place 3", "cost": "at most 2 a100 GPU hours, charged to p<1>"},
]  # fmt: skip


def test_it_begins_with_the_first_that_is_ready_and_tells_who_chose() -> None:
    said: list[str] = []
    picker = TargetPicker(TARGETS, choose=said.append)
    assert picker.chosen == "genai4eu" and [t["ready"] for t in picker.targets] == [True, False, True]
    picker.chosen = "gpu"
    picker.chosen = "nowhere"  # a page may say what it likes
    assert (picker.chosen, said) == ("gpu", ["gpu"])
    assert TargetPicker(TARGETS, "gpu").chosen == "gpu" and TargetPicker(TARGETS[1:2]).chosen == ""
    assert picker.sentence == ("Where to run: gpu (genai4eu: ready; lisbon-genai4eu: gateway down; gpu: ready)")


@pytest.mark.parametrize(
    ("targets", "more", "said"),
    [
        ([{"title": "x"}], {}, "a target has no name"),
        ([{"name": "a"}, {"name": "a"}], {}, "two targets are called 'a'"),
        (TARGETS, {"chosen": "mars"}, "there is no target 'mars': choose among genai4eu, lisbon-genai4eu, gpu"),
        (TARGETS, {"words": {"legnd": "Wo"}}, "TargetPicker has no word 'legnd': use legend"),
    ],
)
def test_it_refuses_in_one_line(targets: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TargetPicker(targets, **more)


def test_without_a_script_a_table_is_left() -> None:
    picker = TargetPicker(TARGETS, "gpu", words={"legend": "Wo soll es laufen?"})
    bundle = picker._repr_mimebundle_()[0]
    assert "<caption>Wo soll es laufen?</caption>" in bundle["text/html"]
    assert "charged to p&lt;1&gt;" in bundle["text/html"] and "GPU a100:1 · 2:00:00) ✓" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle and bundle["text/plain"] == picker.sentence


def test_asking_again_does_not_hold_up_the_kernel_and_tells_what_fails() -> None:
    asked, answer = threading.Event(), threading.Event()
    news: list[Any] = [[{**TARGETS[0], "state": "gone"}, *TARGETS[1:]]]

    def refresh() -> Any:
        asked.set()
        assert answer.wait(10)
        if not news:
            raise OSError("no network")
        return news.pop()

    picker = TargetPicker(TARGETS, refresh=refresh)
    for chosen, trouble in (("gpu", ""), ("gpu", "The targets could not be asked: no network")):
        picker._told(picker, {"ask": "targets"}, [])
        assert asked.wait(10) and picker.asking
        picker._told(picker, {"ask": "targets"}, [])  # twice is once
        answer.set()
        next(t for t in threading.enumerate() if t.name == "targets").join(10)
        assert (picker.chosen, picker.trouble, picker.asking) == (chosen, trouble, False)
        asked.clear()
        answer.clear()
    assert picker.targets[0]["state"] == "gone" and "gone" in picker.value


def _choose(page: Page) -> None:
    """Use the keyboard alone: what is not ready is passed over."""
    page.get_by_role("radio", name="GenAI4EU (warm)").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("window.state.chosen") == "gpu"
    expect(page.get_by_role("radio", name="lisbon")).to_be_disabled()
    expect(page.get_by_role("radio", name="Slurm")).to_have_accessible_description(
        "● ready Where: Slurm, partition boost Queue: 1 of your jobs runs, 2 wait, first at place 3 "
        "Cost: at most 2 a100 GPU hours, charged to p<1>"
    )


@pytest.mark.chromium
@pytest.mark.slow
def test_it_is_chosen_from_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    picker = TargetPicker(TARGETS, refresh=lambda: TARGETS)
    for page, width, colours in each_look(browser):
        faults = open_panel(page, tmp_path, picker)
        _choose(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("window.sent") == [{"ask": "targets"}]
        page.evaluate("window.tell({ asking: true })")
        expect(page.get_by_role("status").last).to_have_text("Asking all targets…")
        expect(page.get_by_role("button")).to_have_attribute("aria-disabled", "true")
        page.keyboard.press("Enter")
        assert page.evaluate("window.sent.length") == 1
        page.evaluate("window.tell({ asking: false, targets: window.state.targets.slice(0, 1), chosen: 'genai4eu' })")
        expect(page.get_by_role("radio")).to_have_count(1)
        page.evaluate("window.tell({ targets: [], chosen: '' })")
        expect(page.get_by_text("There is no target yet.")).to_be_visible()
        without_barriers(page, faults)
        faults = open_panel(page, tmp_path, picker)
        page.screenshot(path=tmp_path / f"picker-{width}-{colours}.png", full_page=True)
        without_barriers(page, faults)


@pytest.mark.chromium
@pytest.mark.slow
def test_frozen_it_says_what_needs_a_kernel_and_many_can_be_sifted(browser: Browser, tmp_path: Path) -> None:
    many = [*TARGETS, *({"name": f"node-{n}", "where": f"room {n}"} for n in range(9))]
    picker = TargetPicker(many, refresh=lambda: many, words={"refresh": "Neu fragen"})
    page = look(browser, 320, "dark")
    faults = open_panel(page, tmp_path, picker, frozen=True)
    expect(page.get_by_text("Asking again needs a running kernel.")).to_be_visible()
    page.get_by_role("button", name="Neu fragen").press("Enter")
    assert page.evaluate("window.sent") == []
    page.get_by_label("Look for a target").fill("room 7")
    expect(page.get_by_role("radio")).to_have_count(1)
    page.get_by_role("radio").check()
    assert page.evaluate("window.state.chosen") == "node-7"
    page.get_by_label("Look for a target").fill("<i>")
    expect(page.get_by_text("No target is like “<i>”.")).to_be_visible()
    without_barriers(page, faults)
    page.screenshot(path=tmp_path / "picker-frozen.png", full_page=True)


@pytest.mark.chromium
@pytest.mark.slow
def test_a_kernel_that_keeps_silent_is_told_of(browser: Browser, tmp_path: Path) -> None:
    page = look(browser, 320, "light")
    page.clock.install()
    open_panel(page, tmp_path, TargetPicker(TARGETS, refresh=lambda: TARGETS))
    page.get_by_role("button").press("Enter")
    page.clock.run_for(5000)
    silent = page.get_by_text("The kernel has not answered yet: it may be busy, or gone.")
    expect(silent).to_have_count(0)
    page.clock.run_for(2000)
    expect(silent).to_be_visible()
    page.get_by_role("button").press("Enter")
    page.evaluate("window.tell({ asked: '2026-11-27T12:00:00+00:00' })")
    page.clock.run_for(9000)
    expect(silent).to_have_count(0)
