"""The numbers of a figure as a table: read from its marks where they tell, given otherwise, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genai4eu.widgets.drawn import ROWS, drawn, table


def _drawn(draw: Callable[[Axes], Any], **named: str) -> dict[str, Any] | None:
    fig = Figure()
    axes = fig.subplots()
    draw(axes)
    axes.set(**named)
    return drawn(fig)


def test_a_line_and_what_is_no_data() -> None:
    def draw(axes: Axes) -> None:
        axes.plot([1, 2], [3.5, np.nan])
        axes.axhline(2)
        axes.axvline(1)

    found = _drawn(draw, xlabel="distance (m)", ylabel="height\n(m)")
    assert found == {"columns": ["distance (m)", "height (m)"], "rows": [[1, 3.5], [2, None]], "of": 2}


def test_dots_of_methods_with_intervals_by_site() -> None:
    def draw(axes: Axes) -> None:
        for i, low in enumerate((0.1, 0.2)):
            for shift, site in ((-0.2, "A"), (0.2, "B")):
                axes.errorbar(0.5, i + shift, xerr=[[low], [0.25]], fmt="o", label=site)
        axes.set_yticks([0, 1], ["flow", "random\nforest"])

    found = _drawn(draw, xlabel="Dice [1]")
    assert found and found["columns"] == ["name", "series", "Dice [1]", "low", "high"]
    assert found["rows"][0] == ["flow", "A", 0.5, 0.4, 0.75]
    assert found["rows"][3] == ["random forest", "B", 0.5, 0.3, 0.75]


def test_bars_points_and_bands() -> None:
    assert _drawn(lambda axes: axes.bar(["x", "y"], [1, 2]), ylabel="runs") == {
        "columns": ["name", "runs"], "rows": [["x", 1], ["y", 2]], "of": 2,
    }  # fmt: skip
    scattered = _drawn(lambda axes: axes.scatter([1], [2]), xlabel="a", ylabel="b")
    assert scattered and scattered["rows"] == [[1.0, 2.0]]

    def draw(axes: Axes) -> None:
        axes.fill_between([1, 2], [0, 1], [2, 3], label="90 %")
        axes.plot([1, 2], [1, 2], label="median")

    band = _drawn(draw, xlabel="year", ylabel="rain [mm]")
    assert band and band["columns"] == ["year", "series", "rain [mm]", "low", "high"]
    assert [1, "median", 1, None, None] in band["rows"] and [2.0, "90 %", None, 1.0, 3.0] in band["rows"]


def test_of_two_intervals_the_height_s_are_told() -> None:
    found = _drawn(lambda axes: axes.errorbar(1, 5, xerr=0.5, yerr=2), xlabel="a", ylabel="b")
    assert found and found["rows"] == [[1, 5, 3.0, 7.0]]


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: axes.imshow(np.eye(3)),
        lambda axes: axes.contour(np.arange(9).reshape(3, 3)),
        lambda axes: (axes.plot([1, 2], label="a"), axes.plot([1, 2])),
        lambda axes: axes.errorbar(1, 2, xerr=1),
        lambda axes: axes.axhline(1),
    ],
    ids=["image", "contour", "two lines, one without a name", "interval of the first column", "no data"],
)
def test_what_does_not_tell_has_no_table(draw: Callable[[Axes], Any]) -> None:
    assert _drawn(draw, xlabel="a", ylabel="b") is None


def test_numbers_without_a_name_have_no_table() -> None:
    assert _drawn(lambda axes: axes.plot([1, 2])) is None
    fig = Figure()
    for axes in fig.subplots(1, 2):
        axes.plot([1, 2])
        axes.set(xlabel="a", ylabel="b")
    assert drawn(fig) is None


def test_a_table_may_be_given() -> None:
    frame = pd.DataFrame({"dice": [0.5, np.nan]}, index=pd.Index(["flow", "forest"], name="method"))
    assert table(frame) == {"columns": ["method", "dice"], "rows": [["flow", 0.5], ["forest", None]], "of": 2}
    assert table({"year": range(2), "rain": np.array([1.5, 2])})["rows"] == [[0, 1.5], [1, 2.0]]
    long = table({"n": range(10 * ROWS + 1)})
    assert len(long["rows"]) <= ROWS and long["of"] == 10 * ROWS + 1


@pytest.mark.parametrize(
    ("data", "says"), [([1, 2], "a data frame or columns by name"), ({"a": [1], "b": []}, "differ")]
)
def test_what_is_no_table_is_refused(data: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        table(data)
