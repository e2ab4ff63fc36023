"""Questions of a lesson: in the participant's language, with every fault told at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from genai4eu.courses.desk import ASIDE, LANGUAGE, Desk
from genai4eu.courses.questions import faults, questions
from genai4eu.errors import WorkbenchError

ASKED: list[dict[str, Any]] = [
    {
        "question": {"en": "Which value is far off?", "nl": "Welke waarde zit ver weg?"},
        "type": "multiple_choice",
        "answers": [
            {"answer": "4", "correct": False, "feedback": {"en": "Near the others.", "nl": "Dicht bij de rest."}},
            {"answer": "40", "correct": True},
        ],
    },
    {"question": "The median?", "type": "numeric", "answers": [{"type": "value", "value": 3, "correct": True}]},
]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: found.append(data))
    return found


def test_questions_are_the_participants_and_load_nothing(desk: Desk, shown: list[dict[str, str]]) -> None:
    (desk.folder / "questions-1.json").write_text(json.dumps(ASKED))
    (desk.folder / ASIDE / LANGUAGE).write_text("nl")
    for name in ("questions-1", "questions-1.json"):
        questions(name)
        page, script = shown[-2], shown[-1]["application/javascript"]
        assert page["text/plain"].splitlines() == [
            "1. Welke waarde zit ver weg?",
            "   - 4",
            "   - 40",
            "2. The median?",
        ]
        assert "Dicht bij de rest." in script
        assert '"feedback": "Goed."' in script, "jupyterquiz's own words are English"
        assert script.startswith("(() => { let MathJax;"), "what would load a library finds none to load it for"
    assert shown[0]["text/html"] != shown[2]["text/html"], "two on a page are two"


def test_a_question_cannot_end_its_script(desk: Desk, shown: list[dict[str, str]]) -> None:
    questions([{**ASKED[1], "question": "</script><b>"}])
    assert "</script>" not in shown[-1]["application/javascript"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no json", "cannot be read"),
        ("{}", "holds no list of questions"),
        ('[{"type": "essay"}, 7]', "question 2 has no type"),
        ('[{"type": "numeric", "question": "x"}]', "lacks its text or its answers"),
        ('[{"type": "numeric", "question": "x", "answers": [{"value": 1}]}]', "has no right answer"),
        ('[{"type": "string", "question": "$x$", "answers": [{"answer": "1", "correct": true}]}]', "write it in words"),
    ],
)
def test_what_is_no_question_is_told_before_anything_is_shown(
    desk: Desk, shown: list[dict[str, str]], content: str, said: str
) -> None:
    (desk.folder / "asked.json").write_text(content)
    with pytest.raises(WorkbenchError, match=said):
        questions("asked")
    assert shown == []


def test_files_elsewhere_are_none_of_the_lessons(desk: Desk) -> None:
    for name in ("../secret", "/etc/hostname", "none", f"{ASIDE}/../../x"):
        with pytest.raises(WorkbenchError, match="is no file of questions beside the lessons"):
            questions(name)


def test_a_course_is_told_which_texts_are_missing() -> None:
    assert list(faults(ASKED, ("en", "nl"))) == []
    assert list(faults(ASKED, ("en", "de"))) == [
        "question 1: its question is not there in de", "question 1: its feedback is not there in de",
    ]  # fmt: skip
