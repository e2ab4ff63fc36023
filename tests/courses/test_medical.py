"""What the checks of the medical course say to who is wrong: words for each usual mistake, in every language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from genai4eu.courses.checking import look
from genai4eu.courses.course import Course
from genai4eu.courses.lesson import exercises, read
from genai4eu.courses.shipped import named
from genai4eu.usecases.health_imaging import compare, keep

COURSE = Course(named("medical-imaging"))
CHECKS = {
    exercise.name: exercise.tests
    for lesson in COURSE.about.lessons
    for exercise in exercises(read(COURSE.folder / lesson.file), "en")
}
SLICES = pd.read_csv(COURSE.folder / "material" / "slices.csv")
AT_C = SLICES[SLICES.site == "C"]
ELSEWHERE = SLICES[SLICES.site != "C"]
TRUTH = np.arange(100) < 2
NOISE, GOAL = np.zeros((4, 4)), np.ones((4, 4))


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """What cells before the exercises leave."""
    scores = keep.read_kept(COURSE.folder / "material", "scores.nc")
    runs = [scores.sel(seed=seed) for seed in scores["seed"].values]
    return {"np": np, "pd": pd, "truth": TRUTH, "noise": NOISE, "goal": GOAL, "compare": compare, "runs": runs}


@pytest.mark.parametrize(
    ("name", "answers", "said"),
    [
        ("brightest", {"order": ["lesion", "fluid", "white matter"]}, "brightest at A"),
        ("brightest", {"order": ["fluid", "white matter", "lesion"]}, "The first one is right"),
        ("empty-tool", {"share": 0.02, "measure": "dice"}, "there the empty tool is wrong"),
        ("empty-tool", {"share": 98, "measure": "dice"}, "not in per cent"),
        ("empty-tool", {"share": 0.98, "measure": "accuracy"}, "looks excellent"),
        ("leak", {"leaked": {"P-11"}}, "same brain, other scanner"),
        ("leak", {"leaked": {"P-01"}}, "that is no leak"),
        ("split", {"train": SLICES, "test": AT_C}, "Scans from C are in training"),
        ("split", {"train": ELSEWHERE, "test": AT_C}, "Some patients are still in both"),
        ("split", {"train": ELSEWHERE[:2], "test": AT_C}, "leaves out slices that it could use"),
        ("why-b", {"reason": "a"}, "as many B as A"),
        ("interval", {"patients_needed": 48, "not_surer": "b"}, "factor of 1.4"),
        ("path", {"quarter": 0.25 * NOISE + 0.75 * GOAL, "velocity": GOAL - NOISE}, "t = 0.75"),
        ("path", {"quarter": 0.75 * NOISE + 0.25 * GOAL, "velocity": NOISE - GOAL}, "backwards"),
        ("clear", {"clear": {"randomised", "classical"}, "unclear": "b"}, "the interval holds zero"),
        ("price", {"change_at_b": 0.192, "advice": "flow 10:1"}, "another question"),
        ("cause", {"low": 0, "high": 0.015, "claim": "b"}, "may go below zero"),
        ("cause", {"low": -0.005, "high": 0.015, "claim": "c"}, "Too far the other way"),
        ("private", {"private": {"c", "e"}}, "look at names"),
        ("private", {"private": {"b", "c", "e", "f"}}, "nobody can repeat your study"),
    ],
)
def test_a_usual_mistake_is_met_with_words_of_its_own(
    given: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, answers: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(COURSE.folder)
    verdicts = {
        language: look(name, CHECKS[name], {**given, **answers}, language) for language in COURSE.about.languages
    }
    assert not any(verdict.passed for verdict in verdicts.values())
    assert said in verdicts["en"].sentence
    assert len({verdict.sentence for verdict in verdicts.values()}) == len(verdicts)


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("brightest", {"order": ("fluid", "lesion", "white matter")}),
        ("empty-tool", {"share": 0.98, "measure": " Dice "}),
        ("leak", {"leaked": ["P-11", "P-08", "P-03"]}),
        ("split", {"train": ELSEWHERE[~ELSEWHERE.patient.isin(AT_C.patient)].iloc[::-1], "test": AT_C}),
        ("interval", {"patients_needed": 100, "not_surer": "B"}),
        ("path", {"quarter": NOISE + 0.25 * (GOAL - NOISE), "velocity": (GOAL - NOISE).tolist()}),
        ("cause", {"low": "-0.005", "high": 0.015, "claim": "b"}),
        ("private", {"private": "bce"}),
    ],
)
def test_who_understood_passes_however_it_is_written(
    given: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, answers: dict[str, Any]
) -> None:
    monkeypatch.chdir(COURSE.folder)
    verdict = look(name, CHECKS[name], {**given, **answers}, "en")
    assert verdict.passed, verdict.sentence
