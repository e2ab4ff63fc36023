"""What the checks of the medical course say to who is wrong: words for each usual mistake, in every language."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from genai4eu.courses.checking import look
from genai4eu.courses.course import Course
from genai4eu.courses.lesson import exercises, read
from genai4eu.courses.shipped import named
from genai4eu.usecases.health_imaging import compare, copies, data, keep, lessons
from genai4eu.usecases.health_imaging.acquisition import Protocol, signal
from genai4eu.usecases.health_imaging.relaxometry import LESION

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
SCAN, REST = np.array([0.0, 2.0, 4.0]), np.array([0.0, 1.0, 0.0])  # one twelfth of the variance is left over
MISTAKES: list[tuple[str, dict[str, Any], str]] = [
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
    ("inversion-time", {"ti": 2000, "why": "c"}, "Too short"),
    ("inversion-time", {"ti": 3500, "why": "c"}, "Too long"),
    ("inversion-time", {"ti": 2650, "why": "b"}, "one does see them"),
    ("why-b", {"reason": "b"}, "as many B as A"),
    ("why-b", {"reason": "c"}, "printed above the picture"),
    ("interval", {"patients_needed": 48, "not_surer": "c"}, "factor of 1.4"),
    ("interval", {"patients_needed": 72, "not_surer": "c"}, "Not enough"),
    ("interval", {"patients_needed": 120, "not_surer": "c"}, "More than needed"),
    ("interval", {"patients_needed": 96, "not_surer": "b"}, "compared better"),
    ("contrast", {"explained": 1 / 12, "origin": "a"}, "leaves over"),
    ("contrast", {"explained": 11 / 12, "origin": "b"}, "no scan of C was in training"),
    ("path", {"quarter": 0.25 * NOISE + 0.75 * GOAL, "velocity": GOAL - NOISE}, "t = 0.75"),
    ("path", {"quarter": 0.75 * NOISE + 0.25 * GOAL, "velocity": NOISE - GOAL}, "backwards"),
    ("copies", {"copy_at": 0, "limit": 0.3, "caught": False, "verdict": "b"}, "an ordinary one"),
    ("copies", {"copy_at": 10, "limit": 0.05, "caught": False, "verdict": "b"}, "catches nothing"),
    ("copies", {"copy_at": 10, "limit": 0.7, "caught": True, "verdict": "b"}, "accuses scans"),
    ("copies", {"copy_at": 10, "limit": 0.3, "caught": True, "verdict": "b"}, "Look at the number"),
    ("copies", {"copy_at": 10, "limit": 0.3, "caught": "False", "verdict": "b"}, "without quotation marks"),
    ("copies", {"copy_at": 10, "limit": 0.3, "caught": False, "verdict": "a"}, "the same patient"),
    ("clear", {"clear": {"randomised", "classical"}, "unclear": "c"}, "the interval holds zero"),
    ("price", {"change_at_b": 0.192, "advice": "flow 10:1"}, "another question"),
    ("price", {"change_at_b": -0.18, "advice": "flow 10:1"}, "speaks against it"),
    ("honest", {"inflated": 0.26, "honest": 2, "because": "a"}, "the best seed itself"),
    ("honest", {"inflated": 0.07, "honest": 1, "because": "a"}, "regret having believed"),
    ("honest", {"inflated": 0.07, "honest": 2, "because": "b"}, "misled even more"),
    ("cause", {"possible": {0, 0.012}, "claim": "b"}, "may go below zero"),
    ("cause", {"possible": {-0.01, -0.003, 0}, "claim": "b"}, "lies outside"),
    ("cause", {"possible": {-0.003, 0}, "claim": "b"}, "not from zero"),
    ("cause", {"possible": {-0.003, 0, 0.012}, "claim": "c"}, "Too far the other way"),
    ("verdict", {"verdict": "not clear", "fair": False}, "larger in size"),
    ("verdict", {"verdict": "lower", "fair": True}, "by luck alone"),
    ("limits", {"supported": {"a", "c", "d", "e"}}, "last paragraph"),
    ("limits", {"supported": {"a", "c"}}, "what does ± say"),
    ("private", {"private": {"c", "e"}}, "look at names"),
    ("private", {"private": {"b", "c", "e", "f"}}, "nobody can repeat your study"),
]
UNDERSTOOD: list[tuple[str, dict[str, Any]]] = [
    ("brightest", {"order": ("fluid", "lesion", "white matter")}),
    ("empty-tool", {"share": 0.98, "measure": " Dice "}),
    ("leak", {"leaked": ["P-11", "P-08", "P-03"]}),
    ("split", {"train": ELSEWHERE[~ELSEWHERE.patient.isin(AT_C.patient)].iloc[::-1], "test": AT_C}),
    ("inversion-time", {"ti": "2600", "why": " C "}),
    ("why-b", {"reason": "A"}),
    ("interval", {"patients_needed": 100, "not_surer": "C"}),
    ("contrast", {"explained": 0.917, "origin": "A"}),
    ("path", {"quarter": NOISE + 0.25 * (GOAL - NOISE), "velocity": (GOAL - NOISE).tolist()}),
    ("copies", {"copy_at": "10", "limit": 0.5, "caught": np.False_, "verdict": "B"}),
    ("clear", {"clear": ["random forest", "Gaussian mixture", "real only", "classical"], "unclear": "C"}),
    ("price", {"change_at_b": -0.18, "advice": "Classical"}),
    ("honest", {"inflated": "0.07", "honest": "2", "because": "A"}),
    ("cause", {"possible": [0.012, 0, "-0.003"], "claim": "b"}),
    ("private", {"private": "bce"}),
    ("verdict", {"verdict": "Lower ", "fair": False}),
    ("limits", {"supported": "ECA"}),
]


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """What cells before the exercises leave."""
    scores = keep.read_kept(COURSE.folder / "material", "scores.nc")
    real = data.labelled_slices(12, 64, 0)
    metrics = {"gain_c": {"value": -0.03}, "half_interval_c": {"value": 0.02}}
    return {
        "np": np, "pd": pd, "truth": TRUTH, "noise": NOISE, "goal": GOAL, "compare": compare, "copies": copies,
        "runs": [scores.sel(seed=seed) for seed in scores["seed"].values],
        "Protocol": Protocol, "signal": signal, "lessons": lessons, "real": real,
        "suspects": lessons.planted(keep.read_kept(COURSE.folder / "material", "synthetic.nc"), real),
        "scan": SCAN, "rest": REST, "inside": np.array([True] * 3),
        "run": SimpleNamespace(metrics=metrics), "page": SimpleNamespace(folder=Path()),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "answers", "said"), MISTAKES)
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


@pytest.mark.parametrize(("name", "answers"), UNDERSTOOD)
def test_who_understood_passes_however_it_is_written(
    given: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, name: str, answers: dict[str, Any]
) -> None:
    monkeypatch.chdir(COURSE.folder)
    verdict = look(name, CHECKS[name], {**given, **answers}, "en")
    assert verdict.passed, verdict.sentence


def test_every_check_is_tried_with_a_right_and_a_wrong_answer() -> None:
    assert {case[0] for case in UNDERSTOOD} == {case[0] for case in MISTAKES} == set(CHECKS)


def test_no_letter_is_the_answer_to_more_than_half_of_the_choices() -> None:
    solutions = "\n".join(
        cell.source
        for lesson in COURSE.about.lessons
        for cell in read(COURSE.folder / lesson.file).cells
        if "BEGIN SOLUTION" in cell.source
    )
    letters = Counter(re.findall(r'^\w+ = "([abc])"$', solutions, re.M))
    assert set(letters) == set("abc")
    assert max(letters.values()) <= letters.total() / 2


def test_accuracy_hides_what_lesson_1_says_it_hides() -> None:
    patients = data.cohort("test", 6, 64, 0, ("A", "B", "C"))
    truth = (patients["label"] == LESION).values[:, None]
    found = (patients["image"] > 1.5).values
    fluid = (patients["label"] == 1).values[:, None]
    assert ((found == truth).mean((0, 2, 3)) > 0.95).all()
    at_b, at_c = found[:, 1:2], found[:, 2:]
    assert at_b.any()
    assert not (at_b & truth).any()
    assert (at_c & fluid).sum() > at_c.sum() / 2
