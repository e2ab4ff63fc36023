"""What a check says to whoever is wrong: something, in every language of the course, and not twice the same."""

from __future__ import annotations

import pytest

from genai4eu.courses.lesson import Exercise
from genai4eu.courses.messages import faults

BOTH = ("en", "nl")


def _found(tests: str, languages: tuple[str, ...] = BOTH) -> str:
    return "\n".join(faults(Exercise("exercise-1", 4, [3], tests), languages))


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("x = 1\nassert x", "cell 5: line 2 of the check of exercise-1 says nothing when it fails"),
        ("raise AssertionError", "line 1 of the check of exercise-1 says nothing"),
        ("assert x, 'no'", 'speaks one language: give a text for each, as assert …, {"en": "…", "nl": "…"}'),
        ("assert x, f'no {x}'", "speaks one language"),
        ("assert x, 'no {}'.format(x)", "speaks one language"),
        ("assert x, 'no %s' % x", "speaks one language"),
        ("assert x, {'en': 'no', 'nl': 'nee'} if y else 'no'", "speaks one language"),
        ("raise AssertionError('no')", "speaks one language"),
        ("assert x, {'en': 'no'}", 'is not there in nl: add "nl": "…" to its message'),
        ("assert x, {'de': 'nein'}", "is not there in en"),
        ("assert x, {}", "is not there in nl"),
        ("why = {'A': {'en': f'no {x}'}}\nassert x, why['A']", "line 1 of the check of exercise-1 is not there in nl"),
        ("assert x, {k: t.format(x) for k, t in {'nl': 'nee {}'}.items()}", "is not there in en"),
        ("assert x, {'en': 'look at it again', 'nl': 'look at it again'}", "the same in en and nl: not translated yet"),
        ("assert x ==", "is no Python"),
    ],
)
def test_a_message_that_leaves_somebody_without_words(tests: str, said: str) -> None:
    assert said in _found(tests)


@pytest.mark.parametrize(
    "tests",
    [
        "assert x, {'en': 'no', 'nl': 'nee'}",
        "assert x, {'en': 'no', 'nl': 'nee', 'de': 'nein'}",
        "assert x, {'en': 'x > 0', 'nl': 'x > 0'}",
        "assert x, {k: t.format(x) for k, t in {'en': 'no {}', 'nl': 'nee {}'}.items()}",
        "why = {'A': {'en': 'no', 'nl': 'nee'}}\nfor a in why:\n    assert x, why[a]",
        "counts = {'nl': 3}\nnames = {'a': 'one'}\nassert counts, {'en': 'no', 'nl': 'nee'}",
        "raise ValueError('of the program')",
    ],
)
def test_messages_in_every_language_are_left_alone(tests: str) -> None:
    assert _found(tests) == ""


def test_a_course_of_one_language_needs_no_mapping() -> None:
    assert _found("assert x, 'no'", ("en",)) == ""
    assert 'as assert …, {"en": "…"}' in _found("assert x", ("en",))
    assert "is not there in en" in _found("assert x, {'nl': 'nee'}", ("en",))
