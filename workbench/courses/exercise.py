"""Checks, hints, a raised hand and a clean notebook, as a participant calls them. Public as ``genai4eu.courses``."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any

from ..dashboards.pages.language import N_, translations
from ..errors import WorkbenchError
from . import news, showing
from .checking import Verdict, digest, look
from .desk import Desk, here, states, text_in
from .reminding import ASKING, stopped
from .resetting import FRESH, KEPT
from .resetting import reset as give_back

#: Honest attempts that failed until the next hint is shown unasked.
PATIENCE = 3


def check(name: str = "") -> None:
    """Look at an exercise, and show what is right and what is not yet.

    Parameters
    ----------
    name : str
        The exercise's, as ``exercise-2``.

    Raises
    ------
    WorkbenchError
        If there is no such exercise, or no course.
    """
    desk = here()
    lesson, exercise = desk.exercise(name)
    verdict = look(name, exercise["tests"], _space(), desk.language)
    before = [e for e in desk.happened() if e.get("exercise") == name]
    code = digest(_inputs())
    honest = not verdict.passed and code not in [e.get("code") for e in before]
    shown = sum(e["event"] == "hint" for e in before)
    unnoted = ""
    if honest or verdict.passed:
        try:
            desk.note("passed" if verdict.passed else "tried", exercise=name, lesson=lesson["file"], code=code)
        except WorkbenchError as error:  # a full disk keeps nobody from knowing what is right
            unnoted = str(error)
    _answer(desk, lesson, exercise, verdict, shown)
    if unnoted:
        _tell(desk, N_("This could not be noted: %(why)s"), why=unnoted)
    tries = sum(e["event"] == "tried" for e in before) + honest
    if honest and shown < len(exercise["hints"]) and tries >= PATIENCE * (shown + 1):
        _hint(desk, lesson, exercise)


def _answer(desk: Desk, lesson: dict[str, Any], exercise: dict[str, Any], verdict: Verdict, shown: int) -> None:
    name, language = exercise["name"], desk.language
    found, names = states(desk), [e["name"] for e in lesson["exercises"]]
    if verdict.passed:
        html = showing.passed(language)
        said = [translations(language).gettext("Right.")]
    else:
        left, given = max(0, len(exercise["hints"]) - shown), news.solution(name) is not None
        more = showing.stuck(name, left, news.path() is not None, given, language)
        sentence = " ".join(filter(None, [stopped(language), verdict.sentence]))
        html = showing.failed(sentence, language, more)
        said = [translations(language).gettext("Not yet."), sentence, more]
    text = "\n".join(filter(None, [*said, showing.told(found, names, language)]))
    showing.display(html + showing.strip(found, names, language), text, showing.data(name, verdict, shown))


def hint(name: str = "") -> None:
    """Show the next hint of an exercise; the last one stays the last.

    Raises
    ------
    WorkbenchError
        If there is no such exercise, or no course.
    """
    desk = here()
    _hint(desk, *desk.exercise(name))


def solution(name: str = "") -> None:
    """Show the solution of an exercise, once the trainer has given it to the room."""
    desk = here()
    lesson, exercise = desk.exercise(name)
    code = news.solution(exercise["name"])
    if code is None:
        return _tell(desk, N_("The solution of %(exercise)s has not been given."), exercise=name)
    desk.note("solution-shown", exercise=name, lesson=lesson["file"])
    head = translations(desk.language).gettext("Solution of %(exercise)s") % {"exercise": name}
    return showing.display(showing.solution(head, code), f"{head}\n{code}")


def help_me(name: str = "") -> None:
    """Raise a hand: the trainer's board shows it until the trainer, or a check that passes, takes it down."""
    desk = here()
    about = {}
    if name:
        lesson, exercise = desk.exercise(name)
        about = {"exercise": exercise["name"], "lesson": lesson["file"]}
    if news.path() is None:
        return _tell(desk, N_("You work on your own here, so nobody sees a raised hand. A hint may help."))
    desk.note("hand", **about)
    return _tell(desk, N_("Your hand is raised: the trainer sees it."))


def language(name: str) -> None:
    """Read in another of the course's languages from now on. Called by the lesson's toolbar.

    Raises
    ------
    WorkbenchError
        If the course does not have it.
    """
    here().read_in(name)


def progress() -> None:
    """Show how far one is in each lesson."""
    desk = here()
    found = states(desk)
    titles = {lesson["file"]: lesson["title"] for lesson in desk.about["course"]["lessons"]}
    rows = [
        f"<strong>{escape(text_in(titles[lesson['file']], desk.language))}</strong>"
        + showing.strip(found, [e["name"] for e in lesson["exercises"]], desk.language)
        for lesson in desk.about["lessons"]
    ]
    done = sum(state == "passed" for state in found.values())
    showing.display("".join(rows), f"{done}/{len(found)}")


def reset(notebook: str | Path | None = None) -> None:
    """Give back a lesson as it was at the beginning; what it was until now stays beside it as a dated copy.

    A page that shows the notebook goes on showing what it had, and is told to load it anew. The button of the lesson's
    toolbar does both, and keeps what is not saved yet.

    Parameters
    ----------
    notebook : str or Path, optional
        The lesson; by default the notebook that this is called in.

    Raises
    ------
    WorkbenchError
        If it is no lesson of this course, or cannot be written: then nothing has changed.
    """
    desk = here()
    path = Path(notebook or os.environ.get("JPY_SESSION_NAME", ""))
    own = path.name if (desk.folder / path).parent.resolve() == desk.folder.resolve() else str(path)
    kept, _ = give_back(desk, own), translations(desk.language).gettext
    words = _(KEPT) % {"name": kept.name} if kept else _(FRESH)
    more = _(
        "This page does not show it yet, and saving it would bring yours back: choose File → Reload Notebook from Disk."
        " What you have not saved is only on this page: “Begin this notebook anew” above the lesson would keep it, too."
    )
    showing.display(showing.note(words, more), f"{words}\n{more}")


def _hint(desk: Desk, lesson: dict[str, Any], exercise: dict[str, Any]) -> None:
    hints = exercise["hints"]
    shown = sum(e["event"] == "hint" and e.get("exercise") == exercise["name"] for e in desk.happened())
    number = min(shown + 1, len(hints))
    if shown < len(hints):
        desk.note("hint", exercise=exercise["name"], lesson=lesson["file"], number=number)
    text = text_in(hints[number - 1], desk.language)
    showing.display(showing.hint(text, number, len(hints), desk.language), text)


def _tell(desk: Desk, words: str, **more: str) -> None:
    """Show a sentence in the participant's language."""
    sentence = translations(desk.language).gettext(words) % more
    showing.display(showing.note(sentence), sentence)


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def _space() -> dict[str, Any]:
    shell = _shell()
    return dict(shell.user_ns) if shell else {}


def _inputs() -> list[str]:
    """Return the code that was executed so far, but for checks and requests of hints: these are no attempts."""
    shell = _shell()
    inputs = shell.history_manager.input_hist_raw if shell else []
    return [code for code in inputs if not code.strip().startswith(ASKING)]
