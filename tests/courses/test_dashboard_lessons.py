"""What the lessons' checks say to plausible mistakes, in the course's languages, and that other right answers pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import genai4eu
from genai4eu.courses.build import build
from genai4eu.courses.checking import Verdict, look
from genai4eu.courses.course import Course
from genai4eu.courses.lesson import exercises, read
from genai4eu.courses.shipped import named
from genai4eu.courses.template import Template, begin

COURSE = Course(named("notebook-to-dashboard"))
TESTS = {
    e.name: e.tests
    for lesson in COURSE.about.lessons
    for e in exercises(read(COURSE.folder / lesson.file), COURSE.language)
}
FEW, MANY = [0.804, 0.901, 0.943, 0.916, 0.846], [0.895, 0.866, 0.928, 0.925, 0.941]
RUNS = [(20, s, {"lasted": v, "average": 0.5}) for s, v in enumerate(FEW)]
RUNS += [(200, s, {"lasted": v, "average": 0.5}) for s, v in enumerate(MANY)]
SWEPT = {"few_days": FEW, "many_days": MANY, "runs": RUNS}


def _said(name: str, space: dict[str, Any], fragment: str) -> None:
    """Hold a check to what it says, and to saying something else in each language."""
    found: dict[str, Verdict] = {
        language: look(name, TESTS[name], space, language) for language in ("en", "nl", "de", "fr")
    }
    assert not any(verdict.passed for verdict in found.values())
    assert fragment in found["en"].sentence, found["en"].sentence
    assert len({verdict.sentence for verdict in found.values()}) == 4
    assert not any("{}" in verdict.sentence or "stopped the check" in verdict.sentence for verdict in found.values())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A participant's desk."""
    return build(COURSE, tmp_path_factory.mktemp("course") / "desk")


@pytest.fixture
def template(built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Template]:
    """The template as it is once it is done, and what it keeps."""
    monkeypatch.chdir(built)
    monkeypatch.setenv("GENAI4EU_SCRATCH", str(tmp_path))
    yield begin("material/canteen.toml")
    (built / "canteen.ipynb").unlink()


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("in 0.5..0.99", "", "`share=90` would be accepted"),
        ("share: float = 0.9", "portion: float = 0.9", "No parameter is declared as: share"),
        ("in 20..250", "in 1..250", "nothing can be learnt"),
        ("in 20..250", "in 21..249", "20 and 250 days are to be allowed"),
        ("days: int = 60", "days: float = 60.0", "half a day"),
        ("in 0.5..0.99", "in 0..1", "`share` is to go from 0.5 to 0.99"),
        ("in 0..9999", "", "`seed` is to be a whole number"),
        ("[day] ", "", "Name the unit"),
    ],
)
def test_a_parameters_cell_that_lets_nonsense_through(template: Template, old: str, new: str, fragment: str) -> None:
    assert old in template.text("parameters")
    template.keep("parameters", template.text("parameters").replace(old, new))
    _said("parameters", {"template": template}, fragment)


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("default_rng(seed)", "default_rng()", "gives different days"),
        ("default_rng(seed)", "default_rng(0)", "seed 0 and seed 1 give the same days"),
        ("later = rng", "later = np.random.default_rng()", "still differ from run to run"),
        ("cook = ", "chef = ", "needs what the first version had as well: cook"),
        ("20, days", "20, 60", "there are not 25 recorded days"),
    ],
)
def test_a_run_that_cannot_be_repeated(template: Template, old: str, new: str, fragment: str) -> None:
    assert old in template.text("days")
    template.keep("days", template.text("days").replace(old, new))
    _said("repeat", {"template": template}, fragment)


@pytest.mark.parametrize(
    ("answer", "fragment"),
    [
        ((0.88, 0.88, 0.88), "one number twice"),
        ((0.99, 0.80, 0.94), "outside your range"),
        ((0.91, 0.87, 0.94), "the question is about 20"),
        ((0.88, 0.86, 0.90), "narrower than what five seeds already did"),
        ((0.88, 0.70, 0.99), "nobody knows more than the smallest and the largest"),
        ((0.8820, 0.804, 0.943), "Round to two"),
    ],
)
def test_a_range_that_says_too_much_or_too_little(answer: Any, fragment: str) -> None:
    _said("range", {**SWEPT, "answer": answer}, fragment)


def test_the_mean_is_as_good_a_middle_as_the_median() -> None:
    for middle in (0.88, 0.9):
        assert look("range", TESTS["range"], {**SWEPT, "answer": (middle, 0.80, 0.94)}, "en").passed


def test_what_sentences_the_runs_support_depends_on_the_runs() -> None:
    right = {"A": False, "B": True, "C": False, "D": True}
    assert look("claims", TESTS["claims"], {**SWEPT, "supported": right}, "en").passed
    for letter in "ABCD":
        _said("claims", {**SWEPT, "supported": right | {letter: not right[letter]}}, f"Look at {letter} again")
    other = {**SWEPT, "many_days": [v + 0.2 for v in MANY]}
    assert look("claims", TESTS["claims"], {**other, "supported": right | {"A": True}}, "en").passed
    _said("claims", {**SWEPT, "supported": {"A": False}}, "for each letter")


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"cook": np.zeros(3)}, "who worked on which day"),
        ({"drawn": None}, "not kept: drawn"),
        ({"later": np.zeros(9)}, "travel with every copy: later"),
        ({"drawn": np.zeros(60)}, "another variable's"),
    ],
)
def test_what_is_kept_for_the_page(template: Template, change: dict[str, Any], fragment: str) -> None:
    kept = {"plan": 255, "lasted": 0.9, "low": 0.8, "high": 0.95, "average": 0.5, "drawn": np.zeros(2000), **change}
    folder = genai4eu.current_run().outputs
    np.savez(folder / "result.npz", **{name: value for name, value in kept.items() if value is not None})
    _said("keep", {"template": template, "genai4eu": genai4eu}, fragment)


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("kept = np.load", "stored = np.load", "there is no `kept`"),
        ('"result.npz"', '"results.npz"', "The file is `result.npz`"),
        ("float(kept[name])", "kept[name]", "still arrays"),
        ("drawn = kept", "days = kept", "not give all that the next ones need: drawn"),
        ("use_style()", "use_style()\n1 / 0", "stops: division by zero"),
        ('drawn = kept["drawn"]', 'drawn = kept["drawn"]\nplan = 255.4', "still says the old number: plan"),
    ],
)
def test_a_page_that_leans_on_more_than_the_record(template: Template, old: str, new: str, fragment: str) -> None:
    template.keep("answer", "sentence = f'{plan:.0f}'")
    template.keep("figure", "")
    assert old in template.text("load")
    template.keep("load", template.text("load").replace(old, new))
    _said("alone", {"template": template}, fragment)


@pytest.mark.parametrize(
    ("sentence", "fragment"),
    [
        ('"With 255 meals the food lasts on 89% of days."', "a number was typed"),
        ('f"Met {plan:.1f} maaltijden is er op {lasted:.0%} van de dagen genoeg"', "nobody can know these"),
        ('f"Das Essen reicht an {lasted:.0%} der Tage ({low:.0%} bis {high:.0%})"', "how many meals?"),
        ('f"With {plan:.0f} meals the food lasts on most of the days there are"', "on what share of days"),
        ('f"With {plan:.0f} meals the food lasts on {lasted:.0%} of the days"', "as if it were certain"),
        ('f"{plan:.0f}: {lasted:.0%} ({low:.0%} – {high:.0%})"', "Numbers alone are no sentence"),
        ('f"With {plan:.0f} meals {lasted:.0%} {low:.0%} {high:.0%}" + " and so on" * 20', "too long for a phone"),
    ],
)
def test_an_answer_that_would_mislead(template: Template, sentence: str, fragment: str) -> None:
    template.keep("answer", f"sentence = {sentence}")
    _said("answer", {"template": template}, fragment)


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        (" [1]", "", "not in which unit"),
        ("ax.text(", "print(", "What is the dashed line?"),
        ('alt=f"With {plan:.0f} meals the food lasts on about {lasted:.0%} of days;', 'alt=f"It lasts;', "the finding"),
        ('alt=f"With', 'alt=f"Histogram: with', "Begin with the finding"),
        ("histogram of", "picture of", "what kind of figure"),
        ("from {drawn.min():.0f} to {drawn.max():.0f} guests", "of guests", "From where to where"),
        ("figure(\n    fig,", "dict(", "one figure"),
    ],
)
def test_a_figure_that_leaves_somebody_out(template: Template, old: str, new: str, fragment: str) -> None:
    assert old in template.text("figure")
    template.keep("figure", template.text("figure").replace(old, new, 1))
    _said("picture", {"template": template, "np": np}, fragment)


@pytest.mark.parametrize("language", ["en", "nl", "de", "fr"])
def test_the_ready_answer_and_figure_of_each_language_pass(built: Path, language: str) -> None:
    template = Template(built / "material" / "canteen.toml", built, language)
    try:
        template.fill(None)
        for name in ("parameters", "repeat", "alone", "answer", "picture"):
            assert look(name, TESTS[name], {"template": template, "np": np}, "en") == Verdict(True)
    finally:
        template.file.unlink()


def test_limits_that_protect_the_author_or_are_missing() -> None:
    assert look("limits", TESTS["limits"], {"limits": ["a", "b", "d"]}, "en").passed
    for chosen, fragment in (
        ("ABDE", "protects its author"),
        ("ABDF", "contradicts the page"),
        ("ABCD", "language of the code"),
    ):
        _said("limits", {"limits": set(chosen)}, fragment)
    for chosen, fragment in (("BD", "their own canteen"), ("AD", "Christmas"), ("AB", "2000 days were counted")):
        _said("limits", {"limits": set(chosen)}, fragment)
    _said("limits", {"limits": set()}, "letters from A to F")


def test_who_gets_what() -> None:
    best = {"colleague": "html", "visitor": "link", "centre": "bundle", "reviewer": "record"}
    assert look("hand-over", TESTS["hand-over"], {"handed": best}, "en").passed
    for person, fragment in (
        ("colleague", "double click"),
        ("visitor", "poster"),
        ("centre", "gallery"),
        ("reviewer", "versions"),
    ):
        wrong = "html" if person != "colleague" else "link"
        _said("hand-over", {"handed": best | {person: wrong}}, fragment)


def test_a_correction_at_another_address() -> None:
    standing = SimpleNamespace(slug="canteen-1", version=1, folder=Path.cwd())
    for slug, version, fragment in (("canteen-2", 1, "another address"), ("canteen-1", 1, "nothing was changed")):
        space = {"published": standing, "corrected": SimpleNamespace(slug=slug, version=version)}
        _said("correction", space, fragment)
    gone = SimpleNamespace(slug="canteen-1", version=1, folder=Path("/nowhere"))
    _said("correction", {"published": gone, "corrected": SimpleNamespace(slug="canteen-1", version=2)}, "is gone")
    _said("correction", {"published": standing, "corrected": None}, "is to be what")
