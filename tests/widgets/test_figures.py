"""Figures: alternative text is a must, images are sharp, the same figure gives the same bytes."""

from __future__ import annotations

import base64
import re

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from genai4eu.widgets import figure, figure_html, use_style


def _line() -> Figure:
    fig, axes = plt.subplots(figsize=(4, 3))
    axes.plot([0, 1])
    return fig


def _picture() -> Figure:
    fig, axes = plt.subplots(figsize=(4, 3))
    axes.imshow(np.arange(100).reshape(10, 10))
    return fig


def _image(html: str) -> tuple[str, bytes]:
    found = re.search(r'src="data:([^;]+);base64,([^"]+)"', html)
    assert found
    return found[1], base64.b64decode(found[2])


def test_a_figure_says_what_it_shows() -> None:
    html = figure_html(_line(), 'Dice rises "from" 0 to 1; line', title="It <rises>")
    assert 'alt="Dice rises &quot;from&quot; 0 to 1; line"' in html
    assert "<figcaption>It &lt;rises&gt;</figcaption>" in html and 'width="384" height="288"' in html


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_alternative_text_is_refused(alt: str) -> None:
    with pytest.raises(ValueError, match="alt="):
        figure(_line(), alt=alt)


def test_lines_are_vectors_and_pictures_have_two_pixels_for_one() -> None:
    assert _image(figure_html(_line(), "a"))[0] == "image/svg+xml"
    mime, content = _image(figure_html(_picture(), "a"))
    assert mime == "image/png"
    assert int.from_bytes(content[16:20], "big") == 2 * 384 and int.from_bytes(content[20:24], "big") == 2 * 288


def test_a_large_vector_becomes_a_picture() -> None:
    fig, axes = plt.subplots()
    for row in np.random.default_rng(0).random((50, 200)):
        axes.plot(row)
    assert _image(figure_html(fig, "a"))[0] == "image/png"


def test_the_same_figure_gives_the_same_bytes() -> None:
    use_style()
    assert figure_html(_line(), "a") == figure_html(_line(), "a")


def test_figures_and_pages_share_their_type(caplog: pytest.LogCaptureFixture) -> None:
    use_style()
    fig, axes = plt.subplots()
    axes.set_title("Dice, σ = 0.04 − µ", weight="bold")
    figure_html(fig, "a")
    assert plt.rcParams["font.family"][0] == "Inter Figures"
    assert not caplog.records, "every family is found, every sign is drawn"


def test_a_shown_figure_is_closed() -> None:
    before = plt.get_fignums()
    figure_html(_line(), "a")
    assert plt.get_fignums() == before


def test_the_house_style_is_readable_by_colour_blind_people() -> None:
    use_style()
    assert plt.rcParams["image.cmap"] == "cividis"
    assert plt.rcParams["axes.prop_cycle"].by_key()["color"][:2] == ["#0072B2", "#D55E00"]
