"""The Explorer: it draws when shown, redraws when touched, and turns an error into a sentence."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from genai4eu.widgets import Choice, Explorer, Range


def _draw(site: str = "", load: float = 0, **_more: float) -> tuple[Figure, str]:
    fig, _ = plt.subplots()
    if load > 40:
        raise ValueError("no lesion is so large")
    return fig, f"site {site}, load {load:g}"


@pytest.fixture
def explorer() -> Explorer:
    site = Choice("Site", {"Hospital A": "A", "Hospital C": "C"}, value="C", help="Where.")
    return Explorer(_draw, site=site, load=Range("Lesion load", 0, 50, step=5, value=15, unit="mL", help="How much."))


def test_it_draws_with_the_initial_values(explorer: Explorer) -> None:
    assert explorer.values == {"site": "C", "load": 15}
    assert 'alt="site C, load 15"' in explorer._picture.value


def test_it_redraws_when_a_control_moves(explorer: Explorer) -> None:
    explorer._widgets["load"].value = 20
    assert 'alt="site C, load 20"' in explorer._picture.value
    assert "genai4eu-busy" not in explorer._picture._dom_classes and ">Computing" not in explorer._status.value


def test_it_says_that_it_is_busy(explorer: Explorer) -> None:
    said: list[str] = []
    explorer._status.observe(lambda change: said.append(change.new), names="value")
    explorer._widgets["load"].value = 20
    assert "Computing" in said[0] and "Computing" not in said[-1]


def test_an_error_becomes_a_sentence_and_leaves_the_picture(explorer: Explorer) -> None:
    before, figures = explorer._picture.value, plt.get_fignums()
    explorer._widgets["load"].value = 45
    assert "no lesion is so large." in explorer._status.value and "Traceback" not in explorer._status.value
    assert explorer._picture.value == before and isinstance(explorer.error, ValueError)
    assert plt.get_fignums() == figures, "a figure that was begun is closed"
    explorer._widgets["load"].value = 10
    assert explorer.error is None and "load 10" in explorer._picture.value


def test_the_stored_output_tells_the_settings(explorer: Explorer, capsys: pytest.CaptureFixture[str]) -> None:
    told: dict[str, Any] = explorer._repr_mimebundle_()["application/vnd.genai4eu.controls+json"]
    assert told["picture"] == explorer._picture.model_id
    assert told["controls"][0] == {"name": "site", "label": "Site", "value": "Hospital C", "unit": "", "help": "Where."}
    assert told["controls"][1]["value"] == "15 mL" and told["controls"][1]["unit"] == "mL"


def test_at_most_three_controls_are_in_sight() -> None:
    explorer = Explorer(_draw, **{f"c{n}": Range(f"C{n}", 0, 1) for n in range(5)})
    panel = explorer.children[1]
    assert len(panel.children) == 3 + 2
    button, hidden = panel.children[3:]
    assert len(hidden.children) == 2 and hidden.layout.display == "none"
    button.value = True
    assert hidden.layout.display == ""


def test_many_options_go_into_a_list() -> None:
    kind = {n: type(Choice("C", {str(i): i for i in range(n)}).widget()).__name__ for n in (4, 5)}
    assert kind == {4: "RadioButtons", 5: "Dropdown"}


def test_whole_numbers_stay_whole_and_fractions_stay_fractions() -> None:
    assert type(Range("R", 0, 10, step=1).widget()).__name__ == "IntSlider"
    assert type(Range("R", 0, 1).widget()).__name__ == "FloatSlider"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Range("Load", 5, 5), "lower limit"),
        (lambda: Range("Load", 0, 5, step=0), "step must be positive"),
        (lambda: Range("Load", 0, 5, value=6), "not in 0..5"),
        (lambda: Choice("Site", {}), "at least one option"),
        (lambda: Choice("Site", {"A": "A"}, value="B"), "not one of A"),
    ],
)
def test_impossible_controls_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def test_words_of_further_languages_go_with_the_stored_output(explorer: Explorer) -> None:
    site = Choice("Site", {"Hospital A": "A"}, help="Where.")
    shown = Explorer(_draw, words={"nl": {"Site": "Locatie", "Where.": "Waar."}, "it": {"Site": "Sito"}}, site=site)
    words = shown._repr_mimebundle_()["application/vnd.genai4eu.controls+json"]["words"]
    assert words["nl"]["Site"] == "Locatie" and words["it"] == {"Site": "Sito"}
    assert words["nl"]['<p class="genai4eu-help">Where.</p>'] == '<p class="genai4eu-help">Waar.</p>'
    with pytest.raises(ValueError, match="no control says 'Sites': give words for Site"):
        Explorer(_draw, words={"nl": {"Sites": "Locaties"}}, site=site)
