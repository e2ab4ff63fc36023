"""The ScenarioBoard: tables and answers in, what it refuses, what is left without a script, and walked in Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from genai4eu.widgets import Choice, Outcome, Range, ScenarioBoard

from ..barriers import barriers_in
from .conftest import HEARD, open_widget

OUTCOMES = {"yield": Outcome("Dry yield", "t/ha", 1), "water": Outcome("Irrigation", "mm"), "margin": Outcome("Margin", "€/ha")}  # fmt: skip # noqa: E501
CONTROLS: dict[str, Range | Choice] = {
    "threshold": Range("Irrigate below", 0, 100, step=25, value=50, unit="% TAW"),
    "soil": Choice("Soil", {"Loam": "loam", "Sand": "sand"}),
    "price": Range("Water price", 0, 1, step=0.5, value=0.5, unit="€/m³"),
    "depth": Range("Depth", 5, 40, step=5, unit="mm"),
}
STILL = "<figure><img alt='the board' src='data:,'></figure>"
SPREAD = "10th to 90th percentile of years"


def _answer(threshold: float, price: float = 0.5, **_more: Any) -> dict[str, list[float]]:
    at = sorted({0.0, 25.0, 50.0, 75.0, 100.0, float(threshold)})
    water = [4 * t for t in at]
    grown = [8 + w / 100 for w in water]
    table = {"threshold": at, "water": water, "yield": grown, "margin": [200 * g - 10 * price * w for g, w in zip(grown, water, strict=True)]}  # fmt: skip # noqa: E501
    return {**table, "yield_low": [g - 1 for g in grown], "yield_high": [g + 2 for g in grown]}


def _board(scenarios: Any = _answer, **more: Any) -> ScenarioBoard:
    options = {
        "outcomes": OUTCOMES,
        "along": "threshold",
        "axes": ("water", "yield"),
        "best": "margin",
        "spread": SPREAD,
    }
    return ScenarioBoard(scenarios, CONTROLS, **{**options, "fallback": STILL, **more})


def _table() -> pd.DataFrame:
    return pd.concat([pd.DataFrame(_answer(0)).assign(soil=s, gain=g) for s, g in (("loam", 1), ("sand", 2))])


def test_it_shows_the_chosen_scenario_with_its_spread_and_the_best() -> None:
    drawn = _board()._picture
    assert [b["text"] for b in drawn.bars] == ["10.0 t/ha", "200 mm", "1,000 €/ha"]
    assert [b["spread"] for b in drawn.bars] == ["9.0 to 12.0", "", ""]
    assert drawn.words["title"] == "Irrigate below 50 % TAW: dry yield 10.0 t/ha, irrigation 200 mm."
    assert drawn.words["goal"] == "Highest margin at 0 % TAW." and drawn.points[drawn.best]["x"] == 0
    assert drawn.words["alt"].startswith(
        "Irrigate below 50 % TAW: dry yield 10.0 t/ha (9.0 to 12.0), irrigation 200 mm,"
    )
    assert f"a band, {SPREAD}, from 0 mm to 400 mm" in drawn.words["alt"]
    json.dumps(drawn.get_state(["bars", "points", "chosen", "best", "axes", "words"]))


def test_it_answers_anew_when_a_control_moves_or_a_scenario_is_picked() -> None:
    board = _board()
    board._widgets["price"].value = 0
    assert board._picture.words["goal"] == "Highest margin at 100 % TAW."
    board._picture.picked = 3
    assert board.values["threshold"] == 75 and board._picture.chosen == 3 and board._picture.picked == -1
    assert board._picture.bars[1]["text"] == "300 mm"


def test_a_table_is_filtered_by_its_settings() -> None:
    board = _board(_table(), outcomes={**OUTCOMES, "gain": Outcome("Gain")})
    assert board.error is None and board._picture.bars[3]["text"] == "1"
    board._widgets["soil"].value = "sand"
    assert board._picture.bars[3]["text"] == "2" and len(board._picture.points) == 5


def test_an_answer_that_fails_becomes_a_sentence() -> None:
    def answer(threshold: float, **_more: Any) -> dict[str, list[float]]:
        if threshold > 60:
            raise RuntimeError("the emulator knows no such field")
        return {**_answer(threshold), "threshold": [0.0] * 5 if threshold == 25 else _answer(threshold)["threshold"]}

    board = _board(answer)
    before = board._picture.words
    board._widgets["threshold"].value = 75
    assert "the emulator knows no such field." in board._status.value and board._picture.words == before
    board._widgets["threshold"].value = 25
    assert "no scenario is known for 25 % TAW." in board._status.value


@pytest.mark.parametrize(
    ("scenarios", "more", "said"),
    [
        (_answer, {"along": "crop"}, "the frontier follows 'crop', which is no control: choose among threshold, soil"),
        (_answer, {"axes": ("water", "rain")}, "'rain' is no outcome: choose among yield, water, margin"),
        (_answer, {"best": "rain"}, "'rain' is no outcome"),
        (_table().drop(columns="margin"), {}, "has no column 'margin', only threshold, water"),
        ({**_answer(0), "water": [1.0]}, {}, "differ in length"),
        ({name: [] for name in _answer(0)}, {}, "no scenario is known"),
        (_table().assign(margin=float("nan")), {}, "margin is nan"),
        (_table().assign(yield_low=99.0), {}, "yield is 8, and its spread goes from 99 to 10"),
    ],
)
def test_it_refuses_in_one_line(scenarios: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _board(scenarios, **more)


def test_three_controls_are_in_sight_and_a_page_without_scripts_has_all(capsys: pytest.CaptureFixture[str]) -> None:
    board = _board()
    assert len(board.children[1].children) == 3 + 2  # the button and what it hides
    bundle = board._repr_mimebundle_()
    told = bundle["application/vnd.genai4eu.controls+json"]
    assert told["picture"] == board._picture.model_id and board._picture.value == STILL
    assert [c["value"] for c in told["controls"]] == ["50 % TAW", "Loam", "0.5 €/m³", "5 mm"]
    assert bundle["text/plain"].startswith("Irrigate below 50 % TAW: dry yield 10.0 t/ha (9.0 to 12.0)")


def _open(page: Page, tmp_path: Path) -> list[str]:
    state = _board()._picture.get_state(["bars", "points", "chosen", "best", "axes", "words", "picked", "value"])
    answered = f"if (state.picked < 0) return; state.chosen = state.picked; state.picked = -1; {HEARD}"  # by the kernel
    return open_widget(page, tmp_path, "board.js", state, answered)


@pytest.mark.chromium
@pytest.mark.slow
def test_the_frontier_is_walked_with_keys_and_picked_with_a_finger(browser: Browser, tmp_path: Path) -> None:
    for width in (1280, 320):
        page = browser.new_page(viewport={"width": width, "height": 900})
        faults = _open(page, tmp_path)
        picture = page.get_by_role("img", name="Highest margin at 0 % TAW")
        expect(picture).to_be_visible()
        expect(page.get_by_role("status")).to_contain_text("Irrigate below 50 % TAW")
        expect(page.get_by_text("10.0 t/ha", exact=True)).to_be_visible()
        expect(page.get_by_text("Whiskers and band: 10th to 90th percentile of years.")).to_be_visible()
        picture.focus()
        for key, place in (("ArrowRight", 3), ("End", 4), ("ArrowUp", 4), ("Home", 0), ("ArrowLeft", 0)):
            page.keyboard.press(key)
            assert page.evaluate("window.state.chosen") == place, key
        page.locator(".dot").nth(3).click()
        assert page.evaluate("window.state.chosen") == 3
        expect(page.get_by_text("your setting, 75 % TAW")).to_be_visible()
        words = "(t) => { const b = t.getBoundingClientRect(); return b.left >= 0 && b.right <= innerWidth; }"
        assert all(
            page.locator("svg.frontier text").nth(i).evaluate(words)
            for i in range(page.locator("svg.frontier text").count())
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = barriers_in(page)
        assert not found and not faults, (found, faults)
        page.screenshot(path=tmp_path / f"board-{width}.png")
        page.close()
