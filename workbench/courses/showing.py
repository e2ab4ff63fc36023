"""What a participant sees of a check: words, the next hint, and how far they are. Called by ``exercise``.

Colours are JupyterLab's own of light and dark, with ones for other frontends that are seen on both; they mark an edge
and a sign, and never carry a meaning alone. No script is needed: every frontend shows it, and a terminal its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import mistune

from ..dashboards.pages.language import translations

#: The same as data, for the trainer's check of a course and for the board.
MIME = "application/vnd.genai4eu.check+json"
_GREEN = "var(--jp-success-color1, #2da44e)"
_AMBER = "var(--jp-warn-color1, #bf8700)"
_BLUE = "var(--jp-info-color1, #218bff)"
_MARKS = {"passed": ("●", _GREEN), "trying": ("◐", _AMBER), "open": ("○", "inherit")}
_CODE = (
    "overflow:auto;padding:.6em;margin:.5em 0 0;background:var(--jp-layout-color2, rgba(128,128,128,.15));"
    "color:inherit;font-family:var(--jp-code-font-family, monospace)"
)


def card(mark: str, colour: str, head: str, body: str = "") -> str:
    """Return HTML of a framed message; colour is never the only sign."""
    return (
        f'<div role="status" style="border:1px solid var(--jp-border-color1, rgba(128,128,128,.5));'
        f"border-left:6px solid {colour};border-radius:6px;padding:.6em .9em;margin:.3em 0;max-width:46em;"
        f'line-height:1.45;color:var(--jp-content-font-color1, inherit);overflow-wrap:anywhere">'
        f'<strong><span aria-hidden="true" style="color:{colour}">{mark}</span> {escape(head)}</strong>'
        f"{body}</div>"
    )


def passed(language: str) -> str:
    """Return the card of an exercise that is right."""
    return card("✓", _GREEN, translations(language).gettext("Right."))


def failed(sentence: str, language: str, more: str = "") -> str:
    """Return the card of an exercise that is not right yet; ``more`` says what a participant may do next."""
    next_ = f'<div style="margin-top:.5em;color:var(--jp-content-font-color2, inherit)">{_inline(more)}</div>'
    body = f"<div>{_inline(sentence)}</div>{next_ if more else ''}"
    return card("…", _AMBER, translations(language).gettext("Not yet."), body)


def stuck(name: str, hints_left: int, trainer: bool, given: bool, language: str) -> str:
    """Return what a participant may execute who is stuck: words, not buttons, so that every frontend can do it.

    Parameters
    ----------
    hints_left : int
        Hints that were not shown yet.
    trainer, given : bool
        Whether somebody is there to call, and whether they have given the solution.
    """
    words = translations(language)
    said = []
    if given:
        said.append(words.gettext("The solution: `%(code)s`.") % {"code": f'solution("{name}")'})
    elif hints_left:
        text = words.ngettext(
            "Stuck? Execute `%(code)s` for a hint; there is %(left)d.",
            "Stuck? Execute `%(code)s` for a hint; there are %(left)d.",
            hints_left,
        )
        said.append(text % {"code": f'hint("{name}")', "left": hints_left})
    if trainer:
        said.append(words.gettext("To call your trainer: `%(code)s`.") % {"code": f'help_me("{name}")'})
    return " ".join(said)


def hint(text: str, number: int, of: int, language: str) -> str:
    """Return the card of a hint."""
    head = translations(language).gettext("Hint %(number)d of %(many)d") % {"number": number, "many": of}
    return card("?", _BLUE, head, str(mistune.html(text)).replace("<p>", '<p style="margin:.2em 0">'))


def solution(head: str, code: str) -> str:
    """Return the card of a solution."""
    return card("i", _BLUE, head, f'<pre tabindex="0" style="{_CODE}"><code>{escape(code)}</code></pre>')


def note(sentence: str, more: str = "") -> str:
    """Return the card of anything else that is to be told, with what else there is to say of it."""
    return card("i", _BLUE, sentence, f"<div>{_inline(more)}</div>" if more else "")


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


def display(html: str, text: str, told: dict[str, Any] | None = None) -> None:
    """Show something below the cell that is executed.

    Parameters
    ----------
    told : dict, optional
        The same as data, of the type ``MIME``.
    """
    from IPython.display import display as show

    show({"text/html": html, "text/plain": text, **({MIME: told} if told else {})}, raw=True)
