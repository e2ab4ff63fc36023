"""The TrajectoryPlayer: what it refuses, what is left without a script, and that it plays in a real Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from genai4eu.widgets import TrajectoryPlayer

from ..barriers import barriers_in
from .conftest import HEARD, open_widget

WAYS = np.stack([np.linspace([-15, 0], [15, 2], 11), np.linspace([-15, 0], [15, -9], 11)])
PANELS = [{"title": "flow: 1 of 2 enter", "ways": WAYS, "marked": [True, False]}, {"title": "none", "ways": WAYS[1:]}]
ALT = "One of two motions enters the zone; two ways from above, in cm"


def _player(**more: Any) -> TrajectoryPlayer:
    return TrajectoryPlayer(PANELS, (0, 0, 5), (15, 0), 0.04, ALT, **more)


def test_it_takes_arrays_and_keeps_plain_data() -> None:
    player = _player()
    state = player.get_state(["panels", "zone", "step", "frame"])
    assert json.loads(json.dumps(state["panels"]))[0]["marked"] == [True, False]
    assert state["panels"][0]["ways"][1][10] == [15.0, -9.0]
    assert (state["zone"], state["frame"]) == ([0.0, 0.0, 5.0], 10)


@pytest.mark.parametrize(
    ("panels", "alt", "said"),
    [
        ([], ALT, "no motion to play"),
        (PANELS, " ", "needs alternative text"),
        ([{"title": "a", "ways": np.zeros((3, 2))}], ALT, r"a: ways are \(motion, time, 2\), not 3 x 2"),
        ([{"title": "a", "ways": np.full((1, 3, 2), np.nan)}], ALT, "a: ways hold values that are no numbers"),
        ([{"title": "a", "ways": WAYS, "marked": [True]}], ALT, "a: 1 marks for 2 ways"),
    ],
)
def test_it_refuses_in_one_line(panels: list[dict[str, Any]], alt: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TrajectoryPlayer(panels, (0, 0, 5), (15, 0), 0.04, alt)


def _bundle(player: TrajectoryPlayer) -> dict[str, Any]:
    shown = player._repr_mimebundle_()
    assert shown is not None
    return shown[0]


def test_without_a_script_its_picture_and_words_are_left() -> None:
    bundle = _bundle(_player(fallback="<figure><img alt='x' src='data:,'></figure>"))
    assert "<img" in bundle["text/html"] and bundle["text/plain"] == ALT
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "text/html" not in _bundle(_player())


def _open(page: Page, tmp_path: Path) -> list[str]:
    state = _player().get_state(["panels", "zone", "goal", "step", "unit", "alt", "frame"])
    saved = f"(window.saved ??= []).push(state.frame); {HEARD}"
    return open_widget(page, tmp_path, "trajectories.js", state, saved)


def _places(page: Page) -> list[float]:
    return [float(x) for x in page.locator(".dot").evaluate_all("dots => dots.map(d => d.getAttribute('cx'))")]


@pytest.mark.chromium
@pytest.mark.slow
def test_it_plays_and_scrubs_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    for width in (1280, 320):
        page = browser.new_page(viewport={"width": width, "height": 800})
        faults = _open(page, tmp_path)
        expect(page.get_by_role("img", name=ALT)).to_be_visible()
        assert _places(page) == [15.0, 15.0, 15.0]
        page.get_by_role("slider", name="Time of the motions").focus()
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
        assert _places(page) == [0.0, 0.0, 0.0]
        expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "0.20 s of 0.40 s")
        page.keyboard.press("Home")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Pause")).to_be_focused()
        expect(page.get_by_role("button", name="Play")).to_be_focused(timeout=5000)  # played to the end
        assert _places(page) == [15.0, 15.0, 15.0]
        assert page.evaluate("window.saved.at(-1)") == 10
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = barriers_in(page)
        assert not found and not faults, (found, faults)
        page.screenshot(path=tmp_path / f"player-{width}.png")
        page.close()
