"""The viewers on a wide and a narrow page, in the light and in the dark: what is touched, focused and read is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from genai4eu.widgets import FieldMap, StructureViewer, TrajectoryPlayer

from ..chromium import FLAT, SOFTWARE, launched
from .conftest import each_look, open_panel, without_barriers

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
WAYS = np.linspace([-15, 0], [15, 2], 11)[None]
SALT = {"name": "LiF", "lattice": np.eye(3) * 4, "elements": ["Li", "F"], "places": [[0, 0, 0], [0.5, 0.5, 0.5]],
        "alt": "a cell of LiF", "cif": "data_LiF"}  # fmt: skip
VIEWERS: dict[str, Callable[[], Any]] = {
    "map": lambda: FieldMap(np.ones((2, 2, 4, 4)), "even rain, 1 mm/day", threshold=0.5),
    "player": lambda: TrajectoryPlayer([{"title": "one", "ways": WAYS}], (0, 9, 2), (15, 0), 0.04, "a way, in cm"),
    "structure": lambda: StructureViewer([SALT, {**SALT, "name": "NaF"}]),
}
#: Contrast of the colours of sliders, of links and of the ring round what has the focus, with the page.
CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => { v /= 255; return v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = getComputedStyle(document.body).backgroundColor, ground = light(page === "rgba(0, 0, 0, 0)" ? "white" : page);
  const against = (colour) => { const other = light(colour); return (Math.max(other, ground) + 0.05) / (Math.min(other, ground) + 0.05); };
  const found = [...document.querySelectorAll("input[type=range]")].map((n) => against(getComputedStyle(n).accentColor));
  for (const node of document.querySelectorAll("button, input, select, a, [tabindex]")) { node.focus(); found.push(against(getComputedStyle(node).outlineColor)); }
  return found;
}"""  # noqa: E501


def _contrasts(page: Page) -> list[float]:
    page.keyboard.press("Tab")  # from here on the focus is visible
    found: list[float] = page.evaluate(CONTRASTS)
    return found


@pytest.mark.parametrize("name", sorted(VIEWERS))
def test_a_viewer_in_the_light_and_in_the_dark(name: str, chromium_path: str, tmp_path: Path) -> None:
    viewer = VIEWERS[name]()
    with launched(chromium_path, *(SOFTWARE if name == "structure" else FLAT)) as browser:
        for page, width, colours in each_look(browser):
            faults = open_panel(page, tmp_path, viewer)
            page.locator("#here canvas, #here svg").first.wait_for()
            found = _contrasts(page)
            assert found and min(found) >= 3, (width, colours, found)
            page.screenshot(path=tmp_path / f"{name}-{width}-{colours}.png", full_page=True)
            without_barriers(page, [fault for fault in faults if "GPU stall" not in fault])
