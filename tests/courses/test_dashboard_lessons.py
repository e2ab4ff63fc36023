"""What the lessons' checks say to plausible mistakes, in the course's languages, and that other right answers pass."""

from __future__ import annotations

import json
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
        ("in 0.5..0.99", "in 0.3..50", "`share=1.0` would be accepted"),
        ("in 0.5..0.99", "in 0.3..0.99", "`share=0.4` would be accepted"),
        ("in 0.5..0.99", "in 0.5..1", "`share=1.0` would be accepted"),
        ("in 0.5..0.99", "in 0.6..0.99", "`share=0.5` would be refused"),
        ("in 0.5..0.99", "in 0.5..0.95", "`share=0.99` would be refused"),
        ("share: float = 0.9", "share: float = 0.8", "You have: `share = 0.8`"),
        ("share: float = 0.9", "portion: float = 0.9", "No parameter is declared as: share"),
        ("days: int = 60", "days: int = 61", "You have: `days = 61`"),
        ("in 20..250", "in 1..250", "`days=3` would be accepted: from a few days nothing can be learnt"),
        ("in 20..250", "in 20..365", "`days=300` would be accepted"),
        ("in 20..250", "in 21..250", "`days=20` would be refused"),
        ("in 20..250", "in 20..249", "`days=250` would be refused"),
        ("days: int = 60", "days: float = 60.0", "half a day"),
        ("in 0..9999", "", "`seed=-1` would be accepted: a seed is a whole number"),
        ("seed: int = 0", "seed: float = 0.0", "`seed=0.5` would be accepted"),
        ("in 0..9999", "in 0..99999", "`seed=10000` would be accepted"),
        ("in 0..9999", "in 0..100", "`seed=200` would be refused"),
        ("seed: int = 0", "seed: int = 1", "You have: `seed = 1`"),
        ("[day] ", "", "Name the unit"),
        ("last [1]", "last", "whether the unit was forgotten: share"),
        ("recorded [1]", "recorded", "whether the unit was forgotten: seed"),
        ("# which days happened to be recorded", "#", "what this means: seed"),
    ],
)
def test_a_parameters_cell_that_lets_nonsense_through(template: Template, old: str, new: str, fragment: str) -> None:
    assert old in template.text("parameters")
    template.keep("parameters", template.text("parameters").replace(old, new))
    _said("parameters", {"template": template}, fragment)


def test_whoever_chooses_other_sensible_limits_is_right(template: Template) -> None:
    own = template.text("parameters").replace("20..250", "10..251").replace("0.5..0.99", "0.45..0.999")
    template.keep("parameters", own.replace("0..9999", "0..999").replace("[day]", "[dag]"))
    assert look("parameters", TESTS["parameters"], {"template": template}, "en") == Verdict(True)


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        ("default_rng(seed)", "default_rng()", "gives different days"),
        ("default_rng(seed)", "default_rng(0)", "seed 0 and seed 1 give the same days"),
        ("later = rng", "later = np.random.default_rng()", "still differ from run to run: later"),
        ("cook = rng", "cook = np.random.default_rng()", "still differ from run to run: cook"),
        ("cook = ", "rng = np.random.default_rng()\ncook = ", "still differ from run to run: cook, rng"),
        ("cook = ", "chef = ", "needs what the first version had as well: cook"),
        ("20, days", "20, 60", "there are not 25 recorded days"),
    ],
)
def test_a_run_that_cannot_be_repeated(template: Template, old: str, new: str, fragment: str) -> None:
    assert old in template.text("days")
    template.keep("days", template.text("days").replace(old, new))
    _said("repeat", {"template": template}, fragment)


def test_one_generator_of_the_old_kind_can_be_repeated_as_well(template: Template) -> None:
    own = template.text("days").replace("rng = np.random.default_rng(seed)", "np.random.seed(seed)\nrng = np.random")
    template.keep("days", own)
    assert look("repeat", TESTS["repeat"], {"template": template}, "en") == Verdict(True)


@pytest.mark.parametrize(
    ("answer", "fragment"),
    [
        ((0.88, 0.88, 0.88), "one number twice"),
        ((0.88, 0.94, 0.80), "outside your range"),
        ((88, 80, 94), "Those are percentages"),
        ((0.9, 0.7, 0.9), "nobody knows more than the smallest and the largest"),
        ((0.8, 0.8, 0.94), "far from the mean"),
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


def test_who_rounds_to_one_digit_is_right() -> None:
    for answer in ((0.9, 0.8, 0.9), (0.88, 0.8, 0.9), (0.9, 0.8, 0.94)):
        assert look("range", TESTS["range"], {**SWEPT, "answer": answer}, "en") == Verdict(True)
    moved = {**SWEPT, "few_days": [0.851, 0.901, 0.943, 0.916, 0.858]}
    assert look("range", TESTS["range"], {**moved, "answer": (0.9, 0.9, 0.94)}, "en") == Verdict(True)
    _said("range", {**moved, "answer": (0.9, 0.9, 0.9)}, "keep one digit more")


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
        ('f"With {plan:.0f} meals {lasted:.0%} {low:.0%} {high:.0%}" + " more" * 25', "at most 30 words"),
    ],
)
def test_an_answer_that_would_mislead(template: Template, sentence: str, fragment: str) -> None:
    template.keep("answer", f"sentence = {sentence}")
    _said("answer", {"template": template}, fragment)


def test_thirty_words_are_allowed_and_signs_are_no_words(template: Template) -> None:
    sentence = "Avec {plan:.0f} repas {lasted:.0%} : {low:.0%} – {high:.0%} ;" + " mot" * 24
    template.keep("answer", f"sentence = f'{sentence}'")
    assert look("answer", TESTS["answer"], {"template": template}, "en") == Verdict(True)


@pytest.mark.parametrize(
    ("old", "new", "fragment"),
    [
        (" [1]", "", "not in which unit"),
        ("ax.text(", "print(", "What is the dashed line?"),
        ('alt=f"With {plan:.0f} meals the food lasts on about {lasted:.0%} of days;', 'alt=f"It lasts;', "the finding"),
        ('alt=f"With', 'alt=f"Histogram: with', "Begin with the finding"),
        ('alt=f"With', 'alt=f"A histogram: with', "Begin with the finding"),
        ('alt=f"With', 'alt=f"This chart shows that with', "Begin with the finding"),
        ('alt=f"With', 'alt=f"Het histogram: met', "Begin with the finding"),
        ('alt=f"With', 'alt=f"Eine Abbildung: mit', "Begin with the finding"),
        ('alt=f"With', "alt=f\"L'histogramme : avec", "Begin with the finding"),
        ("histogram of", "picture of", "what kind of figure"),
        ("from {drawn.min():.0f} to {drawn.max():.0f} guests", "of guests", "From where to where"),
        ("figure(\n    fig,", "dict(", "one figure"),
    ],
)
def test_a_figure_that_leaves_somebody_out(template: Template, old: str, new: str, fragment: str) -> None:
    assert old in template.text("figure")
    template.keep("figure", template.text("figure").replace(old, new, 1))
    _said("picture", {"template": template, "np": np}, fragment)


@pytest.mark.parametrize(
    "begin", ["A plan of", "The plan of", "Een plan van", "Ein Plan von", "Un plan de", "Le plan de", "L'ensemble de"]
)
def test_an_article_before_the_finding_is_no_kind_of_figure(template: Template, begin: str) -> None:
    template.keep("figure", template.text("figure").replace('alt=f"With', f'alt=f"{begin}', 1))
    assert look("picture", TESTS["picture"], {"template": template, "np": np}, "en") == Verdict(True)


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


def _version(folder: Path, number: int, **change: Any) -> SimpleNamespace:
    """Write what a version of a dashboard says of itself, as publishing does."""
    about: dict[str, Any] = {
        "slug": "canteen-1",
        "title": "How many?",
        "question": "How many?",
        "run": "run-1",
        "answer": "255.",
    }
    about |= {"published": "", "where": "", "sector": None, "started": None, "figure": None, "given": {}}
    made = folder / "canteen-1" / "versions" / str(number)
    made.mkdir(parents=True)
    (made / "dashboard.json").write_text(json.dumps(about | change), "utf-8")
    return SimpleNamespace(slug="canteen-1", version=number, folder=made)


RENAMED = {"title": "Meals in Ghent", "question": "Meals in Ghent", "given": {"title": "Meals in Ghent"}}


def test_a_new_title_at_the_same_address(tmp_path: Path) -> None:
    space = {"published": _version(tmp_path, 1), "corrected": _version(tmp_path, 2, **RENAMED)}
    assert look("correction", TESTS["correction"], space, "en") == Verdict(True)


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"question": "Meals in Ghent"}, "title is still the old one"),
        ({"title": "Meals in Ghent", "question": "Meals in Ghent"}, "title is still the old one"),
        ({"given": {"summary": "Meals in Ghent"}}, "title is still the old one"),
        ({**RENAMED, "run": "run-2"}, "shows another run"),
    ],
)
def test_a_correction_of_something_else(tmp_path: Path, change: dict[str, Any], fragment: str) -> None:
    space = {"published": _version(tmp_path, 1), "corrected": _version(tmp_path, 2, **change)}
    _said("correction", space, fragment)
