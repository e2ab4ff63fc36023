"""The FieldMap: what it refuses, what is left without a script, and that it is read and steered in a real Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from genai4eu.widgets import FieldMap

from ..barriers import barriers_in
from .conftest import open_widget

# four members, two times, a grid of 6 x 8: member m has 10 m mm/day in one half of the second time
MEMBERS = np.zeros((4, 2, 6, 8))
MEMBERS[:, 1, :, 4:] = 10.0 * np.arange(4)[:, None, None]
TRUTH = np.full((2, 6, 8), 5.0)
ALT = "Half of the domain is wet; map, 0 to 40 mm/day."


def _map(**more: Any) -> FieldMap:
    return FieldMap(MEMBERS, ALT, truth=TRUTH, times=["day 1", "day 2"], threshold=15, top=40, spacing=100, **more)


def test_it_sends_bytes_that_keep_small_values() -> None:
    shown = _map()
    values = (np.frombuffer(shown.data, np.uint8).reshape(5, 2, 6, 8) / 255.0) ** 2 * 40
    np.testing.assert_allclose(values[:4], MEMBERS, atol=0.2)
    np.testing.assert_allclose(values[4], TRUTH, atol=0.1)
    assert (shown.shape, shown.truth, shown.times) == ([4, 2, 6, 8], True, ["day 1", "day 2"])


@pytest.mark.parametrize(
    ("members", "more", "said"),
    [
        (MEMBERS, {"alt": " "}, "needs alternative text"),
        (MEMBERS[0], {}, r"members should be \(member, time, y, x\), not 2 x 6 x 8"),
        (MEMBERS, {"truth": TRUTH[0]}, r"truth should be \(time, y, x\), not 6 x 8"),
        (MEMBERS, {"truth": TRUTH[:, :5]}, "truth is 2 x 5 x 8, members are 4 x 2 x 6 x 8: give the same"),
        (MEMBERS, {"times": ["one"]}, "1 names for 2 times"),
        (MEMBERS - 1, {}, "members hold values that are negative or no numbers"),
        (MEMBERS * np.nan, {}, "members hold values that are negative or no numbers"),
    ],
)
def test_it_refuses_in_one_line(members: np.ndarray, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        FieldMap(members, **{"alt": ALT, **more})


def test_without_a_script_its_picture_and_words_are_left() -> None:
    bundle, _ = _map(fallback="<figure><img alt='x' src='data:,'></figure>")._repr_mimebundle_()
    assert "<img" in bundle["text/html"] and bundle["text/plain"] == ALT
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "text/html" not in _map()._repr_mimebundle_()[0]


def _open(page: Page, tmp_path: Path) -> list[str]:
    state = _map().get_state()
    shown = {k: v for k, v in state.items() if isinstance(v, str | int | float | list | bool | bytes)}
    return open_widget(page, tmp_path, "fieldmap.js", {k: v for k, v in shown.items() if not k.startswith("_")})


def _pixel(page: Page, row: int, column: int) -> list[int]:
    code = "(c, [y, x]) => [...c.getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3)"
    return [int(v) for v in page.locator("canvas").evaluate(code, [row, column])]


@pytest.mark.chromium
@pytest.mark.slow
def test_it_shows_members_mean_and_chance_and_is_steered_with_the_keyboard(browser: Browser, tmp_path: Path) -> None:
    for width in (1280, 320):
        page = browser.new_page(viewport={"width": width, "height": 900})
        faults = _open(page, tmp_path)
        said = page.locator("output")
        expect(said).to_contain_text("chance above 15 mm/day, day 1: up to 0 % of members")
        page.get_by_role("slider", name="Time").press("ArrowRight")
        expect(said).to_contain_text("day 2: up to 50 % of members")  # members of 20 and 30 of the four
        assert _pixel(page, 0, 0) != _pixel(page, 0, 7)
        page.get_by_role("slider", name="Threshold").press("End")
        expect(said).to_contain_text("chance above 40 mm/day, day 2: up to 0 %")
        page.get_by_role("combobox", name="Show").select_option("mean")
        expect(said).to_contain_text("mean of all members, day 2: up to 15.0 mm/day")
        page.get_by_role("combobox", name="Show").select_option("3")
        picture = page.get_by_role("img", name=ALT)
        expect(picture).to_have_attribute(
            "aria-label", f"{ALT} Shown: member 4, up to 30.0 mm/day. Arrow keys read single points."
        )
        picture.press("ArrowLeft")
        expect(said).to_contain_text("member 4, day 2: 0.0 mm/day at 350 km east, 350 north")
        picture.press("ArrowRight")
        expect(said).to_contain_text("30.0 mm/day at 450 km east")
        page.get_by_role("combobox", name="Show").select_option("truth")
        expect(said).to_contain_text("truth, day 2: 5.0 mm/day at 450 km east")
        assert page.evaluate("[window.state.view, window.state.time, window.state.threshold]") == ["truth", 1, 40]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = barriers_in(page)
        assert not found and not faults, (found, faults)
        page.screenshot(path=tmp_path / f"map-{width}.png")
        page.close()
