"""What a participant sees of a check: words, the next hint, and how far they are. Called by ``exercise``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import mistune

from ..dashboards.pages.language import translations

#: The same as data, for the trainer's check of a course and for the board.
MIME = "application/vnd.genai4eu.check+json"
_GREEN, _AMBER, _BLUE = "#1a7f37", "#9a6700", "#0b57d0"
_MARKS = {"passed": ("●", _GREEN), "trying": ("◐", _AMBER), "open": ("○", "#59636e")}


def card(mark: str, colour: str, head: str, body: str = "") -> str:
    """Return HTML of a framed message; colour is never the only sign."""
    return (
        f'<div role="status" style="border:1px solid {colour};border-left:6px solid {colour};border-radius:6px;'
        f'padding:.6em .9em;margin:.3em 0;max-width:46em;line-height:1.45">'
        f'<strong style="color:{colour}"><span aria-hidden="true">{mark}</span> {escape(head)}</strong>'
        f"{body}</div>"
    )


def passed(language: str) -> str:
    """Return the card of an exercise that is right."""
    return card("✓", _GREEN, translations(language).gettext("Right."))


def failed(sentence: str, language: str) -> str:
    """Return the card of an exercise that is not right yet."""
    return card("…", _AMBER, translations(language).gettext("Not yet."), f"<div>{_inline(sentence)}</div>")


def hint(text: str, number: int, of: int, language: str) -> str:
    """Return the card of a hint."""
    head = translations(language).gettext("Hint %(number)d of %(many)d") % {"number": number, "many": of}
    return card("?", _BLUE, head, str(mistune.html(text)))


def note(sentence: str) -> str:
    """Return the card of anything else that is to be told."""
    return card("i", _BLUE, sentence)


def strip(states: Mapping[str, str], names: Sequence[str], language: str) -> str:
    """Return how far a participant is in a lesson, as a row of marks that a screen reader reads as a sentence."""
    marks = "".join(
        f'<span style="color:{_MARKS[states[name]][1]}" title="{escape(name)}">{_MARKS[states[name]][0]}</span> '
        for name in names
    )
    return (
        f'<p style="margin:.2em 0"><span aria-hidden="true" style="font-size:1.2em;letter-spacing:.1em">{marks}</span>'
        f"<span>{escape(told(states, names, language))}</span></p>"
    )


def told(states: Mapping[str, str], names: Sequence[str], language: str) -> str:
    """Return how far a participant is in a lesson, as a sentence."""
    done = sum(states[name] == "passed" for name in names)
    words = translations(language).ngettext(
        "%(done)d of %(many)d exercise is right", "%(done)d of %(many)d exercises are right", len(names)
    )
    return str(words % {"done": done, "many": len(names)})


def _inline(text: str) -> str:
    """Return a sentence's HTML: code stands between backquotes, nothing else is markup."""
    pieces = text.split("`")
    return "".join(f"<code>{escape(p)}</code>" if i % 2 else escape(p) for i, p in enumerate(pieces))


def data(exercise: str, verdict: Any, hints: int) -> dict[str, Any]:
    """Return a check as data."""
    return {"exercise": exercise, "passed": verdict.passed, "sentence": verdict.sentence, "hints": hints}
